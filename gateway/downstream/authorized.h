// A transport whose requests go out with what its server is to be shown (credentials/source.h):
// each in the name of the caller whose call it is. Around a Streamable HTTP transport.
//
// A request that is refused (401, 403) did not run; it is sent once more if there is something else
// to show. What a server says of authorisation goes no further: it is not the client's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/deps.h"
#include "credentials/source.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

// What a request in the name of `caller` goes out with, or the gateway's own one (`own`); after a
// refusal something else. On the worker of `deps`; the source is asked on its home.
Task<Result<credentials::GrantPtr>> GrantOf(credentials::SourcePtr source, Caller caller, bool own,
                                            credentials::Refusal refused, const Deps& deps,
                                            Deadline deadline);

class Authorized final : public Transport {
 public:
  // `bound`: whose session this is, where it is somebody's alone; else each request says it.
  // `deps` outlives it.
  Authorized(std::unique_ptr<Transport> inner, credentials::SourcePtr source, const Deps& deps,
             std::optional<Caller> bound);

  Task<Result<void>> Start() override { return inner_->Start(); }
  Task<Result<ReplyPtr>> Request(Outgoing out) override;
  Task<Result<void>> Notify(Outgoing out) override;
  Task<Result<ReplyPtr>> OpenStream(Outgoing out) override;
  Task<Result<void>> EndSession(Outgoing out) override;
  void OnUnsolicited(Unsolicited handler) override { inner_->OnUnsolicited(std::move(handler)); }
  std::size_t open_calls() const override { return inner_->open_calls(); }
  void OnDown(std::function<void(Error)> handler) override { inner_->OnDown(std::move(handler)); }
  bool cancels_by_closing() const override { return inner_->cancels_by_closing(); }
  Task<void> Close() override { return inner_->Close(); }

 private:
  const Caller* CallerOf(const Outgoing& out);
  template <class T>
  Task<Result<T>> Send(Outgoing out, Task<Result<T>> (Transport::*send)(Outgoing));

  const std::unique_ptr<Transport> inner_;
  const credentials::SourcePtr source_;
  const Deps deps_;
  std::optional<Caller> bound_;  // by who used it last: a caller may show another token each time
};

}  // namespace switchyard::downstream
