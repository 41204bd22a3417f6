// An HTTP server on a free port of 127.0.0.1 with a thread of its own: a path has an answer, which
// tests change while it runs. For what a gateway asks beside MCP servers. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/task.h"

namespace switchyard::tests {

class WebSite {
 public:
  struct Request {
    std::string method, path, headers, body;
  };
  struct Page {
    int status = 200;
    std::string body = {};
    std::string headers = {};  // lines, each with CRLF
    bool silent = false;       // takes the request, and says nothing
  };
  using Handler = std::function<Page(const Request&)>;

  WebSite();
  WebSite(const WebSite&) = delete;
  ~WebSite();

  void Set(const std::string& path, Page page);
  void Set(const std::string& path, const std::string& body) { Set(path, Page{.body = body}); }
  // On the site's thread; instead of pages.
  void Answers(Handler handler);

  std::uint16_t port() const { return port_; }
  std::string Url(const std::string& path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::vector<Request> requests() const;
  std::size_t count(const std::string& path) const;

 private:
  using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;
  Task<void> Accept();
  Task<void> Serve(std::shared_ptr<Socket> socket);
  Page PageFor(const Request& request);

  net::io_context context_{1};
  net::basic_socket_acceptor<net::ip::tcp, Executor> acceptor_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Page> pages_;
  Handler handler_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace switchyard::tests
