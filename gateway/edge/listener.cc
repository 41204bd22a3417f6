#include "edge/listener.h"

#include <sys/socket.h>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <spdlog/spdlog.h>

namespace switchyard::edge {
namespace {

using ReusePort = net::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// Out of descriptors or memory: others must end before the next can be taken.
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);

}  // namespace

Listener::Listener(const Deps& deps, Options options, Connection::Serve serve)
    : deps_(deps),
      options_(std::move(options)),
      serve_(std::move(serve)),
      acceptor_(deps.executor()) {}

Listener::~Listener() = default;

// With SO_REUSEPORT a second gateway would share the port in silence: the first worker makes sure
// that it is free.
boost::system::error_code Listener::Probe(const net::ip::tcp::endpoint& endpoint) const {
  boost::system::error_code error;
  if (deps_.worker != 0 || endpoint.port() == 0) return error;
  net::basic_socket_acceptor<net::ip::tcp, Executor> probe(deps_.executor());
  probe.open(endpoint.protocol(), error);
  if (!error) probe.set_option(net::socket_base::reuse_address(true), error);
  if (!error) probe.bind(endpoint, error);
  return error;
}

Result<std::uint16_t> Listener::Listen(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  const net::ip::address address =
      net::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  const net::ip::tcp::endpoint endpoint(address, port);
  if (!error) error = Probe(endpoint);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor_.set_option(ReusePort(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
  if (error) {
    return Failure(
        Code::kUnavailable, Origin::kGateway,
        "listen: cannot listen on " + host + ":" + std::to_string(port) + ": " + error.message());
  }
  return acceptor_.local_endpoint().port();
}

void Listener::StartAccepting() { accepting_ = TaskHandle(deps_.executor(), "accept", Accept()); }

Task<void> Listener::Accept() {
  for (;;) {
    if (connections_.size() >= options_.max_connections) Prune();
    if (connections_.size() >= options_.max_connections) {
      co_await deps_.timers.Sleep(kAcceptPause);
      continue;
    }
    boost::system::error_code error;
    Socket socket = co_await acceptor_.async_accept(net::redirect_error(use_task, error));
    if (error == net::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (error) {
      spdlog::warn("accept: {}", error.message());
      co_await deps_.timers.Sleep(kAcceptPause);
      continue;
    }
    socket.set_option(net::ip::tcp::no_delay(true), error);
    Adopt(std::move(socket));
  }
}

void Listener::Adopt(Socket socket) {
  auto connection =
      std::make_shared<Connection>(std::move(socket), options_.limits, deps_.clock, serve_);
  connections_.insert(connection);
  connection->SetTask(TaskHandle(deps_.executor(), "connection", connection->Run()));
}

void Listener::StopAccepting() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  accepting_.Cancel();
}

void Listener::Drain() {
  for (const auto& connection : connections_) connection->Drain();
  Prune();
}

// A connection that ends takes nothing out of the set by itself.
void Listener::Prune() {
  std::erase_if(connections_, [](const auto& connection) { return connection->finished(); });
}

void Listener::Abort() {
  for (const auto& connection : connections_) connection->Abort();
  connections_.clear();
}

void Listener::Tick() {
  const TimePoint now = deps_.clock.Now();
  streams_ = 0;
  for (const auto& connection : connections_) {
    connection->Tick(now);
    if (connection->streaming()) ++streams_;
  }
  Prune();
}

}  // namespace switchyard::edge
