// What becomes of a call that a person has to approve: it is held, and goes on at most once. For
// policies/approval.cc alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "approvals/desk.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "base/seal.h"
#include "base/timers.h"
#include "core/call.h"
#include "core/service.h"

namespace switchyard::policies::approval {

// Of the process; all of it outlives the calls.
struct Tools {
  approvals::Desk& desk;
  const Clock& clock;
  const Sealer* sealer = nullptr;  // null: no client is asked anything
};

// For the record of the call.
void Note(Call& call, const approvals::Answer& answer);

// What a call that did not run gets.
Result<ReplyPtr> ReplyOf(const Call& call, const approvals::Answer& answer,
                         std::string_view note = {});

// Hands on a call that was approved. A server that asks something in the middle of it gets its
// answer without another approval: its state goes to the client within ours, good for one retry.
// `key`: GoesOnKey().
Task<Result<ReplyPtr>> Run(Call& call, Service& next, Tools tools, std::string key,
                           std::optional<double> progress = {});

// A call that waits for `hold` at most, and tells its client so now and then. Dropping it leaves
// what it waits for where it is: the same call may come again.
class Held final : public Reply {
 public:
  // As a progress that no server's is below.
  static constexpr Duration kBeat = std::chrono::seconds(5);

  // `next` and the call outlive this.
  Held(Call& call, Service& next, Tools tools, approvals::Request request,
       const approvals::Approval& approval, Duration hold, const Executor& executor);

  Task<Result<std::optional<mcp::Message>>> Next() override;

 private:
  using Step = Result<std::optional<mcp::Message>>;
  using Bell = Mailbox<char>;

  Task<Step> GoOn();
  Step Tell(const approvals::Answer& answer, std::string_view note);
  mcp::Message Beat();

  Call& call_;
  Service& next_;
  const Tools tools_;
  const approvals::Request request_;
  const std::string id_;
  const TimePoint until_;
  const Executor executor_;
  const std::shared_ptr<Bell> bell_;  // shared: what was posted may come late
  approvals::Desk::Waiting waiting_;
  TimePoint beat_;
  int beats_ = 0;
  ReplyPtr inner_;  // once it runs
};

}  // namespace switchyard::policies::approval
