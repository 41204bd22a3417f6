// What changes of tasks do to efforts, and forgetting them.
#include <array>
#include <utility>

#include "orchestration/projects/efforts.h"

namespace switchyard::orchestration {
namespace {

// By the states of tasks, in their order.
constexpr std::array<std::string_view, kStatuses> kCount = {
    "UPDATE effort SET pending = pending + $1 WHERE kind = $2 AND id = $3",
    "UPDATE effort SET assigned = assigned + $1 WHERE kind = $2 AND id = $3",
    "UPDATE effort SET in_progress = in_progress + $1 WHERE kind = $2 AND id = $3",
    "UPDATE effort SET completed = completed + $1 WHERE kind = $2 AND id = $3",
    "UPDATE effort SET failed = failed + $1 WHERE kind = $2 AND id = $3",
    "UPDATE effort SET cancelled = cancelled + $1 WHERE kind = $2 AND id = $3",
};

Result<void> Count(Records& records, Kind kind, EffortId id, Status status, std::int64_t by) {
  if (id == 0) return {};
  const int number = static_cast<int>(kind);
  Result<void> done =
      records.sql.Execute(kCount[static_cast<std::size_t>(status)], {by, number, id});
  const bool begins = by > 0 && (IsHeld(status) || status == Status::kCompleted);
  if (!done || !begins) return done;
  return records.sql.Execute(
      "UPDATE effort SET status = 1, updated_at = $1 WHERE kind = $2 AND id = $3 AND status = 0",
      {records.now, number, id});
}

}  // namespace

Result<void> RollUp(Records& records, const Task& task, std::int64_t by) {
  Result<void> done = Count(records, Kind::kProject, task.project, task.status, by);
  if (done) done = Count(records, Kind::kGoal, task.goal, task.status, by);
  return done;
}

Result<bool> SweepEfforts(Records& records, std::int64_t limit) {
  Result<Database::Rows> closed = records.sql.Query(
      "SELECT kind, id FROM effort WHERE status >= 3 AND goals_open = 0 AND updated_at <= $1 LIMIT "
      "$2",
      {records.now - records.settings.retain_ms, limit});
  if (!closed) return Failure(std::move(closed.error()));
  for (const Database::Row& row : *closed) {
    Result<void> gone = records.sql.Execute("DELETE FROM effort WHERE kind = $1 AND id = $2",
                                            {row.Number(0), row.Number(1)});
    if (gone) gone = CountUp(records, KeptCounter(static_cast<Kind>(row.Number(0))), -1);
    if (!gone) return Failure(std::move(gone.error()));
  }
  return std::cmp_equal(closed->size(), limit);
}

}  // namespace switchyard::orchestration
