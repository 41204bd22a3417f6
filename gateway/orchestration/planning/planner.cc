#include "orchestration/planning/planner.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/token.h"
#include "telemetry/metrics.h"

namespace switchyard::orchestration {
namespace {

// Of the call's time: what is left for the records.
constexpr Duration kForRecords = std::chrono::seconds(1);

Planned ByStructure(std::string why) { return Planned{.why = std::move(why)}; }

std::string_view WordsOf(const Error& error) {
  return error.code == Code::kDeadline ? "the planner gave no answer in time"
                                       : "the planner cannot be reached";
}

}  // namespace

// Among those who are planned for; none: all are taken.
class Planners::Place {
 public:
  Place(std::atomic<std::size_t>& running, std::size_t most)
      : running_(running), taken_(running.fetch_add(1) < most) {}
  Place(const Place&) = delete;
  ~Place() { --running_; }
  bool taken() const { return taken_; }

 private:
  std::atomic<std::size_t>& running_;
  const bool taken_;
};

void Planners::Count(const Planner& planner, std::string_view outcome) const {
  metrics_
      .CounterOf("switchyard_orchestration_plans_total",
                 {std::string(planner.name()), std::string(outcome)})
      .Add();
}

switchyard::Task<Planned> Planners::Make(Brief brief, const Call& call) const {
  const auto found = std::ranges::find_if(options_.planners,
                                          [&call](const auto& one) { return one->MayAsk(call); });
  if (found == options_.planners.end()) {
    co_return ByStructure("this client offers no sampling");
  }
  const Planner& planner = **found;
  if (brief.text.size() > kMostPlanned) {
    co_return ByStructure("the text is longer than the " + std::to_string(kMostPlanned) +
                          " bytes that planners are asked about");
  }
  std::optional<Place> place;
  if (planner.Waits()) place.emplace(running_, options_.concurrency);
  if (place && !place->taken()) {
    Count(planner, "busy");
    co_return ByStructure("the planner is busy");
  }
  brief.most = std::min(brief.most, options_.max_parts);
  brief.mark = RandomToken();
  Planned planned = co_await PlanBy(planner, std::move(brief), call);
  co_return planned;
}

switchyard::Task<Planned> Planners::PlanBy(const Planner& planner, Brief brief,
                                           const Call& call) const {
  Deadline deadline = Deadline::In(clock_, options_.timeout);
  if (!call.deadline.never()) deadline.ShrinkTo(call.deadline.at() - kForRecords);
  for (int round = 1; round <= kRounds; ++round) {
    Result<Heard> heard = co_await planner.Ask(brief, round, call, deadline);
    if (!heard) {
      Count(planner, "failed");
      spdlog::warn("orchestration: planner: {}", heard.error().message);
      co_return ByStructure(std::string(WordsOf(heard.error())));
    }
    if (!heard->question.empty()) {
      Count(planner, "asked");
      co_return Planned{.question = std::move(heard->question)};
    }
    round = std::max(round, heard->round);
    Result<Plan> plan = ReadPlan(heard->words, brief);
    if (plan) {
      Count(planner, "planned");
      co_return Planned{.plan = std::move(*plan), .text = std::move(brief.text)};
    }
    Count(planner, "unusable");
    brief.wrong = std::move(plan.error().message);
  }
  co_return ByStructure("the planner gave no plan: " + brief.wrong);
}

}  // namespace switchyard::orchestration
