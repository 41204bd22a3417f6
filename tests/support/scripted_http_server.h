// An HTTP server for tests that says exactly the bytes it was told to. Lives on the test's
// io_context, listens on a free port of 127.0.0.1. Each request, on whatever connection it comes,
// takes the next step of the script; without one it is answered with 500.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/task.h"

namespace switchyard::tests {

// A certificate authority made on the spot, and a certificate of it for `host`.
struct TestCertificate {
  std::string authority_pem;
  std::string certificate_pem;
  std::string key_pem;

  static TestCertificate For(const std::string& host);
};

// A file with this text, gone with the object.
class TextFile {
 public:
  explicit TextFile(std::string_view text);
  TextFile(const TextFile&) = delete;
  ~TextFile();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class ScriptedHttpServer {
 public:
  using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;

  struct Request {
    std::string start;    // "POST /mcp HTTP/1.1"
    std::string headers;  // the lines after it, each with CRLF
    std::string body;
    int connection;  // counted from 0

    std::string Header(std::string_view name) const;  // "" = absent
  };

  class Peer;
  using Step = std::function<Task<void>(Peer&, const Request&)>;

  explicit ScriptedHttpServer(net::io_context& context, const TestCertificate* tls = nullptr);
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ~ScriptedHttpServer();

  void Then(Step step) { script_.push_back(std::move(step)); }
  // Sends `bytes`, cut in pieces of `piece` bytes (0 = at once), each its own segment.
  void ThenSend(std::string bytes, std::size_t piece = 0);
  void ThenSendAndClose(std::string bytes);

  std::uint16_t port() const;
  std::string Url(std::string_view host = "127.0.0.1", std::string_view path = "/mcp") const;
  const std::vector<Request>& requests() const { return requests_; }
  int connections() const { return connections_; }
  // Stops listening; connections live on.
  void StopListening();
  // Closes the connections that are waiting for a request.
  void CloseIdle();

  class Peer {
   public:
    Task<void> Send(std::string bytes, std::size_t piece = 0);
    // Waits for the client to close; what it still sends is lost.
    Task<void> UntilClosed();
    void Close();
    void Reset();  // RST instead of FIN
    void HalfClose();

   private:
    friend class ScriptedHttpServer;
    Peer(Socket socket, net::ssl::context* tls);
    Task<bool> ReadMore();

    Socket socket_;
    std::unique_ptr<net::ssl::stream<Socket&>> tls_;
    std::string input_;
    bool waiting_ = false;  // for a request
  };

 private:
  Task<void> Accept();
  Task<void> Serve(std::shared_ptr<Peer> peer, int connection);
  Task<bool> ReadRequest(Peer& peer, Request& request);

  net::basic_socket_acceptor<net::ip::tcp, Executor> acceptor_;
  std::unique_ptr<net::ssl::context> tls_;
  std::deque<Step> script_;
  std::vector<Request> requests_;
  std::vector<std::weak_ptr<Peer>> peers_;
  int connections_ = 0;
  TaskHandle accepting_;
};

// Shapes of answers.
std::string JsonAnswer(std::string_view body, std::string_view more_headers = "");
std::string EventsAnswer(std::string_view events);  // chunked and ended
std::string EventsStart(std::string_view more_headers = "");
std::string Chunk(std::string_view bytes);  // "" = the last one
std::string EventOf(std::string_view data, std::string_view id = "");

}  // namespace switchyard::tests
