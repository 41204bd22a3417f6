// A gateway of a few lines for the subcommands' tests: answers each HTTP request on a connection of
// its own, from a thread of its own, with what the test says.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace switchyard::cli {

// The start line and headers, and the body.
struct SeenRequest {
  std::string head;
  std::string body;
};

inline std::string HttpAnswer(int status, const std::string& type, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
         "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

inline std::string ResultOf(const std::string& result) {
  return HttpAnswer(200, "application/json", R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}");
}

inline std::string ErrorOf(int code, const std::string& message) {
  return HttpAnswer(200, "application/json",
                    R"({"jsonrpc":"2.0","id":1,"error":{"code":)" + std::to_string(code) +
                        R"(,"message":")" + message + "\"}}");
}

class FakeGateway {
 public:
  using Serve = std::function<std::string(const SeenRequest&)>;

  explicit FakeGateway(Serve serve)
      : serve_(std::move(serve)),
        acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}),
        url_("http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/mcp"),
        thread_([this] { Run(); }) {}

  ~FakeGateway() {
    // The accept that waits is ended by a connection that says nothing.
    boost::asio::ip::tcp::socket last(context_);
    stopping_ = true;
    boost::system::error_code ignored;
    last.connect(acceptor_.local_endpoint(), ignored);
    last.close(ignored);
    thread_.join();
  }

  const std::string& url() const { return url_; }

  std::vector<SeenRequest> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void Run() {
    for (;;) {
      boost::asio::ip::tcp::socket socket(context_);
      acceptor_.accept(socket);
      if (stopping_) return;
      boost::system::error_code error;
      std::string text;
      const std::size_t head =
          boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), "\r\n\r\n", error);
      if (error) continue;
      std::size_t length = 0;
      if (const std::size_t at = text.find("Content-Length: "); at < head) {
        length = std::stoul(text.substr(at + 16));
      }
      if (text.size() < head + length) {
        boost::asio::read(socket, boost::asio::dynamic_buffer(text),
                          boost::asio::transfer_exactly(head + length - text.size()), error);
      }
      SeenRequest request{.head = text.substr(0, head), .body = text.substr(head)};
      const std::string answer = serve_(request);
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back(std::move(request));
      }
      boost::asio::write(socket, boost::asio::buffer(answer), error);
    }
  }

  const Serve serve_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  const std::string url_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::vector<SeenRequest> seen_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace switchyard::cli
