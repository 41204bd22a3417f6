// The transport at a URL whose kind nobody configured: Streamable HTTP, until the probe finds that
// the server takes no POST there; then HTTP+SSE, if the same URL offers that (backwards
// compatibility in basic/transports since 2025-03-26). A server that stops offering it is spoken to
// by Streamable HTTP again. Lives on one worker's thread.
#pragma once

#include <memory>

#include "downstream/http.h"
#include "downstream/http_sse.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

class HttpEither final : public Transport {
 public:
  // `deps` outlives it.
  HttpEither(const config::Server& server, const Deps& deps);

  Task<Result<void>> Start() override;
  Task<Result<void>> FallBack() override;

  Task<Result<ReplyPtr>> Request(Outgoing out) override { return now_->Request(out); }
  Task<Result<void>> Notify(Outgoing out) override { return now_->Notify(out); }
  Task<Result<ReplyPtr>> OpenStream(Outgoing out) override { return now_->OpenStream(out); }
  Task<Result<void>> EndSession(Outgoing out) override { return now_->EndSession(out); }
  void OnUnsolicited(Unsolicited handler) override { older_.OnUnsolicited(std::move(handler)); }
  void OnDown(std::function<void(Error)> handler) override { older_.OnDown(std::move(handler)); }
  bool cancels_by_closing() const override { return now_->cancels_by_closing(); }
  std::size_t open_calls() const override { return now_->open_calls(); }
  Task<void> Close() override;

 private:
  HttpTransport newer_;
  HttpSseTransport older_;
  Transport* now_ = &newer_;
};

}  // namespace switchyard::downstream
