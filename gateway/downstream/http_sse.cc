#include "downstream/http_sse.h"

#include <utility>

#include "downstream/transports.h"

namespace switchyard::downstream {

std::unique_ptr<Transport> transports::http_sse::Make(const config::Server& server,
                                                      const Deps& deps, const Surroundings&) {
  return std::make_unique<HttpSseTransport>(server, deps);
}

HttpSseTransport::HttpSseTransport(config::Server server, const Deps& deps, SseLimits limits)
    : server_(std::move(server)), deps_(deps), limits_(limits) {}

HttpSseTransport::~HttpSseTransport() {
  if (session_ != nullptr) session_->Abandon();
}

Task<Result<void>> HttpSseTransport::Start() {
  if (session_ != nullptr && session_->up()) co_return Result<void>();
  if (session_ != nullptr) session_->Abandon();
  // A session outlives us only after Abandon(), which drops its handlers.
  SseSession::Handlers handlers{.unsolicited =
                                    [this](mcp::Message message) {
                                      if (unsolicited_) unsolicited_(std::move(message));
                                    },
                                .down =
                                    [this](Error error) {
                                      if (on_down_) on_down_(std::move(error));
                                    }};
  const auto session = std::make_shared<SseSession>(server_, deps_, limits_, std::move(handlers));
  session_ = session;
  Result<void> opened = co_await session->Open();
  co_return opened;
}

std::unexpected<Error> HttpSseTransport::Down() const {
  return Failure(Error{.code = Code::kUnavailable,
                       .origin = Origin::kServer,
                       .retryable = true,
                       .message = "server " + server_.name + ": down"});
}

Task<Result<ReplyPtr>> HttpSseTransport::Request(Outgoing out) {
  if (session_ == nullptr) co_return Down();
  co_return session_->Request(out);
}

Task<Result<void>> HttpSseTransport::Notify(Outgoing out) {
  if (session_ == nullptr) co_return Down();
  Result<void> sent = co_await session_->Notify(out);
  co_return sent;
}

Task<void> HttpSseTransport::Close() {
  if (const std::shared_ptr<SseSession> session = std::exchange(session_, nullptr)) {
    co_await session->Close();
  }
}

}  // namespace switchyard::downstream
