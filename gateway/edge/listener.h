// Accepts connections of one worker. All workers listen on the same address (SO_REUSEPORT); the
// kernel spreads the connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/result.h"
#include "base/timers.h"
#include "core/deps.h"
#include "edge/connection.h"
#include "edge/quota.h"
#include "edge/tls.h"

namespace switchyard::edge {

class Listener {
 public:
  struct Options {
    // For the connections of all workers, between which they move. Beyond them clients wait: in
    // the backlog, or, one at each worker, accepted but not read from.
    std::shared_ptr<Quota> places = Quota::Make({.total = 16'384});
    ConnectionLimits limits;
  };

  Listener(const Deps& deps, Options options, Connection::Hooks hooks);
  ~Listener();

  // Binds; clients queue up. Port 0 = any; the one that was bound is returned.
  Result<std::uint16_t> Listen(const std::string& host, std::uint16_t port);
  void StartAccepting();
  // For connections from now on; null = none.
  void SetTls(std::shared_ptr<const TlsServer> tls) { tls_ = std::move(tls); }

  // Of another worker's. A request that came along is answered, also when nothing is accepted any
  // more; closed after Abort().
  void Adopt(Handover handover);

  void StopAccepting();  // from now on nothing moves away, either
  void Drain();          // idle connections close now, busy ones after their answer
  void Abort();          // all close now
  std::size_t connections() const { return connections_.size(); }

  std::size_t streams() const { return streams_; }  // as of the last Tick()

  void Tick();  // once a second

 private:
  boost::system::error_code Probe(const net::ip::tcp::endpoint& endpoint) const;
  Task<void> Accept();
  Task<Quota::Permit> TakePlace();
  void Begin(std::shared_ptr<ReadAhead> io, Quota::Permit place);
  void Prune();

  Deps deps_;
  const Options options_;
  const std::shared_ptr<const Connection::Hooks> hooks_;
  net::basic_socket_acceptor<net::ip::tcp, Executor> acceptor_;
  TaskHandle accepting_;
  std::shared_ptr<const TlsServer> tls_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::size_t streams_ = 0;
  bool draining_ = false, aborted_ = false;
};

}  // namespace switchyard::edge
