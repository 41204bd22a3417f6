#include "edge/listener.h"

#include <expected>
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

Listener::Listener(const Deps& deps, Options options, Connection::Hooks hooks)
    : deps_(deps),
      options_(std::move(options)),
      hooks_(std::make_shared<const Connection::Hooks>(std::move(hooks))),
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
    if (options_.places->held() >= options_.places->limits().total) {
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
    // Another worker may have taken the last place while this one waited for a client.
    Quota::Permit place = co_await TakePlace();
    if (!acceptor_.is_open()) co_return;
    std::unique_ptr<TlsSession> tls = tls_ != nullptr ? tls_->Accept() : nullptr;
    if (tls_ != nullptr && tls == nullptr) continue;  // out of memory
    Begin(std::make_shared<ReadAhead>(std::move(socket), "", std::move(tls)), std::move(place));
  }
}

Task<Quota::Permit> Listener::TakePlace() {
  for (;;) {
    std::expected<Quota::Permit, Quota::Refusal> place = options_.places->Take(0);
    if (place) co_return std::move(*place);
    co_await deps_.timers.Sleep(kAcceptPause);
  }
}

void Listener::Adopt(Handover handover) {
  if (aborted_) return;
  Socket socket(deps_.executor());
  boost::system::error_code error;
  socket.assign(handover.protocol, handover.fd.get(), error);
  if (error) {
    spdlog::warn("a connection could not move to another worker and is closed: {}",
                 error.message());
    return;
  }
  handover.fd.Release();
  Begin(std::make_shared<ReadAhead>(std::move(socket), handover.unread, std::move(handover.tls)),
        std::move(handover.place));
}

void Listener::Begin(std::shared_ptr<ReadAhead> io, Quota::Permit place) {
  auto connection =
      std::make_shared<Connection>(std::move(io), options_.limits, deps_.clock, hooks_);
  connection->Hold(std::move(place));
  if (draining_) connection->Stay();
  connections_.insert(connection);
  connection->SetTask(TaskHandle(deps_.executor(), "connection", connection->Run()));
}

void Listener::StopAccepting() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  accepting_.Cancel();
  // To another worker, which drains as well: the move would only take time.
  draining_ = true;
  for (const auto& connection : connections_) connection->Stay();
}

void Listener::Drain() {
  for (const auto& connection : connections_) {
    // One that just came from another worker may have a request with it: it is the next time's.
    if (connection->begun()) connection->Drain();
  }
  Prune();
}

// A connection that ends takes nothing out of the set by itself.
void Listener::Prune() {
  std::erase_if(connections_, [](const auto& connection) { return connection->finished(); });
}

void Listener::Abort() {
  aborted_ = true;
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
