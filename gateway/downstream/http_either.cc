#include "downstream/http_either.h"

#include <utility>

#include "downstream/transports.h"

namespace switchyard::downstream {

std::unique_ptr<Transport> transports::http::Make(const config::Server& server, const Deps& deps,
                                                  const Surroundings&) {
  if (server.transport == config::HttpKind::kStreamable) {
    return std::make_unique<HttpTransport>(server, deps);
  }
  return std::make_unique<HttpEither>(server, deps);
}

HttpEither::HttpEither(const config::Server& server, const Deps& deps)
    : newer_(server, deps), older_(server, deps) {}

Task<Result<void>> HttpEither::Start() {
  if (now_ == &older_) {
    Result<void> started = co_await older_.Start();
    // Down says nothing about what it will be when it is up again. A stream that names no endpoint
    // in time may be one of Streamable HTTP, which says nothing until there is something to say.
    const bool refused = !started && (started.error().code == Code::kProtocol ||
                                      started.error().code == Code::kNotFound ||
                                      started.error().code == Code::kDeadline);
    if (!refused) co_return started;
    now_ = &newer_;
  }
  Result<void> started = co_await newer_.Start();
  co_return started;
}

Task<Result<void>> HttpEither::FallBack() {
  if (now_ == &newer_) {
    Result<void> started = co_await older_.Start();
    if (!started) {
      co_await older_.Close();
      co_return started;
    }
    now_ = &older_;
  }
  co_return Result<void>();
}

Task<void> HttpEither::Close() {
  co_await older_.Close();
  co_await newer_.Close();
}

}  // namespace switchyard::downstream
