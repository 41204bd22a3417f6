// Transport of 2024-11-05, HTTP+SSE (basic/transports of that revision): one stream for everything
// the server says, a POST for everything said to it. Restartable: Start() makes a new session after
// the old one went down. Deprecated by every later revision; for servers that speak nothing else.
// Lives on one worker's thread.
#pragma once

#include <memory>

#include "config/config.h"
#include "core/deps.h"
#include "downstream/sse_session.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

class HttpSseTransport final : public Transport {
 public:
  // `deps` outlives it.
  HttpSseTransport(config::Server server, const Deps& deps, SseLimits limits = {});
  ~HttpSseTransport() override;  // without a Close() before: the stream is cut

  Task<Result<void>> Start() override;
  Task<Result<ReplyPtr>> Request(Outgoing out) override;
  Task<Result<void>> Notify(Outgoing out) override;
  void OnUnsolicited(Unsolicited handler) override { unsolicited_ = std::move(handler); }
  void OnDown(std::function<void(Error)> handler) override { on_down_ = std::move(handler); }
  bool cancels_by_closing() const override { return false; }
  std::size_t open_calls() const override {
    return session_ == nullptr ? 0 : session_->open_calls();
  }
  Task<void> Close() override;

 private:
  std::unexpected<Error> Down() const;

  const config::Server server_;
  const Deps deps_;
  const SseLimits limits_;
  Unsolicited unsolicited_;
  std::function<void(Error)> on_down_;
  std::shared_ptr<SseSession> session_;  // null = never started or closed
};

}  // namespace switchyard::downstream
