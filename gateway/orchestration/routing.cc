#include "orchestration/routing.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "orchestration/lanes.h"

namespace switchyard::orchestration {
namespace {

constexpr std::int64_t kGood = 750;

bool IsNear(const Agent& agent, const Choice& choice) {
  return !choice.near.empty() && agent.group == choice.near;
}

// Weights in hundredths: what it ended well, how free it is, how close it fits, how fast it is, and
// whether it is of the group that is at it.
std::int64_t ScoreOf(const Agent& agent, const Choice& choice, std::int64_t fastest) {
  constexpr std::int64_t kSuccess = 30, kQuality = 10, kFree = 30, kFit = 15, kSpeed = 10,
                         kGroup = 5;
  static_assert(kSuccess + kQuality + kFree + kFit + kSpeed + kGroup == 100);
  // As if it had ended four before, three of them well: one failure is no verdict.
  const std::int64_t ended = agent.completed + agent.failed + agent.expired;
  const std::int64_t success = kWhole * (agent.completed + 3) / (ended + 4);
  // As if three had called it good before; what nobody evaluated is as good as its success.
  const std::int64_t quality =
      agent.raters == 0 ? success : (agent.ratings + 3 * kGood) / (agent.raters + 3);
  const std::int64_t free = kWhole - kWhole * agent.active / agent.max_concurrent;
  const auto needed = static_cast<std::int64_t>(choice.requirements.size());
  const auto has = static_cast<std::int64_t>(std::max<std::size_t>(agent.capabilities.size(), 1));
  const std::int64_t fit = needed == 0 ? kWhole : kWhole * needed / has;
  // Who never ended any is given the benefit of the doubt.
  const std::int64_t speed = agent.latency_ms == 0 ? kWhole : kWhole * fastest / agent.latency_ms;
  const std::int64_t group = choice.near.empty() || IsNear(agent, choice) ? kWhole : 0;
  return (kSuccess * success + kQuality * quality + kFree * free + kFit * fit + kSpeed * speed +
          kGroup * group) /
         100;
}

std::string WhyOf(const Agent& agent, const Choice& choice) {
  std::string why = fmt::format("{} of {} tasks, {}% success", agent.active, agent.max_concurrent,
                                agent.SuccessRate() / 10);
  if (agent.raters > 0) why += fmt::format(", {}% quality", agent.Quality() / 10);
  if (!choice.requirements.empty()) {
    why += fmt::format(", fits {} of {}", choice.requirements.size(), agent.capabilities.size());
  }
  if (agent.latency_ms != 0) why += fmt::format(", {} ms", agent.latency_ms);
  if (IsNear(agent, choice)) why += ", group " + agent.group;
  return why;
}

std::int64_t Faster(std::int64_t fastest, const Agent& agent) {
  if (agent.latency_ms == 0) return fastest;
  return fastest == 0 ? agent.latency_ms : std::min(fastest, agent.latency_ms);
}

bool MayHave(const Records& records, const Agent& agent, const Choice& choice) {
  return agent.TakesTasks(records.now, records.settings) &&
         (choice.group.empty() || agent.group == choice.group) &&
         std::ranges::find(choice.excluded, agent.id) == choice.excluded.end();
}

}  // namespace

Result<std::vector<Candidate>> Rank(Records& records, const Choice& choice, std::size_t limit) {
  Result<std::vector<Agent>> agents =
      FindAgents(records, {.capabilities = choice.requirements, .limit = kMaxAgents});
  if (!agents) return Failure(std::move(agents.error()));
  std::erase_if(*agents, [&](const Agent& agent) { return !MayHave(records, agent, choice); });
  std::int64_t fastest = 0;
  for (const Agent& agent : *agents) fastest = Faster(fastest, agent);
  std::vector<Candidate> ranked;
  for (Agent& agent : *agents) {
    Candidate candidate{.score = ScoreOf(agent, choice, fastest)};
    candidate.why = WhyOf(agent, choice);
    candidate.agent = std::move(agent);
    ranked.push_back(std::move(candidate));
  }
  std::ranges::sort(ranked, [](const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.agent.active != b.agent.active) return a.agent.active < b.agent.active;
    return a.agent.id < b.agent.id;
  });
  if (ranked.size() > limit) ranked.resize(limit);
  return ranked;
}

std::optional<Candidate> BestOf(const Records& records, const std::vector<Agent>& agents,
                                const Choice& choice) {
  std::vector<const Agent*> able;
  std::int64_t fastest = 0;
  for (const Agent& agent : agents) {
    if (!MayHave(records, agent, choice)) continue;
    if (!Covers(agent.capabilities, choice.requirements)) continue;
    able.push_back(&agent);
    fastest = Faster(fastest, agent);
  }
  const Agent* best = nullptr;
  std::int64_t most = 0;
  for (const Agent* const agent : able) {
    const std::int64_t score = ScoreOf(*agent, choice, fastest);
    const bool better =
        best == nullptr || score > most ||
        (score == most && std::tie(agent->active, agent->id) < std::tie(best->active, best->id));
    if (!better) continue;
    best = agent;
    most = score;
  }
  if (best == nullptr) return std::nullopt;
  return Candidate{.agent = *best, .score = most, .why = WhyOf(*best, choice)};
}

Result<std::string> GroupAbove(Records& records, const Task& task) {
  if (task.parent == 0) return std::string();
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT agent.team FROM task, agent WHERE task.id = $1 AND task.status IN (1, 2) AND "
      "agent.id "
      "= task.assigned_to",
      {task.parent});
  if (!rows) return Failure(std::move(rows.error()));
  return rows->empty() ? std::string() : rows->front().Text(0);
}

}  // namespace switchyard::orchestration
