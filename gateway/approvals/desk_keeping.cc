// What the desk does beside decisions: rules that come and go, what expires, who is told.
#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "approvals/desk.h"
#include "approvals/words.h"
#include "audit/event.h"
#include "base/token.h"
#include "telemetry/gauge.h"
#include "telemetry/metrics.h"

namespace switchyard::approvals {
namespace {

constexpr std::size_t kMostEnded = 1024;    // that are remembered to say why they are gone
constexpr std::size_t kMostTickets = 4096;  // the oldest go first
constexpr Duration kTicketFor = std::chrono::hours(1);

}  // namespace

void Desk::BeginRules() {
  const Lock lock(mutex_);
  reading_rules_ = true;
  read_rules_.clear();
}

void Desk::Knows(const std::string& policy) {
  const Lock lock(mutex_);
  rules_.insert(policy);
  if (reading_rules_) read_rules_.insert(policy);
}

void Desk::EndRules() {
  const Lock lock(mutex_);
  reading_rules_ = false;
  rules_ = std::exchange(read_rules_, {});
  std::vector<std::string> gone;
  for (const auto& [id, approval] : approvals_) {
    if (!rules_.contains(approval.request.policy)) gone.push_back(id);
  }
  for (const std::string& id : gone) {
    const Answer answer = Void(approvals_.find(id), Why::kRule);
    if (answer.verdict == Verdict::kFailed) spdlog::error("approvals: {}", answer.problem);
  }
  if (!rules_.empty() && journal_ == nullptr) {
    spdlog::info(
        "approvals: kept in memory alone, so what waits is forgotten with the process; set "
        "state.dir to keep it");
  }
}

void Desk::Listed(std::string_view server) {
  const Lock lock(mutex_);
  for (const auto& [id, waiting] : waiting_) {
    if (waiting->server_ != server) continue;
    waiting->stale_ = true;
    waiting->wake_();
  }
}

void Desk::SendBack() {
  const Lock lock(mutex_);
  for (const auto& [id, waiting] : waiting_) {
    waiting->stale_ = true;
    waiting->wake_();
  }
}

void Desk::LetGo() {
  const Lock lock(mutex_);
  over_ = true;
  for (const auto& [id, waiting] : waiting_) waiting->wake_();
}

void Desk::Sweep() {
  const Lock lock(mutex_);
  Expire(clock_.WallNow());
  Tally();
}

void Desk::Remove(Map::iterator found, Why why) {
  const std::string id = found->first;
  const auto by_call = by_call_.find(found->second.request.CallKey());
  if (by_call != by_call_.end() && by_call->second == id) by_call_.erase(by_call);
  if (ended_order_.size() >= kMostEnded) {
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
  ended_[id] = {.caller = found->second.request.CallerKey(), .why = why};
  ended_order_.push_back(id);
  approvals_.erase(found);
  Wake(id);
  Tally();
}

// What cannot be erased is void all the same, and is tried again when it is read.
void Desk::Expire(WallTime now) {
  std::vector<std::string> over;
  for (const auto& [id, approval] : approvals_) {
    if (approval.expires <= now) over.push_back(id);
  }
  for (const std::string& id : over) {
    const Map::iterator found = approvals_.find(id);
    const Approval approval = found->second;
    if (journal_ != nullptr) {
      const Result<void> erased = journal_->Erase(id);
      if (!erased) spdlog::error("approvals: {}", erased.error().message);
    }
    Remove(found, Why::kExpired);
    if (approval.state == State::kDenied) continue;  // of which all was told
    Count("expired");
    Note(approval, "expired", "gateway", WordsOf(Why::kExpired));
  }
  std::erase_if(tickets_, [now](const auto& ticket) { return ticket.second <= now; });
}

void Desk::ForgetDenials(std::string_view but) {
  while (static_cast<std::size_t>(std::ranges::count_if(approvals_, [](const auto& one) {
           return one.second.state != State::kPending;
         })) > kMostDecided) {
    auto oldest = approvals_.end();
    for (auto one = approvals_.begin(); one != approvals_.end(); ++one) {
      if (one->second.state != State::kDenied || one->first == but) continue;
      if (oldest == approvals_.end() || one->second.decided < oldest->second.decided) oldest = one;
    }
    if (oldest == approvals_.end()) return;
    if (journal_ != nullptr) static_cast<void>(journal_->Erase(oldest->first));
    Remove(oldest, Why::kUnknown);
  }
}

void Desk::Wake(std::string_view id) {
  const auto [first, last] = waiting_.equal_range(id);
  for (auto one = first; one != last; ++one) one->second->wake_();
}

std::string Desk::MakeTicket() {
  const Lock lock(mutex_);
  if (tickets_.size() >= kMostTickets) {
    tickets_.erase(
        std::ranges::min_element(tickets_, {}, [](const auto& one) { return one.second; }));
  }
  std::string ticket = RandomToken();
  tickets_[ticket] = clock_.WallNow() + std::chrono::duration_cast<WallTime::duration>(kTicketFor);
  return ticket;
}

bool Desk::TakeTicket(std::string_view ticket) {
  const Lock lock(mutex_);
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return false;
  const bool good = found->second > clock_.WallNow();
  tickets_.erase(found);
  return good;
}

void Desk::Note(const Approval& approval, std::string_view decision, std::string_view by,
                std::string_view reason) const {
  spdlog::info("approval {}: {} by {}: {} of server {}", approval.id, decision, by,
               Readable(approval.request.tool), approval.request.server);
  if (audit_ == nullptr || !audit_->on()) return;
  const Request& request = approval.request;
  audit::Event event{.kind = audit::Event::Kind::kApproval,
                     .time = clock_.WallNow(),
                     .duration = clock_.WallNow() - approval.created,
                     .issuer = request.issuer,
                     .subject = request.subject,
                     .client = request.client,
                     .endpoint = request.endpoint,
                     .server = request.server,
                     .method = "tools/call",
                     .item_key = "tool",
                     .item = request.tool,
                     .digest = request.digest,
                     .decided_by = "approval",
                     .decision = decision,
                     .rule = request.rule,
                     .approval = approval.id,
                     .approver = std::string(by),
                     .reason = std::string(reason)};
  audit_->Note(std::move(event));
}

void Desk::Count(std::string_view outcome) const {
  metrics_.CounterOf("switchyard_approval_decisions_total", {std::string(outcome)}).Add();
}

void Desk::Tally() {
  std::int64_t pending = 0;
  WallTime oldest = clock_.WallNow();
  const WallTime now = oldest;
  for (const auto& [id, approval] : approvals_) {
    if (approval.state != State::kPending) continue;
    ++pending;
    oldest = std::min(oldest, approval.created);
  }
  pending_->Set(pending);
  oldest_->Set(std::chrono::duration_cast<std::chrono::seconds>(now - oldest).count());
}

Desk::Waiting::Waiting(Desk& desk, std::string id, std::string server, std::function<void()> wake)
    : desk_(desk), id_(std::move(id)), server_(std::move(server)), wake_(std::move(wake)) {
  const Lock lock(desk_.mutex_);
  desk_.waiting_.emplace(id_, this);
}

Desk::Waiting::~Waiting() {
  const Lock lock(desk_.mutex_);
  const auto [first, last] = desk_.waiting_.equal_range(id_);
  for (auto one = first; one != last; ++one) {
    if (one->second != this) continue;
    desk_.waiting_.erase(one);
    return;
  }
}

bool Desk::Waiting::stale() const {
  const Lock lock(desk_.mutex_);
  return stale_;
}
bool Desk::Waiting::over() const {
  const Lock lock(desk_.mutex_);
  return desk_.over_;
}

}  // namespace switchyard::approvals
