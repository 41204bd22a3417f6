#include "orchestration/statistics.h"

#include <utility>

#include "orchestration/agents.h"

namespace switchyard::orchestration {
namespace {

constexpr std::int64_t kWhole = 1000;

}  // namespace

std::int64_t QueueNumbers::Of(Status status) const {
  std::int64_t sum = 0;
  for (const std::int64_t count : tasks[static_cast<std::size_t>(status)]) sum += count;
  return sum;
}

std::int64_t QueueNumbers::active() const {
  return Of(Status::kPending) + Of(Status::kAssigned) + Of(Status::kInProgress);
}

std::int64_t QueueNumbers::success_rate() const {
  const std::int64_t well = Of(Status::kCompleted);
  const std::int64_t ended = well + Of(Status::kFailed);
  return ended == 0 ? kWhole : kWhole * well / ended;
}

Result<QueueNumbers> QueueOf(Records& records) {
  Result<Database::Rows> rows = records.sql.Query("SELECT status, priority, tasks FROM tally");
  if (!rows) return Failure(std::move(rows.error()));
  QueueNumbers numbers;
  for (const Database::Row& row : *rows) {
    numbers
        .tasks[static_cast<std::size_t>(row.Number(0))][static_cast<std::size_t>(row.Number(1))] =
        row.Number(2);
  }
  // Ids rise with time, so that the first is the oldest.
  Result<Database::Rows> oldest =
      records.sql.Query("SELECT created_at FROM task WHERE status = 0 ORDER BY id LIMIT 1");
  if (!oldest) return Failure(std::move(oldest.error()));
  if (!oldest->empty()) numbers.oldest_pending_ms = records.now - oldest->front().Number(0);
  return numbers;
}

Result<AgentNumbers> AgentsOf(Records& records) {
  Result<std::vector<Agent>> agents = FindAgents(records, {.limit = kMaxAgents});
  if (!agents) return Failure(std::move(agents.error()));
  AgentNumbers numbers;
  std::int64_t rates = 0, rated = 0;
  for (const Agent& agent : *agents) {
    ++numbers.total;
    ++numbers.by_status[std::string(agent.StatusAt(records.now, records.settings))];
    if (agent.completed + agent.failed + agent.expired == 0) continue;
    rates += agent.SuccessRate();
    ++rated;
  }
  if (rated > 0) numbers.success_rate = rates / rated;
  Result<Database::Rows> skills = records.sql.Query(
      "SELECT name, count(*) FROM capability GROUP BY name ORDER BY count(*) DESC, name LIMIT 50");
  if (!skills) return Failure(std::move(skills.error()));
  for (const Database::Row& row : *skills) {
    numbers.skills.emplace_back(row.Text(0), row.Number(1));
  }
  return numbers;
}

std::int64_t RoutingNumbers::assignment_rate() const {
  const std::int64_t asked = routed + unrouted;
  return asked == 0 ? kWhole : kWhole * routed / asked;
}

Result<std::map<std::string, std::int64_t>> CountersOf(Records& records) {
  Result<Database::Rows> rows = records.sql.Query("SELECT name, value FROM counter");
  if (!rows) return Failure(std::move(rows.error()));
  std::map<std::string, std::int64_t> values;
  for (const Database::Row& row : *rows) values[row.Text(0)] = row.Number(1);
  return values;
}

Result<RoutingNumbers> RoutingOf(Records& records) {
  Result<std::map<std::string, std::int64_t>> values = CountersOf(records);
  if (!values) return Failure(std::move(values.error()));
  return RoutingNumbers{.routed = (*values)["routed"],
                        .unrouted = (*values)["unrouted"],
                        .assigned = (*values)["assigned"],
                        .expired = (*values)["expired"]};
}

}  // namespace switchyard::orchestration
