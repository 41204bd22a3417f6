#include "orchestration/shares.h"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace switchyard::orchestration {

Result<void> RefuseMoreTasks(Records& records) {
  if (records.caller.empty()) return {};
  Result<Database::Rows> rows =
      records.sql.Query("SELECT tasks FROM caller_tasks WHERE caller = $1", {records.caller});
  if (!rows) return Failure(std::move(rows.error()));
  const std::int64_t own = rows->empty() ? 0 : rows->front().Number(0);
  const std::int64_t most = (records.settings.max_tasks + 1) / 2;  // of one, one
  if (own < most) return {};
  return Refused(
      fmt::format("there are {} tasks of yours already, half of all that are kept (max_tasks) and "
                  "the most that "
                  "one caller has; finished ones are forgotten after retain",
                  own));
}

Result<void> RefuseMoreKinds(Records& records) {
  constexpr std::int64_t kMost = kMaxLanes / 2;
  if (records.caller.empty()) return {};
  // Seldom there are so many at all; then they need not be looked at.
  Result<Database::Rows> all = records.sql.Query("SELECT value FROM counter WHERE name = 'lanes'");
  if (!all) return Failure(std::move(all.error()));
  if (all->front().Number(0) < kMost) return {};
  Result<Database::Rows> own = records.sql.Query(
      "SELECT count(*) FROM lane WHERE owner = $1 AND unfinished > 0", {records.caller});
  if (!own) return Failure(std::move(own.error()));
  if (own->front().Number(0) < kMost) return {};
  return Refused(fmt::format(
      "there are {} kinds of tasks of yours that are not over already (of one type, with the same "
      "requirements), the most that one caller has; use those, or complete some",
      kMost));
}

Result<void> CountTaskOf(Records& records, std::string_view creator, int by) {
  if (creator.empty()) return {};
  if (by > 0) {
    return records.sql.Execute(
        "INSERT INTO caller_tasks (caller, tasks) VALUES ($1, 1) ON CONFLICT (caller) DO UPDATE "
        "SET "
        "tasks = caller_tasks.tasks + 1",
        {creator});
  }
  Result<void> done =
      records.sql.Execute("UPDATE caller_tasks SET tasks = tasks - 1 WHERE caller = $1", {creator});
  if (!done) return done;
  return records.sql.Execute("DELETE FROM caller_tasks WHERE caller = $1 AND tasks <= 0",
                             {creator});
}

}  // namespace switchyard::orchestration
