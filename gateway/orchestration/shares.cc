#include "orchestration/shares.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "orchestration/size.h"

namespace switchyard::orchestration {

namespace {

// What a refusal says of a call that makes several, of which there may be room for some.
std::string TooMuch(std::int64_t more, std::int64_t room) {
  if (more == 1) return ",";
  return fmt::format(", and {} more are too many, {} would do:", more,
                     std::max<std::int64_t>(room, 0));
}

}  // namespace

Result<void> RefuseMoreTasks(Records& records, std::int64_t more) {
  if (Result<void> room = RefuseAdding(records); !room) return room;
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT CAST(sum(pending + assigned + in_progress + completed + failed + cancelled) AS "
      "BIGINT) FROM tally");
  if (!rows) return Failure(std::move(rows.error()));
  const std::int64_t tasks = rows->front().Number(0);
  if (tasks + more > records.settings.max_tasks) {
    return Refused(fmt::format(
        "there are {} tasks already{} {} are the most that are kept (max_tasks); "
        "finished ones are forgotten after retain",
        tasks, TooMuch(more, records.settings.max_tasks - tasks), records.settings.max_tasks));
  }
  if (records.caller.empty()) return {};
  rows = records.sql.Query("SELECT tasks FROM caller_tasks WHERE caller = $1", {records.caller});
  if (!rows) return Failure(std::move(rows.error()));
  const std::int64_t own = rows->empty() ? 0 : rows->front().Number(0);
  const std::int64_t most = (records.settings.max_tasks + 1) / 2;  // of one, one
  if (own + more <= most) return {};
  return Refused(
      fmt::format("there are {} tasks of yours already{} half of all that are kept (max_tasks) "
                  "are the most that one caller has; finished ones are forgotten after retain",
                  own, TooMuch(more, most - own)));
}

Result<void> RefuseMoreKinds(Records& records, std::int64_t more) {
  constexpr std::int64_t kMost = kMaxLanes / 2;
  if (records.caller.empty()) return {};
  // Seldom there are so many at all; then they need not be looked at.
  Result<Database::Rows> all = records.sql.Query("SELECT value FROM counter WHERE name = 'lanes'");
  if (!all) return Failure(std::move(all.error()));
  if (all->front().Number(0) + more <= kMost) return {};
  Result<Database::Rows> own = records.sql.Query(
      "SELECT count(*) FROM lane WHERE owner = $1 AND unfinished > 0", {records.caller});
  if (!own) return Failure(std::move(own.error()));
  if (own->front().Number(0) + more <= kMost) return {};
  return Refused(fmt::format(
      "there are {} kinds of tasks of yours that are not over already (of one type, with the same "
      "requirements){} {} are the most that one caller has; use those, or complete some",
      own->front().Number(0), TooMuch(more, kMost - own->front().Number(0)), kMost));
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
