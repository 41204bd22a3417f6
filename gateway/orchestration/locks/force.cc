// Taking locks away, on record.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "orchestration/agents.h"
#include "orchestration/locks/holds.h"
#include "orchestration/locks/locks.h"

namespace switchyard::orchestration {
namespace {

// Without the right to force a caller takes away only what its own agents have, or nobody's.
Result<void> MayTake(Records& records, const Hold& hold) {
  if (records.rights.Has(Right::kForce)) return {};
  Result<Agent> agent = FindAgent(records, hold.agent);
  if (!agent && agent.error().code == Code::kNotFound) return {};
  if (!agent) return Failure(std::move(agent.error()));
  if (agent->owner.empty() || agent->owner == records.caller) return {};
  return Forbidden("the lock of agent " + hold.agent + " on " + hold.path +
                   " is taken away by callers with the right to force only; ask its agent to "
                   "release it, or wait for its lease");
}

Result<void> Keep(Records& records, const Hold& hold, const ForceRequest& request) {
  Result<std::int64_t> id = Next(records, "lock_forced");
  if (!id) return Failure(std::move(id.error()));
  Result<void> done = records.sql.Execute(
      "INSERT INTO file_forced (id, path, agent, fence, forcer, caller, reason, at, lacks) VALUES "
      "($1, $2, $3, $4, $5, $6, $7, $8, 1)",
      {*id, hold.path, hold.agent, hold.fence, request.forcer, records.caller, request.reason,
       records.now});
  if (!done) return done;
  return records.sql.Execute("DELETE FROM file_forced WHERE id <= $1", {*id - kMaxForced});
}

}  // namespace

Result<std::vector<Hold>> ForceLock(Records& records, const ForceRequest& request) {
  if (Result<Agent> known = ActAs(records, request.forcer); !known) {
    return Failure(std::move(known.error()));
  }
  const std::string& path = request.path;
  Result<std::vector<Hold>> holds = HoldsOn(records, path);
  if (!holds) return holds;
  if (holds->empty()) return Refused("nobody has a lock on " + path);
  if (request.fence != 0) {
    const std::int64_t newest = std::ranges::max(*holds, {}, &Hold::fence).fence;
    std::erase_if(*holds, [&request](const Hold& hold) { return hold.fence != request.fence; });
    if (holds->empty()) {
      return Refused(
          fmt::format("the lock on {} has fence {} by now, not {}; look who has it "
                      "before you take it",
                      path, newest, request.fence));
    }
  }
  Result<void> done = {};
  for (const Hold& hold : *holds) {
    if (done) done = MayTake(records, hold);
    if (done) done = Keep(records, hold, request);
    if (done) done = EraseHold(records, hold);
  }
  if (done) done = WakeNext(records, path);
  if (!done) return Failure(std::move(done.error()));
  records.effects.forced += static_cast<std::int64_t>(holds->size());
  return holds;
}

Result<Forced> LastForced(Records& records, std::string_view path, std::string_view agent) {
  Result<Database::Rows> rows = agent.empty()
                                    ? records.sql.Query(
                                          "SELECT agent, forcer, reason, at FROM file_forced WHERE "
                                          "path = $1 ORDER BY id DESC LIMIT 1",
                                          {path})
                                    : records.sql.Query(
                                          "SELECT agent, forcer, reason, at FROM file_forced WHERE "
                                          "path = $1 AND agent = $2 AND lacks = 1 ORDER BY id "
                                          "DESC LIMIT 1",
                                          {path, agent});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Forced();
  const Database::Row& row = rows->front();
  return Forced{
      .agent = row.Text(0), .forcer = row.Text(1), .reason = row.Text(2), .at = row.Number(3)};
}

}  // namespace switchyard::orchestration
