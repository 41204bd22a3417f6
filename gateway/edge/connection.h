// One client connection: reads HTTP/1.1 requests one after the other and has each answered by the
// endpoint dispatch. Lives on its worker's thread; owned by the worker's set of connections.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/http/parser.h"
#include "base/timers.h"
#include "edge/exchange.h"
#include "edge/quota.h"
#include "edge/read_ahead.h"

namespace switchyard::edge {

struct ConnectionLimits {
  std::size_t max_header = 16 * 1024;
  std::size_t max_body = 4 * 1024 * 1024;
  Duration request_timeout =
      std::chrono::seconds(30);  // from a request's first byte to its last; of TLS, the handshake
  Duration idle_timeout = std::chrono::seconds(120);  // between requests
  Duration write_timeout = std::chrono::seconds(30);  // a client that does not read
  Duration keep_alive = std::chrono::seconds(15);     // comments on silent streams
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Answers one request. `connection` may be told what a vanishing client means.
  using Serve = std::function<Task<void>(Exchange&, Connection&)>;
  // Asked of a request with a body that is long, of unknown length, or waited with
  // (`Expect: 100-continue`), when its head was read: what answers it refuses it, and its body is
  // not read.
  using BeforeBody = std::function<Task<void>(Exchange&)>;
  static constexpr std::size_t kShortBody = 16 * 1024;
  // Takes a connection to another worker.
  using Move = std::function<void(unsigned worker, Handover)>;

  // After so many requests in a row that another worker did the work for, the connection moves
  // there: a hop between threads costs as much as half a call (docs/decisions/0031).
  static constexpr unsigned kHopsToMove = 16;

  // What all connections of a listener have in common.
  struct Hooks {
    Serve serve;
    Move move;
    BeforeBody before_body = {};
    RefusalCount* refusals = nullptr;  // outlives them; null = nobody counts
  };

  Connection(std::shared_ptr<ReadAhead> io, const ConnectionLimits& limits, const Clock& clock,
             std::shared_ptr<const Hooks> hooks);

  // Runs until the connection is over. Started once, as a task of its own.
  Task<void> Run();

  // While a request is served: what to do when the client goes away or Tick() gives up on it. The
  // default ends the connection's task, which unwinds whatever was being served. May be called
  // again and again.
  void OnGone(std::function<void()> handler) { on_gone_ = std::move(handler); }
  // The client closed it, in order.
  bool left() const { return io_->left(); }

  // While a request is served: what to do once nothing was answered for kSilence.
  static constexpr Duration kSilence = std::chrono::seconds(1);
  void OnSilence(std::function<void()> handler) { on_silence_ = std::move(handler); }

  // Once a second: time-outs and keep-alive comments.
  void Tick(TimePoint now);

  // Ends it at once. Calls behind it are cancelled.
  void Abort();
  // Aborts what the request being served awaits; who serves it may catch that and go on.
  void CancelServing() { task_.Interrupt(); }

  // Its place among all that there may be: given back when it is over, handed on when it moves.
  void Hold(Quota::Permit place) { place_ = std::move(place); }

  // It does not move any more.
  void Stay() { stays_ = true; }

  // Closes the socket; what is being served goes on, unheard.
  void HangUp() { io_->Close(); }

  // Ends it as soon as the request being served is answered; at once when there is none.
  void Drain();

  void SetTask(TaskHandle task) { task_ = std::move(task); }
  bool begun() const { return begun_; }  // what came before is being read, or was
  bool serving() const { return serving_; }
  bool streaming() const { return exchange_ != nullptr && exchange_->streaming(); }
  bool finished() const { return finished_; }

 private:
  enum class Read { kRequest, kClosed, kRefused };
  struct Ending;
  Task<void> Loop(std::shared_ptr<Connection> self);
  Task<bool> ServeOne();
  void Count(std::optional<unsigned> done_at);
  Task<Read> ReadRequest();
  bool IsWorthAsking() const;
  Task<bool> MayRead();
  Task<void> Refuse(int status, const Error& error);
  Task<void> TakeOffTheRest();
  void Gone();

  std::shared_ptr<ReadAhead> io_;
  http::RequestParser parser_;
  const ConnectionLimits& limits_;
  const Clock& clock_;
  const std::shared_ptr<const Hooks> hooks_;
  Quota::Permit place_;
  TaskHandle task_;
  std::function<void()> on_gone_, on_silence_;
  Exchange* exchange_ = nullptr;
  // Of the request's first byte, of the last answer, or of the last byte that the client took.
  TimePoint since_;
  std::uint64_t seen_sent_ = 0;      // of exchange_
  std::optional<unsigned> done_at_;  // the worker of the last requests
  unsigned hops_ = 0;                // how many in a row it was
  bool serving_ = false, draining_ = false, finished_ = false, was_writing_ = false;
  bool begun_ = false, stays_ = false;
  bool released_ = false;  // the parser's memory, while nothing comes
};

}  // namespace switchyard::edge
