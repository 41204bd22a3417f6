// Accepts connections of one worker. All workers listen on the same address (SO_REUSEPORT); the
// kernel spreads the connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/result.h"
#include "base/timers.h"
#include "core/deps.h"
#include "edge/connection.h"

namespace switchyard::edge {

class Listener {
 public:
  struct Options {
    std::size_t max_connections = 16'384;  // of this worker; beyond it clients wait in the backlog
    ConnectionLimits limits;
  };

  Listener(const Deps& deps, Options options, Connection::Serve serve);
  ~Listener();

  // Binds; clients queue up. Port 0 = any; the one that was bound is returned.
  Result<std::uint16_t> Listen(const std::string& host, std::uint16_t port);
  void StartAccepting();

  void StopAccepting();
  void Drain();  // idle connections close now, busy ones after their answer
  void Abort();  // all close now
  std::size_t connections() const { return connections_.size(); }

  std::size_t streams() const { return streams_; }  // as of the last Tick()

  void Tick();  // once a second

 private:
  boost::system::error_code Probe(const net::ip::tcp::endpoint& endpoint) const;
  Task<void> Accept();
  void Adopt(Socket socket);
  void Prune();

  Deps deps_;
  const Options options_;
  Connection::Serve serve_;
  net::basic_socket_acceptor<net::ip::tcp, Executor> acceptor_;
  TaskHandle accepting_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::size_t streams_ = 0;
};

}  // namespace switchyard::edge
