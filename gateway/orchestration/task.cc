#include "orchestration/task.h"

#include <array>
#include <bitset>
#include <cassert>
#include <charconv>
#include <map>
#include <mutex>
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

Task Read(Database::Row& row) {
  std::size_t at = 0;
  const auto number = [&] { return row.Number(at++); };
  const auto text = [&] { return row.TakeText(at++); };
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
  task.pushed = number() != 0;
  task.taken_back = number() != 0;
  return task;
}

// Who has it; "" = nobody.
std::string_view HolderOf(const Task& task) {
  return IsHeld(task.status) ? std::string_view(task.assigned_to) : "";
}

// What is added to the tallies of a priority, by state.
using Tallies = std::array<std::int64_t, kStatuses>;

Result<void> Tally(Records& records, Priority priority, const Tallies& by) {
  static_assert(kStatuses == 6);
  return records.sql.Execute(
      "UPDATE tally SET pending = pending + $1, assigned = assigned + $2, in_progress = "
      "in_progress + $3, completed = completed + $4, failed = failed + $5, cancelled = cancelled + "
      "$6 WHERE priority = $7",
      {by[0], by[1], by[2], by[3], by[4], by[5], static_cast<int>(priority)});
}

Result<void> Tally(Records& records, const Task& task, std::int64_t by) {
  Tallies tallies{};
  tallies[static_cast<std::size_t>(task.status)] = by;
  return Tally(records, task.priority, tallies);
}

// Of one that becomes another.
Result<void> Tally(Records& records, const Task& before, const Task& after) {
  if (before.priority != after.priority) {
    Result<void> done = Tally(records, before, -1);
    return done ? Tally(records, after, 1) : done;
  }
  if (before.status == after.status) return {};
  Tallies tallies{};
  --tallies[static_cast<std::size_t>(before.status)];
  ++tallies[static_cast<std::size_t>(after.status)];
  return Tally(records, after.priority, tallies);
}

// A task has its lane from when it is queued until it is over, so that whatever becomes ready, or
// comes back, has one.
Result<void> PlaceInLane(Records& records, Task& task) {
  Result<std::int64_t> lane = LaneFor(records, task.task_type, task.requirements);
  if (!lane) return Failure(std::move(lane.error()));
  task.lane = *lane;
  return {};
}

Result<void> NoteGiven(Records& records, std::string_view agent) {
  if (agent.empty()) return {};
  records.effects.agents.emplace_back(agent);
  return records.sql.Execute("UPDATE agent SET active = active + 1 WHERE id = $1", {agent});
}

Result<void> NoteGone(Records& records, std::string_view agent, const Ending& ending) {
  if (agent.empty()) return {};
  records.effects.agents.emplace_back(agent);
  return NoteEnding(records, agent, ending);
}

// `before`: null = it comes into being.
Result<void> CountInLane(Records& records, const Task* before, const Task& after) {
  const auto one = [](bool is) { return is ? 1 : 0; };
  const bool was_ready = before != nullptr && before->ready();
  const bool was_open = before != nullptr && !IsFinished(before->status);
  const int ready = one(after.ready()) - one(was_ready);
  const int open = one(!IsFinished(after.status)) - one(was_open);
  if (ready > 0) ++records.effects.ready;
  if (ready != 0 && open != 0) {
    return records.sql.Execute(
        "UPDATE lane SET ready = ready + $1, unfinished = unfinished + $2 WHERE id = $3",
        {ready, open, after.lane});
  }
  // An index goes by each of them: what does not change is not named.
  if (ready != 0) {
    return records.sql.Execute("UPDATE lane SET ready = ready + $1 WHERE id = $2",
                               {ready, after.lane});
  }
  if (open == 0) return {};
  return records.sql.Execute("UPDATE lane SET unfinished = unfinished + $1 WHERE id = $2",
                             {open, after.lane});
}

// Of one that becomes another: what stays as it was costs nothing.
Result<void> Account(Records& records, const Task& before, const Task& after,
                     const Ending& ending) {
  Result<void> done = Tally(records, before, after);
  if (done && HolderOf(before) != HolderOf(after)) {
    done = NoteGone(records, HolderOf(before), ending);
    if (done) done = NoteGiven(records, HolderOf(after));
  } else if (IsHeld(after.status) &&
             (before.status != after.status || before.priority != after.priority)) {
    records.effects.agents.push_back(after.assigned_to);
  }
  return done;
}

// What changes of a task.
struct Column {
  std::string_view name;
  Parameter (*of)(const Task& task);
};
constexpr std::array kChanging = std::to_array<Column>({
    {"status", [](const Task& task) { return Parameter(static_cast<int>(task.status)); }},
    {"priority", [](const Task& task) { return Parameter(static_cast<int>(task.priority)); }},
    {"lane", [](const Task& task) { return Parameter(task.lane); }},
    {"due", [](const Task& task) { return Parameter(task.due); }},
    {"waits_for", [](const Task& task) { return Parameter(task.waits_for); }},
    {"deadline", [](const Task& task) { return Parameter(task.deadline); }},
    {"attempts", [](const Task& task) { return Parameter(task.attempts); }},
    {"max_attempts", [](const Task& task) { return Parameter(task.max_attempts); }},
    {"assigned_to", [](const Task& task) { return Parameter(OrNull(task.assigned_to)); }},
    {"assigned_at", [](const Task& task) { return Parameter(task.assigned_at); }},
    {"started_at", [](const Task& task) { return Parameter(task.started_at); }},
    {"finished_at", [](const Task& task) { return Parameter(task.finished_at); }},
    {"lease_until", [](const Task& task) { return Parameter(OrNull(task.lease_until)); }},
    {"lease_ms", [](const Task& task) { return Parameter(task.lease_ms); }},
    {"fence", [](const Task& task) { return Parameter(task.fence); }},
    {"pushed", [](const Task& task) { return Parameter(task.pushed ? 1 : 0); }},
    {"taken_back", [](const Task& task) { return Parameter(task.taken_back ? 1 : 0); }},
    {"result", [](const Task& task) { return Parameter(OrNull(task.result)); }},
    {"metrics", [](const Task& task) { return Parameter(OrNull(task.metrics)); }},
    {"error", [](const Task& task) { return Parameter(OrNull(task.error)); }},
    {"content", [](const Task& task) { return Parameter(task.content); }},
});

// Sets these of kChanging; made once for each such set, of which moves have few.
std::string_view SetterOf(const std::bitset<kChanging.size()>& columns) {
  static std::mutex mutex;
  static std::map<unsigned long, std::string> made;  // guarded by mutex
  const std::lock_guard lock(mutex);
  std::string& sql = made[columns.to_ulong()];
  if (!sql.empty()) return sql;
  std::size_t place = 0;
  for (std::size_t i = 0; i < kChanging.size(); ++i) {
    if (!columns.test(i)) continue;
    sql += fmt::format("{}{} = ${}", place == 0 ? "UPDATE task SET " : ", ", kChanging[i].name,
                       place + 1);
    ++place;
  }
  sql += fmt::format(" WHERE id = ${}", place + 1);
  return sql;
}

// Only what changed: an index is written where a statement names one of its columns, whatever
// becomes of that.
Result<void> Write(Records& records, const Task& before, const Task& after) {
  std::bitset<kChanging.size()> columns;
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i < kChanging.size(); ++i) {
    const Parameter value = kChanging[i].of(after);
    if (kChanging[i].of(before).value() == value.value()) continue;
    columns.set(i);
    parameters.push_back(value);
  }
  if (columns.none()) return {};
  parameters.emplace_back(after.id);
  Result<Database::Rows> done = records.sql.Query(SetterOf(columns), std::span(parameters));
  if (!done) return Failure(std::move(done.error()));
  return {};
}

}  // namespace

// Each answer has one, so that it does without a format.
std::string ToText(TaskId id) {
  constexpr std::size_t kDigits = 8;
  std::array<char, 20> digits{};
  const char* const end = std::to_chars(digits.begin(), digits.end(), id).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  std::string text(kPrefix);
  if (size < kDigits) text.append(kDigits - size, '0');
  return text.append(digits.data(), size);
}

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
         "error, project, goal, pushed, taken_back";
}

Result<std::vector<Task>> ReadTasks(Records& records, std::string_view sql,
                                    std::span<const Parameter> parameters) {
  Result<Database::Rows> rows = records.sql.Query(sql, parameters);
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Task> tasks;
  tasks.reserve(rows->size());
  for (Database::Row& row : *rows) tasks.push_back(Read(row));
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
  if (task.lane == 0) {
    if (Result<void> placed = PlaceInLane(records, task); !placed) return placed;
  }
  static const std::string kSql = fmt::format(
      "INSERT INTO task ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
      "$15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)",
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
                                                 OrNull(task.goal),
                                                 task.pushed ? 1 : 0,
                                                 task.taken_back ? 1 : 0});
  records.effects.tasks.push_back(task.id);
  if (done) done = RollUp(records, task, 1);
  if (done) done = CountInLane(records, nullptr, task);
  if (done) done = Tally(records, task, 1);
  return done ? NoteGiven(records, HolderOf(task)) : done;
}

Result<void> Store(Records& records, const Task& before, Task after, const Ending& ending) {
  assert(before.status == after.status || Leads(before.status, after.status));
  if (IsFinished(before.status) && !IsFinished(after.status)) {
    if (Result<void> placed = PlaceInLane(records, after); !placed) return placed;
  }
  Result<void> done = Write(records, before, after);
  records.effects.tasks.push_back(after.id);
  if (done) done = CountInLane(records, &before, after);
  if (done) done = Account(records, before, after, ending);
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
  if (done) done = records.sql.Execute("DELETE FROM needed WHERE task = $1", {task.id});
  if (done) done = records.sql.Execute("DELETE FROM delegation WHERE task = $1", {task.id});
  if (done) done = records.sql.Execute("DELETE FROM lineage WHERE task = $1", {task.id});
  return done ? Tally(records, task, -1) : done;
}

}  // namespace switchyard::orchestration
