#include "approvals/desk.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "approvals/words.h"
#include "base/token.h"
#include "telemetry/histogram.h"
#include "telemetry/metrics.h"

namespace switchyard::approvals {
namespace {

constexpr std::size_t kLongestReason = 500;

WallTime Later(WallTime now, Duration by) {
  return now + std::chrono::duration_cast<WallTime::duration>(by);
}

}  // namespace

Desk::Desk(const Clock& clock, telemetry::Metrics& metrics, audit::Sink* audit)
    : clock_(clock),
      metrics_(metrics),
      audit_(audit),
      pending_(metrics.GaugeOf("switchyard_approvals_pending", {})),
      oldest_(metrics.GaugeOf("switchyard_approval_oldest_seconds", {})),
      waited_(metrics.HistogramOf("switchyard_approval_wait_seconds")) {}

Desk::~Desk() { Close(); }

void Desk::SetLimits(Limits limits) {
  const Lock lock(mutex_);
  limits_ = limits;
}

Result<void> Desk::Open(std::unique_ptr<Journal> journal) {
  const Lock lock(mutex_);
  Result<void> loaded = journal->Load([this](Approval approval) {
    by_call_[approval.request.CallKey()] = approval.id;
    approvals_[approval.id] = std::move(approval);
  });
  if (!loaded) return loaded;
  journal_ = std::move(journal);
  Expire(clock_.WallNow());
  Tally();
  return {};
}

void Desk::Close() {
  const Lock lock(mutex_);
  journal_.reset();
}

Answer Desk::Present(const Request& request, Duration keep, std::string_view claimed) {
  const Lock lock(mutex_);
  Expire(clock_.WallNow());
  const Map::iterator found = FindFor(request);
  // A call that names an approval means that one and no other.
  if (!claimed.empty() && (found == approvals_.end() || found->first != claimed)) {
    return ByClaim(request, claimed);
  }
  return found != approvals_.end() ? Found(found, request) : Add(request, keep);
}

Answer Desk::Look(const Request& request, std::string_view id, const Waiting* waiting) {
  const Lock lock(mutex_);
  Expire(clock_.WallNow());
  const Map::iterator found = approvals_.find(id);
  if (found == approvals_.end()) return Gone(request, id);
  return Found(found, request, waiting == nullptr || !(waiting->stale_ || over_));
}

Answer Desk::Answered(const Request& request, std::string_view id, bool approve, std::string by) {
  const Lock lock(mutex_);
  Expire(clock_.WallNow());
  const Map::iterator found = approvals_.find(id);
  if (found == approvals_.end()) return Gone(request, id);
  Approval& approval = found->second;
  if (approval.request.CallerKey() != request.CallerKey()) return Gone(request, id);
  if (approval.request.CallKey() != request.CallKey()) return Void(found, Why::kArguments);
  if (approval.request.definition != request.definition) return Void(found, Why::kDefinition);
  if (approval.request.policy != request.policy) return Void(found, Why::kRule);
  // A denial stands whoever gave it, and whoever has approved it before.
  if (approval.state != State::kDenied && (!approve || approval.state == State::kPending)) {
    if (const Result<void> settled = Settle(approval, approve, std::move(by), ""); !settled) {
      return {
          .verdict = Verdict::kFailed, .approval = approval, .problem = settled.error().message};
    }
  }
  return Found(found, request);
}

Answer Desk::Found(Map::iterator found, const Request& request, bool uses) {
  const Approval& approval = found->second;
  if (approval.request.CallKey() != request.CallKey()) return Gone(request, approval.id);
  if (approval.request.definition != request.definition) return Void(found, Why::kDefinition);
  if (approval.request.policy != request.policy) return Void(found, Why::kRule);
  switch (approval.state) {
    case State::kPending: return {.verdict = Verdict::kPending, .approval = approval};
    case State::kDenied: return {.verdict = Verdict::kDenied, .approval = approval};
    case State::kApproved: break;
  }
  if (!uses) return {.verdict = Verdict::kPending, .approval = approval};
  return UseIt(found);
}

Answer Desk::UseIt(Map::iterator found) {
  Approval approval = found->second;
  if (journal_ != nullptr) {
    if (const Result<void> used = journal_->Use(approval.id); !used) {
      spdlog::error("approvals: {}", used.error().message);
      return {.verdict = Verdict::kFailed,
              .approval = std::move(approval),
              .problem = used.error().message};
    }
  }
  Remove(found, Why::kUsed);
  Count("used");
  return {.verdict = Verdict::kRun, .approval = std::move(approval)};
}

Answer Desk::Void(Map::iterator found, Why why) {
  Approval approval = found->second;
  // Whoever was told no cannot be rid of that by asking for something else under its name.
  if (why == Why::kArguments && approval.state == State::kDenied) {
    return {.verdict = Verdict::kVoid, .approval = std::move(approval), .why = why};
  }
  if (journal_ != nullptr) {
    if (const Result<void> erased = journal_->Erase(approval.id); !erased) {
      return {.verdict = Verdict::kFailed,
              .approval = std::move(approval),
              .problem = erased.error().message};
    }
  }
  Remove(found, why);
  Count(why == Why::kExpired ? "expired" : "voided");
  Note(approval, why == Why::kExpired ? "expired" : "voided", "gateway", WordsOf(why));
  return {.verdict = Verdict::kVoid, .approval = std::move(approval), .why = why};
}

Answer Desk::ByClaim(const Request& request, std::string_view claimed) {
  const Map::iterator found = approvals_.find(claimed);
  if (found == approvals_.end() || found->second.request.CallerKey() != request.CallerKey()) {
    return Gone(request, claimed);
  }
  return Void(found, Why::kArguments);
}

// Only to whom it belonged: to all others an id is as good as any.
Answer Desk::Gone(const Request& request, std::string_view id) const {
  Answer answer{.verdict = Verdict::kVoid, .why = Why::kUnknown};
  answer.approval.id = Readable(id, 40);
  answer.approval.request = request;
  const auto ended = ended_.find(id);
  if (ended != ended_.end() && ended->second.caller == request.CallerKey()) {
    answer.why = ended->second.why;
  }
  return answer;
}

Answer Desk::Add(const Request& request, Duration keep) {
  const std::string caller = request.CallerKey();
  std::size_t pending = 0, own = 0;
  for (const auto& [id, one] : approvals_) {
    if (one.state != State::kPending) continue;
    ++pending;
    if (one.request.CallerKey() == caller) ++own;
  }
  if (pending >= limits_.pending || own >= limits_.per_caller) {
    Count("refused");
    return {.verdict = Verdict::kFull,
            .problem = pending >= limits_.pending
                           ? fmt::format("{} calls wait for approval already", pending)
                           : fmt::format("{} calls of yours wait for approval already", own)};
  }
  const WallTime now = clock_.WallNow();
  Approval made{
      .id = RandomToken(), .request = request, .created = now, .expires = Later(now, keep)};
  if (journal_ != nullptr) {
    if (const Result<void> kept = journal_->Put(made); !kept) {
      spdlog::error("approvals: {}", kept.error().message);
      return {.verdict = Verdict::kFailed, .problem = kept.error().message};
    }
  }
  by_call_[request.CallKey()] = made.id;
  approvals_[made.id] = made;
  Tally();
  return {.verdict = Verdict::kPending, .approval = std::move(made)};
}

Result<void> Desk::Settle(Approval& approval, bool approve, std::string by, std::string reason) {
  Approval settled = approval;
  settled.state = approve ? State::kApproved : State::kDenied;
  settled.decided = clock_.WallNow();
  settled.by = std::move(by);
  settled.reason = std::move(reason);
  if (journal_ != nullptr) {
    if (Result<void> kept = journal_->Put(settled); !kept) return kept;
  }
  if (approval.state == State::kPending) {
    waited_.Observe(std::max<Duration>(settled.decided - settled.created, Duration::zero()));
  }
  approval = std::move(settled);
  Count(approve ? "approved" : "denied");
  Note(approval, approve ? "approved" : "denied", approval.by, approval.reason);
  Wake(approval.id);
  ForgetDenials(approval.id);
  Tally();
  return {};
}

std::vector<Desk::Shown> Desk::List() {
  const Lock lock(mutex_);
  Expire(clock_.WallNow());
  std::vector<Shown> all;
  all.reserve(approvals_.size());
  for (const auto& [id, approval] : approvals_) all.push_back(ShownOf(approval));
  std::ranges::sort(all, {}, [](const Shown& shown) {
    return std::pair(shown.approval.created, std::string_view(shown.approval.id));
  });
  return all;
}

Result<Desk::Shown> Desk::Decide(std::string_view id, bool approve, std::string by,
                                 std::string reason) {
  const Lock lock(mutex_);
  Expire(clock_.WallNow());
  const Map::iterator found = approvals_.find(id);
  if (found == approvals_.end()) {
    const auto ended = ended_.find(id);
    return Failure(Code::kNotFound, Origin::kClient,
                   ended == ended_.end()
                       ? fmt::format("no approval {} is waiting", Readable(id, 40))
                       : fmt::format("approval {} is gone: {}", id, WordsOf(ended->second.why)));
  }
  Approval& approval = found->second;
  if (!approval.request.by_operator) {
    return Failure(Code::kForbidden, Origin::kClient,
                   fmt::format("approval {} is for the user of its client to decide", id));
  }
  if (approval.state != State::kPending) {
    return Failure(Code::kInvalid, Origin::kClient,
                   fmt::format("approval {} was {} at {} by {} already", id,
                               ToString(approval.state), TimeText(approval.decided), approval.by));
  }
  const Result<void> settled =
      Settle(approval, approve, std::move(by), Readable(reason, kLongestReason));
  if (!settled) return Failure(settled.error());
  return ShownOf(approval);
}

Desk::Map::iterator Desk::FindFor(const Request& request) {
  const auto id = by_call_.find(request.CallKey());
  return id == by_call_.end() ? approvals_.end() : approvals_.find(id->second);
}

Desk::Shown Desk::ShownOf(const Approval& approval) const {
  return {.approval = approval, .waiting = waiting_.count(approval.id)};
}

}  // namespace switchyard::approvals
