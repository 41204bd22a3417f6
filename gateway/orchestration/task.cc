#include "orchestration/task.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "orchestration/lanes.h"
#include "orchestration/projects/efforts.h"

namespace switchyard::orchestration {
namespace {

using Parameter = Database::Parameter;

constexpr std::string_view kPrefix = "task_";

std::optional<std::int64_t> OrNull(std::int64_t number) {
  return number == 0 ? std::nullopt : std::optional(number);
}
std::optional<std::string_view> OrNull(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

Task Read(const Database::Row& row) {
  std::size_t at = 0;
  const auto number = [&] { return row.Number(at++); };
  const auto text = [&] { return row.Text(at++); };
  Task task;
  task.id = number();
  task.status = static_cast<Status>(number());
  task.priority = static_cast<Priority>(number());
  task.lane = number();
  task.due = number();
  task.waits_for = number();
  task.task_type = text();
  task.content = text();
  task.requirements = text();
  task.parent = number();
  task.creator = text();
  task.idempotency = text();
  task.digest = text();
  task.created_at = number();
  task.deadline = number();
  task.attempts = number();
  task.max_attempts = number();
  task.assigned_to = text();
  task.assigned_at = number();
  task.started_at = number();
  task.finished_at = number();
  task.lease_until = number();
  task.lease_ms = number();
  task.fence = number();
  task.result = text();
  task.metrics = text();
  task.error = text();
  task.project = number();
  task.goal = number();
  return task;
}

Result<void> Tally(Records& records, const Task& task, std::int64_t by) {
  return records.sql.Execute(
      "UPDATE tally SET tasks = tasks + $1 WHERE status = $2 AND priority = $3",
      {by, static_cast<std::int64_t>(task.status), static_cast<std::int64_t>(task.priority)});
}

Result<void> CountReady(Records& records, const Task& task, std::int64_t by) {
  if (by > 0) records.effects.ready += by;
  return records.sql.Execute("UPDATE lane SET ready = ready + $1 WHERE id = $2", {by, task.lane});
}

// Lanes come and go; a task needs one only while it is ready.
Result<void> Place(Records& records, Task& task, Crowded crowded) {
  if (!task.ready()) return {};
  Result<std::int64_t> lane = LaneFor(records, task.task_type, task.requirements, crowded);
  if (!lane) return Failure(std::move(lane.error()));
  task.lane = *lane;
  return {};
}

Result<void> CountHeld(Records& records, const Task& task, std::int64_t by) {
  records.effects.agents.push_back(task.assigned_to);
  return records.sql.Execute("UPDATE agent SET active = active + $1 WHERE id = $2",
                             {by, task.assigned_to});
}

// What others know of a task: 1 for one that comes into being, -1 for one that ends.
Result<void> Account(Records& records, const Task& task, std::int64_t by) {
  Result<void> done = Tally(records, task, by);
  if (done && task.ready()) done = CountReady(records, task, by);
  if (done && IsHeld(task.status)) done = CountHeld(records, task, by);
  return done;
}

bool ReadsAlike(const Task& a, const Task& b) {
  return a.status == b.status && a.priority == b.priority && a.ready() == b.ready() &&
         a.lane == b.lane && (!IsHeld(a.status) || a.assigned_to == b.assigned_to);
}

}  // namespace

std::string ToText(TaskId id) { return fmt::format("{}{:08}", kPrefix, id); }

Result<TaskId> TaskIdOf(std::string_view text) {
  constexpr std::size_t kMostDigits = 18;
  TaskId id = 0;
  const std::string_view digits = text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : "";
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool whole = fault == std::errc() && end == digits.data() + digits.size();
  if (whole && id > 0 && digits.size() <= kMostDigits) return id;
  return Refused("an id of a task reads like " + ToText(12) + ", as create_task gave it, got \"" +
                 std::string(text.substr(0, kMaxId)) + "\"");
}

std::string_view TaskColumns() {
  return "id, status, priority, lane, due, waits_for, task_type, content, requirements, parent, "
         "creator, idempotency, digest, created_at, deadline, attempts, max_attempts, assigned_to, "
         "assigned_at, started_at, finished_at, lease_until, lease_ms, fence, result, metrics, "
         "error, project, goal";
}

Result<std::vector<Task>> ReadTasks(Records& records, std::string_view sql,
                                    std::span<const Parameter> parameters) {
  Result<Database::Rows> rows = records.sql.Query(sql, parameters);
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Task> tasks;
  tasks.reserve(rows->size());
  for (const Database::Row& row : *rows) tasks.push_back(Read(row));
  return tasks;
}

Result<Task> Find(Records& records, TaskId id) {
  static const std::string kSql = fmt::format("SELECT {} FROM task WHERE id = $1", TaskColumns());
  const Parameter parameters[] = {id};
  Result<std::vector<Task>> found = ReadTasks(records, kSql, parameters);
  if (!found) return Failure(std::move(found.error()));
  if (found->empty()) return Unknown("there is no task " + ToText(id) + ", or no longer");
  return std::move(found->front());
}

std::size_t BytesOf(const Task& task) {
  return task.content.size() + task.requirements.size() + task.result.size() + task.metrics.size() +
         task.error.size();
}

Result<void> Insert(Records& records, Task task) {
  if (Result<void> placed = Place(records, task, Crowded::kRefused); !placed) return placed;
  static const std::string kSql = fmt::format(
      "INSERT INTO task ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
      "$15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)",
      TaskColumns());
  Result<void> done = records.sql.Execute(kSql, {task.id,
                                                 static_cast<int>(task.status),
                                                 static_cast<int>(task.priority),
                                                 task.lane,
                                                 task.due,
                                                 task.waits_for,
                                                 task.task_type,
                                                 task.content,
                                                 task.requirements,
                                                 OrNull(task.parent),
                                                 task.creator,
                                                 OrNull(task.idempotency),
                                                 OrNull(task.digest),
                                                 task.created_at,
                                                 task.deadline,
                                                 task.attempts,
                                                 task.max_attempts,
                                                 OrNull(task.assigned_to),
                                                 task.assigned_at,
                                                 task.started_at,
                                                 task.finished_at,
                                                 OrNull(task.lease_until),
                                                 task.lease_ms,
                                                 task.fence,
                                                 OrNull(task.result),
                                                 OrNull(task.metrics),
                                                 OrNull(task.error),
                                                 OrNull(task.project),
                                                 OrNull(task.goal)});
  records.effects.tasks.push_back(task.id);
  if (done) done = RollUp(records, task, 1);
  if (!done) return done;
  return Account(records, task, 1);
}

Result<void> Store(Records& records, const Task& before, Task after) {
  if (!before.ready()) {
    if (Result<void> placed = Place(records, after, Crowded::kTaken); !placed) return placed;
  }
  Result<void> done = records.sql.Execute(
      "UPDATE task SET status = $1, priority = $2, lane = $3, due = $4, waits_for = $5, "
      "deadline = $6, attempts = $7, max_attempts = $8, assigned_to = $9, assigned_at = $10, "
      "started_at = $11, finished_at = $12, lease_until = $13, lease_ms = $14, fence = $15, "
      "result = $16, metrics = $17, error = $18, content = $19 WHERE id = $20",
      {static_cast<int>(after.status),
       static_cast<int>(after.priority),
       after.lane,
       after.due,
       after.waits_for,
       after.deadline,
       after.attempts,
       after.max_attempts,
       OrNull(after.assigned_to),
       after.assigned_at,
       after.started_at,
       after.finished_at,
       OrNull(after.lease_until),
       after.lease_ms,
       after.fence,
       OrNull(after.result),
       OrNull(after.metrics),
       OrNull(after.error),
       after.content,
       after.id});
  records.effects.tasks.push_back(after.id);
  if (!done || ReadsAlike(before, after)) return done;
  done = Account(records, before, -1);
  if (done) done = Account(records, after, 1);
  if (!done || before.status == after.status) return done;
  done = RollUp(records, before, -1);
  if (done) done = RollUp(records, after, 1);
  return done;
}

Result<void> Erase(Records& records, const Task& task) {
  records.effects.tasks.push_back(task.id);
  Result<void> done = records.sql.Execute("DELETE FROM task WHERE id = $1", {task.id});
  if (done) {
    done = records.sql.Execute("DELETE FROM dependency WHERE task = $1 OR needs = $1", {task.id});
  }
  if (done) done = records.sql.Execute("DELETE FROM delegation WHERE task = $1", {task.id});
  if (done) done = records.sql.Execute("DELETE FROM lineage WHERE task = $1", {task.id});
  if (!done) return done;
  return Account(records, task, -1);
}

}  // namespace switchyard::orchestration
