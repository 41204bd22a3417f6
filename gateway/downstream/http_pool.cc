#include "downstream/http_pool.h"

#include <charconv>
#include <utility>

namespace switchyard::downstream {
namespace {

constexpr std::chrono::seconds kEndPatience{1};
constexpr std::size_t kMaxEnding = 64;
constexpr std::size_t kMaxRest = 4096;  // bytes a read that nobody wants

// The lines that every request ends its header with.
class Framing {
 public:
  explicit Framing(std::size_t length) {
    constexpr std::string_view kName = "Content-Length: ";
    char* at = std::copy(kName.begin(), kName.end(), text_);
    at = std::to_chars(at, std::end(text_) - 4, length).ptr;
    constexpr std::string_view kEnd = "\r\n\r\n";
    size_ = static_cast<std::size_t>(std::copy(kEnd.begin(), kEnd.end(), at) - text_);
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[48];
  std::size_t size_;
};

}  // namespace

HttpPool::HttpPool(const Deps& deps, http::Url url, http::TlsTrust trust)
    : deps_(deps), url_(std::move(url)), trust_(std::move(trust)) {}

Result<void> HttpPool::Prepare() {
  if (!url_.tls || tls_ != nullptr) return {};
  Result<std::unique_ptr<http::TlsClient>> made = http::TlsClient::Make(trust_);
  if (!made) return std::unexpected(std::move(made.error()));
  tls_ = std::move(*made);
  return {};
}

Task<Result<http::ConnectionPtr>> HttpPool::Open(Deadline deadline) {
  if (Result<void> prepared = Prepare(); !prepared) co_return Failure(std::move(prepared.error()));
  auto connection = std::make_unique<http::Connection>(deps_.executor(), deps_.timers);
  connection->SetDeadline(deadline);
  Result<void> connected = co_await connection->Connect(url_, tls_.get());
  if (!connected) co_return Failure(std::move(connected.error()));
  co_return std::move(connection);
}

Task<Result<http::ConnectionPtr>> HttpPool::Send(HttpRequest request) {
  if (closed_) {
    co_return Failure(Error{.code = Code::kUnavailable,
                            .origin = Origin::kGateway,
                            .retryable = true,
                            .message = "not connected"});
  }
  const Framing framing(request.body == nullptr ? 0 : mcp::TotalSize(*request.body));
  mcp::Pieces pieces;
  pieces.push_back(request.head);
  pieces.push_back(request.headers);
  pieces.push_back(request.body == nullptr ? std::string_view("\r\n") : framing.view());
  if (request.body != nullptr) {
    pieces.insert(pieces.end(), request.body->begin(), request.body->end());
  }

  http::ConnectionPtr connection = TakeIdle();
  bool reused = connection != nullptr;
  if (reused) connection->SetDeadline(request.deadline);
  for (;;) {
    if (connection == nullptr) {
      Result<http::ConnectionPtr> opened = co_await Open(request.deadline);
      if (!opened) co_return opened;
      connection = std::move(*opened);
    }
    http::Gather out({pieces.data(), pieces.size()});
    boost::system::error_code error = connection->SendNow(out);
    if (!error && !out.done()) error = co_await connection->SendRest(out);
    if (error == net::error::operation_aborted) co_return Failure(connection->Explain(error));
    bool again = error && reused && out.written() == 0;
    // After a failed write there may still be an answer: a refusal sent before all was read.
    while (!again && !connection->parser().header_done()) {
      const std::size_t arrived = co_await connection->Arrival();
      Result<bool> received = connection->Receive(arrived);
      if (received) continue;
      const bool silent =
          received.error().code == Code::kUnavailable && !connection->parser().started();
      again = silent && reused && (request.repeatable || connection->NeverReceived(out.written()));
      if (!again) co_return Failure(std::move(received.error()));
    }
    if (!again) co_return std::move(connection);
    connection.reset();
    reused = false;
  }
}

http::ConnectionPtr HttpPool::TakeIdle() {
  if (idle_.empty()) return nullptr;
  const TimePoint now = deps_.clock.Now();
  while (!idle_.empty()) {
    Idle idle = std::move(idle_.back());
    idle_.pop_back();
    if (now - idle.since > kMaxIdleTime) continue;
    // Always: what a server says unasked would pass for the answer to the next request.
    if (idle.connection->LooksAlive()) return std::move(idle.connection);
  }
  return nullptr;
}

void HttpPool::GiveBack(http::ConnectionPtr connection) {
  if (closed_) return;
  if (!connection->parser().done()) {
    const Result<bool> received = connection->Receive(0);
    if (!received) return;
    static_cast<void>(connection->parser().TakeBody());
    if (!connection->parser().done()) {
      if (!connection->parser().keep_alive() || ending_ >= kMaxEnding) return;
      Spawn(deps_.executor(), "http end of answer",
            AwaitEnd(shared_from_this(), std::move(connection)));
      return;
    }
  }
  if (!connection->reusable() || idle_.size() >= kMaxIdle) return;
  connection->Rest();
  idle_.push_back({std::move(connection), deps_.clock.Now()});
  if (!expiry_.armed()) {
    expiry_ = deps_.timers.In(kMaxIdleTime, [this] { Expire(); });
  }
}

// The server said all that matters; it only has to end its message for the connection to be of use.
Task<void> HttpPool::AwaitEnd(std::shared_ptr<HttpPool> pool, http::ConnectionPtr connection) {
  struct Count {
    explicit Count(std::size_t& n) : count(n) { ++count; }
    ~Count() { --count; }
    std::size_t& count;
  } counted(pool->ending_);
  connection->SetDeadline(Deadline::In(pool->deps_.clock, kEndPatience));
  while (!connection->parser().done()) {
    const std::size_t arrived = co_await connection->Arrival();
    const Result<bool> received = connection->Receive(arrived);
    if (!received || connection->parser().TakeBody().size() > kMaxRest) co_return;
  }
  pool->GiveBack(std::move(connection));
}

void HttpPool::Expire() {
  const TimePoint now = deps_.clock.Now();
  std::size_t old = 0;
  while (old < idle_.size() && now - idle_[old].since >= kMaxIdleTime) ++old;
  idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(old));
  if (idle_.empty()) return;
  expiry_ = deps_.timers.At(idle_.front().since + kMaxIdleTime, [this] { Expire(); });
}

void HttpPool::Close() {
  closed_ = true;
  idle_.clear();
  expiry_.Cancel();
}

}  // namespace switchyard::downstream
