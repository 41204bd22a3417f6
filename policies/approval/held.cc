#include "policies/approval/held.h"

#include <algorithm>
#include <charconv>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "approvals/words.h"
#include "base/worker_timers.h"
#include "core/notes.h"
#include "mcp/json_string.h"
#include "policies/approval/call.h"

namespace switchyard::policies::approval {
namespace {

using approvals::Answer;
using approvals::Verdict;
using Step = Result<std::optional<mcp::Message>>;

constexpr double kStep = 1e-6;  // servers count from 0 or 1

std::optional<double> ProgressOf(const mcp::Message& message) {
  if (message.method() != mcp::Method::kProgress || message.is_response()) return std::nullopt;
  const std::string_view raw = message.Get(mcp::Key::kProgress);
  double value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

// A question of the server's goes to the client with a state of ours.
Result<mcp::Message> Passed(const Tools& tools, const std::string& key, mcp::Message message) {
  const bool asks = message.kind() == mcp::Kind::kResult &&
                    message.Get(mcp::Key::kResultType) == R"("input_required")";
  if (!asks || tools.sealer == nullptr) return message;
  const std::string inner(message.Get(mcp::Key::kRequestState));
  return WithState(std::move(message), Seal(*tools.sealer, {.kind = OwnState::Kind::kGoesOn,
                                                            .text = tools.desk.MakeTicket(),
                                                            .call_key = key,
                                                            .inner = inner}));
}

class GoingOn final : public Reply {
 public:
  GoingOn(ReplyPtr inner, Tools tools, std::string key, std::optional<double> progress)
      : inner_(std::move(inner)), tools_(tools), key_(std::move(key)), progress_(progress) {}

  Task<Step> Next() override {
    for (;;) {
      Step next = co_await inner_->Next();
      if (!next || !*next) co_return next;
      if (const std::optional<double> value = ProgressOf(**next); value && progress_) {
        if (*value <= *progress_) continue;  // the client's must rise
        progress_ = value;
      }
      Result<mcp::Message> passed = Passed(tools_, key_, std::move(**next));
      if (!passed) co_return Failure(std::move(passed.error()));
      co_return std::move(*passed);
    }
  }

 private:
  ReplyPtr inner_;
  const Tools tools_;
  const std::string key_;
  std::optional<double> progress_;  // what the client saw last
};

}  // namespace

void Note(Call& call, const Answer& answer) {
  if (call.notes == nullptr) return;
  CallNotes& notes = *call.notes;
  notes.decided_by = "approval";
  notes.decision = approvals::StatusOf(answer.verdict);
  notes.rule = answer.approval.request.rule;
  notes.approval = answer.approval.id;
  notes.approver = answer.approval.by;
}

Result<ReplyPtr> ReplyOf(const Call& call, const Answer& answer, std::string_view note) {
  if (answer.verdict == Verdict::kDenied) return Failure(approvals::Denied(answer.approval));
  return ReplyWith(approvals::ToldOf(call.message.id(), answer, note));
}

Task<Result<ReplyPtr>> Run(Call& call, Service& next, Tools tools, std::string key,
                           std::optional<double> progress) {
  call.once = true;
  Result<ReplyPtr> reply = co_await next.Handle(call);
  if (!reply) co_return reply;
  if (mcp::Message* whole = (*reply)->Whole()) {
    Result<mcp::Message> passed = Passed(tools, key, std::move(*whole));
    if (!passed) co_return Failure(std::move(passed.error()));
    co_return ReplyWith(std::move(*passed));
  }
  ReplyPtr going_on = std::make_unique<GoingOn>(std::move(*reply), tools, std::move(key), progress);
  co_return going_on;
}

Held::Held(Call& call, Service& next, Tools tools, approvals::Request request,
           const approvals::Approval& approval, Duration hold, const Executor& executor)
    : call_(call),
      next_(next),
      tools_(tools),
      request_(std::move(request)),
      id_(approval.id),
      until_(tools.clock.Now() + hold),
      executor_(executor),
      bell_(std::make_shared<Bell>()),
      waiting_(tools.desk, approval.id, std::string(call.target.server),
               [bell = bell_, executor] { net::post(executor, [bell] { bell->Put(0); }); }),
      beat_(tools.clock.Now()) {}

Task<Step> Held::Next() {
  if (inner_ != nullptr) co_return co_await inner_->Next();
  const bool tells = !call_.progress_token.empty();
  for (;;) {
    const Answer answer = tools_.desk.Look(request_, id_, &waiting_);
    if (answer.verdict != Verdict::kPending) {
      Note(call_, answer);
      if (answer.verdict == Verdict::kRun) co_return co_await GoOn();
      co_return Tell(answer, "");
    }
    const TimePoint now = tools_.clock.Now();
    if (waiting_.over()) co_return Tell(answer, "The gateway is being stopped.");
    if (waiting_.stale()) {
      co_return Tell(answer,
                     "The tools of the server or the gateway's configuration "
                     "have changed meanwhile.");
    }
    if (now >= until_) co_return Tell(answer, "");
    if (tells && now >= beat_) {
      beat_ = now + kBeat;
      co_return Beat();
    }
    const Timers::Handle timer =
        TimersOf(executor_, tools_.clock)
            .At(tells ? std::min(until_, beat_) : until_, [bell = bell_] { bell->Put(0); });
    co_await bell_->Take();
  }
}

Task<Step> Held::GoOn() {
  std::optional<double> shown;
  if (beats_ > 0) shown = beats_ * kStep;
  Result<ReplyPtr> reply = co_await Run(call_, next_, tools_, GoesOnKey(request_), shown);
  if (!reply) co_return Failure(std::move(reply.error()));
  if (mcp::Message* whole = (*reply)->Whole()) co_return std::move(*whole);
  inner_ = std::move(*reply);
  co_return co_await inner_->Next();
}

Step Held::Tell(const Answer& answer, std::string_view note) {
  if (answer.verdict == Verdict::kDenied) return Failure(approvals::Denied(answer.approval));
  return approvals::ToldOf(call_.message.id(), answer, note);
}

mcp::Message Held::Beat() {
  ++beats_;
  return mcp::Message::Make(
      "", "notifications/progress",
      fmt::format(R"({{"progressToken":0,"progress":{:.6f},"message":{}}})", beats_ * kStep,
                  mcp::Quote("waiting for a person to approve the call: approval " + id_)));
}

}  // namespace switchyard::policies::approval
