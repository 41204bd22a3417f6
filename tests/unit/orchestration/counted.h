// What the records count as they go, against the rows themselves.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "unit/orchestration/support.h"

namespace switchyard::orchestration {

// Each number that is kept, and that is not what the rows have: "" = none.
inline std::string Miscounted(Room& room) {
  std::string wrong;
  const auto look = [&](std::string_view sql) {
    const Result<Database::Rows> rows =
        room.Do([&](Records& records) { return records.sql.Query(sql); });
    ASSERT_TRUE(rows.has_value()) << rows.error().detail;
    for (const Database::Row& row : *rows) {
      wrong += row.Text(0) + ": " + std::to_string(row.Number(1)) + ", not " +
               std::to_string(row.Number(2)) + "; ";
    }
  };
  // By state and priority.
#define SWITCHYARD_TALLY(status, name)                                            \
  look("SELECT 'tally " name " ' || priority, " name                              \
       ", (SELECT count(*) FROM task WHERE "                                      \
       "task.priority = tally.priority AND task.status = " status                 \
       ") AS counted FROM tally "                                                 \
       "WHERE " name                                                              \
       " <> (SELECT count(*) FROM task WHERE task.priority = tally.priority AND " \
       "task.status = " status ")")
  SWITCHYARD_TALLY("0", "pending");
  SWITCHYARD_TALLY("1", "assigned");
  SWITCHYARD_TALLY("2", "in_progress");
  SWITCHYARD_TALLY("3", "completed");
  SWITCHYARD_TALLY("4", "failed");
  SWITCHYARD_TALLY("5", "cancelled");
#undef SWITCHYARD_TALLY
  look("SELECT 'priorities', count(*), 3 FROM tally HAVING count(*) <> 3");
  // By caller, in both directions: none is missing and none is too many.
  look(
      "SELECT 'caller ' || creator, count(*), (SELECT coalesce(sum(tasks), 0) FROM caller_tasks "
      "WHERE caller = creator) FROM task WHERE creator <> '' GROUP BY creator HAVING count(*) <> "
      "(SELECT coalesce(sum(tasks), 0) FROM caller_tasks WHERE caller = creator)");
  look(
      "SELECT 'caller ' || caller, tasks, 0 FROM caller_tasks WHERE caller = '' OR NOT EXISTS "
      "(SELECT 1 FROM task WHERE creator = caller)");
  // By kind.
  look(
      "SELECT 'lane ' || id, unfinished, ready FROM lane WHERE unfinished <> (SELECT count(*) FROM "
      "task WHERE task.lane = lane.id AND task.status < 3) OR ready <> (SELECT count(*) FROM task "
      "WHERE task.lane = lane.id AND task.status = 0 AND task.waits_for = 0)");
  look(
      "SELECT 'lanes', value, (SELECT count(*) FROM lane) FROM counter WHERE name = 'lanes' AND "
      "value <> (SELECT count(*) FROM lane)");
  return wrong;
}

}  // namespace switchyard::orchestration
