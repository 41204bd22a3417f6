#include "edge/connection.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "base/http/write.h"
#include "edge/http_sink.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

// A connection that is silent for this long gives its parser's memory back.
constexpr Duration kIdle = std::chrono::seconds(5);

}  // namespace

Connection::Connection(std::shared_ptr<ReadAhead> io, const ConnectionLimits& limits,
                       const Clock& clock, std::shared_ptr<const Hooks> hooks)
    : io_(std::move(io)),
      parser_(http::Limits{.header = limits.max_header, .body = limits.max_body}),
      limits_(limits),
      clock_(clock),
      hooks_(std::move(hooks)),
      since_(clock.Now()) {
  io_->OnGone([this] { Gone(); });
}

// However the task ends, also when it is unwound.
struct Connection::Ending {
  Connection& connection;
  ~Ending() {
    connection.finished_ = true;
    connection.io_->Close();
    connection.place_ = {};
  }
};

Task<void> Connection::Run() { return Loop(shared_from_this()); }

// Holds itself from before its first turn: it may be ended and let go of until then.
Task<void> Connection::Loop(std::shared_ptr<Connection> /*self*/) {
  const Ending ending{*this};
  if (finished_) co_return;
  begun_ = true;
  for (;;) {
    const Read read = co_await ReadRequest();
    if (read != Read::kRequest) co_return;
    const bool again = co_await ServeOne();
    if (!again) co_return;
    parser_.Reset();
    if (hops_ < kHopsToMove || stays_) continue;
    std::optional<Handover> handover = co_await io_->Release();
    if (!handover) co_return;
    handover->place = std::move(place_);
    hooks_->move(*done_at_, std::move(*handover));
    co_return;
  }
}

void Connection::Count(std::optional<unsigned> done_at) {
  hops_ = !done_at ? 0 : done_at == done_at_ ? hops_ + 1 : 1;
  done_at_ = done_at;
}

// True: the connection may go on.
Task<bool> Connection::ServeOne() {
  Exchange exchange(*io_, parser_, hooks_->refusals);
  struct Serving {
    Connection& connection;
    ~Serving() {
      connection.serving_ = false;
      connection.exchange_ = nullptr;
      connection.on_gone_ = nullptr;
      connection.on_silence_ = nullptr;
      connection.since_ = connection.clock_.Now();
    }
  };
  if (draining_) exchange.CloseAfter();
  exchange_ = &exchange;
  serving_ = true;
  seen_sent_ = 0;
  const Serving serving{*this};
  io_->Shrink();
  io_->Start();
  co_await hooks_->serve(exchange, *this);
  Count(exchange.done_at());
  co_return exchange.answered() && exchange.keep_alive() && !draining_;
}

Task<Connection::Read> Connection::ReadRequest() {
  bool continued = false, asked = false;
  while (!parser_.done()) {
    const bool arrived = co_await io_->WaitForBytes();
    if (!arrived) co_return Read::kClosed;
    if (!parser_.started()) since_ = clock_.Now();
    released_ = false;
    const Result<std::size_t> used = parser_.Put(io_->unread());
    if (!used) {
      const bool header = !parser_.header_done();
      const bool large = used.error().code == Code::kTooLarge;
      co_await Refuse(!large ? 400 : header ? 431 : 413, used.error());
      co_return Read::kRefused;
    }
    io_->Consume(*used);
    if (parser_.done()) break;
    if (!parser_.header_done()) continue;
    if (parser_.content_length().value_or(0) > limits_.max_body) {
      co_await Refuse(
          413, Error{.code = Code::kTooLarge,
                     .origin = Origin::kClient,
                     .message = "request body of " + std::to_string(*parser_.content_length()) +
                                " bytes is over the limit of " + std::to_string(limits_.max_body)});
      co_return Read::kRefused;
    }
    if (!std::exchange(asked, true) && IsWorthAsking()) {
      const bool may = co_await MayRead();
      if (!may) co_return Read::kRefused;
    }
    if (parser_.expects_continue() && parser_.version() >= 11 && !std::exchange(continued, true)) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      http::Gather out(std::span(&kContinue, 1));
      const boost::system::error_code error = co_await io_->Send(out);
      if (error) co_return Read::kClosed;
    }
    io_->Grow();
  }
  co_return Read::kRequest;
}

// A short body that is on its way costs no more than the head did.
bool Connection::IsWorthAsking() const {
  if (hooks_->before_body == nullptr) return false;
  const auto length = parser_.content_length();
  return !length || *length > kShortBody || parser_.expects_continue();
}

// False: it was answered, unread.
Task<bool> Connection::MayRead() {
  Exchange exchange(*io_, parser_, hooks_->refusals);
  exchange.CloseAfter();
  co_await hooks_->before_body(exchange);
  if (!exchange.answered()) co_return true;
  co_await TakeOffTheRest();
  co_return false;
}

// The request could not be read to its end, so the connection cannot go on.
Task<void> Connection::Refuse(int status, const Error& error) {
  Exchange exchange(*io_, parser_, hooks_->refusals);
  exchange.CloseAfter();
  Error shown = error;
  if (shown.rpc_code == 0) shown.rpc_code = mcp::kInvalidRequest;
  co_await RespondError(exchange, status, "", shown);
  co_await TakeOffTheRest();
}

Task<void> Connection::TakeOffTheRest() {
  // What the client is still sending is taken off the socket for a moment: closing on unread bytes
  // would reset the connection and take the answer along.
  io_->EndOutput();
  since_ = clock_.Now();
  for (std::size_t drained = 0; drained < limits_.max_body + (1 << 20);) {
    const bool more = co_await io_->WaitForBytes();
    if (!more) break;
    drained += io_->unread().size();
    io_->Consume(io_->unread().size());
  }
}

void Connection::Gone() {
  if (!serving_) return;
  if (on_gone_) {
    const std::function<void()> handler = on_gone_;  // may replace itself
    handler();
  } else {
    Abort();
  }
}

void Connection::Abort() {
  const std::shared_ptr<Connection> self = shared_from_this();
  io_->Close();
  task_.Cancel();
  place_ = {};
  finished_ = true;
}

void Connection::Drain() {
  draining_ = true;
  if (!serving_) return Abort();
  if (exchange_ != nullptr) exchange_->CloseAfter();
}

void Connection::Tick(TimePoint now) {
  if (finished_) return;
  if (!serving_) {
    const bool begun = parser_.started() || io_->opening();
    const Duration limit = begun ? limits_.request_timeout : limits_.idle_timeout;
    if (now - since_ > limit) return Abort();
    if (released_ || parser_.started() || now - since_ < kIdle) return;
    parser_.Release();
    released_ = true;
    return;
  }
  if (exchange_ == nullptr) return;
  if (exchange_->MustEnd()) return CancelServing();
  const bool writing = exchange_->writing();
  const bool progress = std::exchange(seen_sent_, exchange_->sent()) != exchange_->sent();
  if (progress || std::exchange(was_writing_, writing) != writing) since_ = now;
  if (writing && now - since_ > limits_.write_timeout) {
    spdlog::debug("client does not read: connection closed");
    return Abort();
  }
  if (on_silence_ && !exchange_->answered() && now - since_ >= kSilence) {
    std::exchange(on_silence_, nullptr)();
  }
  if (!exchange_->streaming() || now - since_ < limits_.keep_alive) return;
  exchange_->KeepAlive();
  if (exchange_->failed()) Gone();
}

}  // namespace switchyard::edge
