// The face of a legacy server: modern calls go out in the server's session, its answers come back
// in the modern form. protocol: specification 2025-11-25 and before, basic/lifecycle and
// transports.
#pragma once

#include <memory>
#include <string>

#include "downstream/dialogues.h"
#include "downstream/face.h"
#include "downstream/legacy_listen.h"
#include "downstream/task_adapter.h"

namespace switchyard::downstream {

class LegacyAdapter final : public Face {
 public:
  // `parks` null: nobody is asked anything. `declared`: what the server was told that clients
  // offer. `turns`: of the calls that it may ask something, as in Dialogues.
  LegacyAdapter(std::shared_ptr<Channel> channel, LinkPtr link,
                std::shared_ptr<Parks> parks = nullptr, Askable declared = {},
                std::shared_ptr<Turnstile> turns = nullptr);
  ~LegacyAdapter() override;

  Task<Outcome> Handle(Call& call) override;
  void Unsolicited(mcp::Message message) override;
  void Retire(const Error& why) override;
  std::size_t dialogues() const override { return dialogues_ ? dialogues_->size() : 0; }
  bool HoldsTasks() override { return tasks_ != nullptr && tasks_->HoldsAny(); }
  Task<void> Close() override;

 private:
  bool Passes(const Call& call, mcp::Message& message) override;
  Result<mcp::Message> Convert(const Call& call, mcp::Message response) override;
  // Closing a connection never means cancelling in this era.
  bool cancels_by_notification() const override { return true; }
  Task<bool> IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) override;

  std::string DiscoverResult() const;
  Task<Outcome> Converse(Call& call);
  Task<void> RaiseLogLevel(std::string level, Deadline deadline);

  const std::shared_ptr<LegacyListens> listens_;
  const std::shared_ptr<Dialogues> dialogues_;  // null: nobody is asked anything
  bool stream_tried_ = false;                   // the GET stream, for what the server asks there
  const std::shared_ptr<TaskAdapter> tasks_;    // null: the server has none
};

}  // namespace switchyard::downstream
