#include "orchestration/statistics.h"

#include <algorithm>
#include <utility>

#include "orchestration/agents.h"

namespace switchyard::orchestration {

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
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT priority, pending, assigned, in_progress, completed, failed, cancelled FROM tally");
  if (!rows) return Failure(std::move(rows.error()));
  QueueNumbers numbers;
  for (const Database::Row& row : *rows) {
    for (std::size_t status = 0; status < kStatuses; ++status) {
      numbers.tasks[status][static_cast<std::size_t>(row.Number(0))] = row.Number(status + 1);
    }
  }
  // Ids rise with time, so that the first is the oldest.
  Result<Database::Rows> oldest =
      records.sql.Query("SELECT created_at FROM task WHERE status = 0 ORDER BY id LIMIT 1");
  if (!oldest) return Failure(std::move(oldest.error()));
  if (!oldest->empty()) {
    numbers.oldest_pending_ms = std::max<std::int64_t>(records.now - oldest->front().Number(0), 0);
  }
  return numbers;
}

Result<AgentNumbers> AgentsOf(Records& records) {
  // As Agent::StatusAt(), SuccessRate() and Quality() have it, by the engine, of all agents.
  Result<Database::Rows> groups = records.sql.Query(
      "SELECT CASE WHEN status IN ('error', 'offline') THEN status WHEN heartbeat_at < $1 THEN "
      "'offline' WHEN active > 0 THEN 'working' ELSE status END AS seen, count(*), "
      "CAST(sum(CASE WHEN completed + failed + expired = 0 THEN 0 ELSE "
      "1000 * completed / (completed + failed + expired) END) AS BIGINT), "
      "CAST(sum(CASE WHEN completed + failed + expired = 0 THEN 0 ELSE 1 END) AS BIGINT), "
      "CAST(sum(CASE WHEN raters = 0 THEN 0 ELSE ratings / raters END) AS BIGINT), "
      "CAST(sum(CASE WHEN raters = 0 THEN 0 ELSE 1 END) AS BIGINT) "
      "FROM agent GROUP BY seen",
      {records.now - records.settings.away_ms});
  if (!groups) return Failure(std::move(groups.error()));
  AgentNumbers numbers;
  std::int64_t rates = 0, rated = 0, qualities = 0;
  for (const Database::Row& row : *groups) {
    numbers.total += row.Number(1);
    numbers.by_status[row.Text(0)] = row.Number(1);
    rates += row.Number(2);
    rated += row.Number(3);
    qualities += row.Number(4);
    numbers.evaluated += row.Number(5);
  }
  if (rated > 0) numbers.success_rate = rates / rated;
  if (numbers.evaluated > 0) numbers.quality = qualities / numbers.evaluated;
  return numbers;
}

Result<std::vector<std::pair<std::string, std::int64_t>>> SkillsOf(Records& records) {
  Result<Database::Rows> skills = records.sql.Query(
      "SELECT name, count(*) FROM capability GROUP BY name ORDER BY count(*) DESC, name LIMIT 50");
  if (!skills) return Failure(std::move(skills.error()));
  std::vector<std::pair<std::string, std::int64_t>> numbers;
  numbers.reserve(skills->size());
  for (const Database::Row& row : *skills) numbers.emplace_back(row.Text(0), row.Number(1));
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
