// The face of a legacy server: modern calls go out in the server's session, its answers come back
// in the modern form. protocol: specification 2025-11-25 and before, basic/lifecycle and
// transports.
#pragma once

#include <memory>
#include <string>

#include "downstream/face.h"
#include "downstream/legacy_listen.h"

namespace switchyard::downstream {

class LegacyAdapter final : public Face {
 public:
  LegacyAdapter(std::shared_ptr<Channel> channel, LinkPtr link);

  Task<Outcome> Handle(Call& call) override;
  void Unsolicited(mcp::Message message) override;
  void Retire(const Error& why) override { listens_->Retire(why); }
  Task<void> Close() override;

 private:
  bool Passes(const Call& call, mcp::Message& message) override;
  Result<mcp::Message> Convert(const Call& call, mcp::Message response) override;
  // Closing a connection never means cancelling in this era.
  bool cancels_by_notification() const override { return true; }
  Task<bool> IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) override;

  std::string DiscoverResult() const;
  Task<void> RaiseLogLevel(std::string level, Deadline deadline);

  const std::shared_ptr<LegacyListens> listens_;
};

}  // namespace switchyard::downstream
