#include "orchestration/coordination/sweep.h"

#include <utility>

#include "orchestration/coordination/assistance.h"
#include "orchestration/coordination/evaluations.h"
#include "orchestration/coordination/inbox.h"
#include "orchestration/coordination/messages.h"
#include "orchestration/coordination/sessions.h"
#include "orchestration/coordination/waits.h"

namespace switchyard::orchestration {

Result<bool> SweepCoordination(Records& records, std::int64_t limit) {
  bool more = false;
  for (const auto sweep : {SweepAssistance, SweepSessions, ForgetMessages, ForgetEvaluations}) {
    Result<bool> swept = sweep(records, limit);
    if (!swept) return swept;
    more = more || *swept;
  }
  return more;
}

Result<void> LeaveCoordination(Records& records, const std::string& agent) {
  // Others are told in its name, while it has an inbox of its own.
  Result<void> done = LeaveRequests(records, agent);
  if (done) done = LeaveEvaluations(records, agent);
  if (done) done = EndWaitsOf(records, agent);
  if (done) done = DropInbox(records, agent);
  return done;
}

Result<void> MoveCoordination(Records& records, std::int64_t by) {
  Result<void> moved = records.sql.Execute(
      "UPDATE assistance SET expires_at = expires_at + $1 WHERE closed_at = 0", {by});
  if (!moved) return moved;
  return records.sql.Execute("UPDATE wait_for SET until_at = until_at + $1 WHERE until_at > 0",
                             {by});
}

Result<CoordinationNumbers> CoordinationOf(Records& records) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT name, value FROM counter WHERE name IN ('sessions_open', 'assistance_open')");
  if (!rows) return Failure(std::move(rows.error()));
  CoordinationNumbers numbers;
  for (const Database::Row& row : *rows) {
    (row.Text(0) == "sessions_open" ? numbers.sessions : numbers.requests) = row.Number(1);
  }
  return numbers;
}

}  // namespace switchyard::orchestration
