#include "orchestration/locks/holds.h"

#include <algorithm>
#include <array>
#include <utility>

#include "orchestration/coordination/waits.h"

namespace switchyard::orchestration {
namespace {

#define SWITCHYARD_HOLD_COLUMNS \
  "path, agent, shared, fence, ticket, acquired_at, lease_until, lease_ms, was_fence"

Result<std::vector<Hold>> ReadHolds(Records& records, std::string_view sql,
                                    std::initializer_list<Database::Parameter> parameters) {
  Result<Database::Rows> rows = records.sql.Query(sql, parameters);
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Hold> holds;
  holds.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    holds.push_back({.path = row.Text(0),
                     .agent = row.Text(1),
                     .shared = row.Number(2) != 0,
                     .fence = row.Number(3),
                     .acquired_at = row.Number(5),
                     .lease_until = row.Number(6),
                     .lease_ms = row.Number(7),
                     .ticket = row.Number(4),
                     .was_fence = row.Number(8)});
  }
  return holds;
}

// Deletes by a statement that gives back what it deleted, and counts that.
Result<Database::Rows> Drop(Records& records, std::string_view counter, std::string_view sql,
                            std::initializer_list<Database::Parameter> parameters) {
  Result<Database::Rows> gone = records.sql.Query(sql, parameters);
  if (!gone || gone->empty()) return gone;
  Result<void> counted = CountUp(records, counter, -static_cast<std::int64_t>(gone->size()));
  if (!counted) return Failure(std::move(counted.error()));
  return gone;
}

Result<void> DropOne(Records& records, std::string_view counter, std::string_view sql,
                     std::initializer_list<Database::Parameter> parameters) {
  Result<Database::Rows> gone = Drop(records, counter, sql, parameters);
  if (!gone) return Failure(std::move(gone.error()));
  return {};
}

constexpr std::string_view kHeld = "locks_held";
constexpr std::string_view kWaiting = "locks_waiting";

// Nobody waits any more for an agent that neither has the file nor is in line before it.
Result<void> EndWaitsBehind(Records& records, std::string_view path, std::string_view agent) {
  Result<Database::Rows> held = records.sql.Query(
      "SELECT fence FROM file_hold WHERE path = $1 AND agent = $2", {path, agent});
  if (!held) return Failure(std::move(held.error()));
  if (!held->empty()) return {};
  Result<std::optional<InLineRow>> place = PlaceOf(records, path, agent);
  if (!place) return Failure(std::move(place.error()));
  if (place->has_value()) return {};
  return EndWaitsFor(records, agent, LineOf(path));
}

// Rows of path and agent that are gone.
Result<void> EndWaitsBehind(Records& records, const Database::Rows& gone) {
  for (const Database::Row& row : gone) {
    Result<void> done = EndWaitsBehind(records, row.Text(0), row.Text(1));
    if (!done) return done;
  }
  return {};
}

// Rows of path and agent.
Result<void> Leave(Records& records, const Database::Rows& places) {
  for (const Database::Row& row : places) {
    Result<void> left = LeaveLine(records, row.Text(0), row.Text(1));
    if (!left) return left;
  }
  return {};
}

Result<void> WakeAll(Records& records, const Database::Rows& paths) {
  std::string last;
  for (const Database::Row& row : paths) {
    if (row.Text(0) == last) continue;
    last = row.Text(0);
    if (Result<void> woken = WakeNext(records, last); !woken) return woken;
  }
  return {};
}

}  // namespace

std::string LineOf(std::string_view path) { return "lock " + std::string(path); }

Result<std::vector<Hold>> HoldsOn(Records& records, std::string_view path) {
  return ReadHolds(records,
                   "SELECT " SWITCHYARD_HOLD_COLUMNS
                   " FROM file_hold WHERE path = $1 AND lease_until > $2 ORDER BY agent",
                   {path, records.now});
}

Result<std::vector<Hold>> FindHolds(Records& records, const LockFilter& filter) {
  if (filter.agent.empty()) {
    return ReadHolds(records,
                     "SELECT " SWITCHYARD_HOLD_COLUMNS
                     " FROM file_hold WHERE fence > $1 AND lease_until > $2 ORDER BY fence LIMIT "
                     "$3",
                     {filter.after, records.now, filter.limit});
  }
  return ReadHolds(records,
                   "SELECT " SWITCHYARD_HOLD_COLUMNS
                   " FROM file_hold WHERE agent = $1 AND fence > $2 AND lease_until > $3 ORDER BY "
                   "fence LIMIT $4",
                   {filter.agent, filter.after, records.now, filter.limit});
}

Result<void> InsertHold(Records& records, const Hold& hold) {
  Result<void> done = records.sql.Execute(
      "INSERT INTO file_hold (" SWITCHYARD_HOLD_COLUMNS
      ", owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {hold.path, hold.agent, static_cast<int>(hold.shared), hold.fence, hold.ticket,
       hold.acquired_at, hold.lease_until, hold.lease_ms, hold.was_fence, records.caller});
  if (done) done = CountUp(records, kHeld);
  // That it was taken away from it once says nothing of this one.
  if (done) {
    done = records.sql.Execute(
        "UPDATE file_forced SET lacks = 0 WHERE path = $1 AND agent = $2 AND lacks = 1",
        {hold.path, hold.agent});
  }
  return done;
}

Result<void> UpdateHold(Records& records, const Hold& hold) {
  return records.sql.Execute(
      "UPDATE file_hold SET shared = $1, fence = $2, ticket = $3, lease_until = $4, lease_ms = $5, "
      "was_fence = $6 WHERE path = $7 AND agent = $8",
      {static_cast<int>(hold.shared), hold.fence, hold.ticket, hold.lease_until, hold.lease_ms,
       hold.was_fence, hold.path, hold.agent});
}

Result<void> EraseHold(Records& records, const Hold& hold) {
  Result<void> done =
      DropOne(records, kHeld, "DELETE FROM file_hold WHERE path = $1 AND agent = $2 RETURNING path",
              {hold.path, hold.agent});
  if (done) done = EndWaitsBehind(records, hold.path, hold.agent);
  return done;
}

Result<std::vector<InLineRow>> LineBefore(Records& records, std::string_view path,
                                          std::int64_t limit) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT agent, place, ticket, shared FROM file_wait WHERE path = $1 AND ends_at > $2 ORDER "
      "BY place LIMIT $3",
      {path, records.now, limit});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<InLineRow> line;
  line.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    line.push_back({.agent = row.Text(0),
                    .place = row.Number(1),
                    .ticket = row.Number(2),
                    .shared = row.Number(3) != 0});
  }
  return line;
}

Result<std::optional<InLineRow>> PlaceOf(Records& records, std::string_view path,
                                         std::string_view agent) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT place, ticket, shared FROM file_wait WHERE path = $1 AND agent = $2", {path, agent});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return std::nullopt;
  return InLineRow{.agent = std::string(agent),
                   .place = rows->front().Number(0),
                   .ticket = rows->front().Number(1),
                   .shared = rows->front().Number(2) != 0};
}

Result<void> TakeOver(Records& records, const LockRequest& request, const Place& place) {
  return records.sql.Execute(
      "UPDATE file_wait SET ticket = $1, shared = $2, ends_at = $3 WHERE path = $4 AND agent = $5",
      {place.ticket, static_cast<int>(request.shared), place.ends_at, request.path, request.agent});
}

Result<void> EnterLine(Records& records, const LockRequest& request, const Place& place) {
  Result<void> done = DropOne(records, kWaiting,
                              "DELETE FROM file_wait WHERE path = $1 AND agent = $2 RETURNING path",
                              {request.path, request.agent});
  if (!done) return done;
  Result<std::int64_t> last = Next(records, "lock_place");
  if (!last) return Failure(std::move(last.error()));
  done = records.sql.Execute(
      "INSERT INTO file_wait (path, agent, place, ticket, shared, ends_at) VALUES ($1, $2, $3, $4, "
      "$5, $6)",
      {request.path, request.agent, *last, place.ticket, static_cast<int>(request.shared),
       place.ends_at});
  if (done) done = CountUp(records, kWaiting);
  return done;
}

Result<void> LeaveLine(Records& records, std::string_view path, std::string_view agent) {
  Result<void> done =
      DropOne(records, kWaiting,
              "DELETE FROM file_wait WHERE path = $1 AND agent = $2 RETURNING path", {path, agent});
  if (done) done = EndWait(records, agent, LineOf(path));
  if (done) done = EndWaitsBehind(records, path, agent);
  return done;
}

Result<std::int64_t> InLine(Records& records, std::string_view path) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT count(*) FROM file_wait WHERE path = $1 AND ends_at > $2", {path, records.now});
  if (!rows) return Failure(std::move(rows.error()));
  return rows->front().Number(0);
}

Result<void> DropExpired(Records& records, std::string_view path) {
  Result<Database::Rows> held =
      Drop(records, kHeld,
           "DELETE FROM file_hold WHERE path = $1 AND lease_until <= $2 RETURNING path, agent",
           {path, records.now});
  if (!held) return Failure(std::move(held.error()));
  Result<Database::Rows> waited = records.sql.Query(
      "SELECT path, agent FROM file_wait WHERE path = $1 AND ends_at <= $2", {path, records.now});
  if (!waited) return Failure(std::move(waited.error()));
  // Whoever asks may not be the next one, and the sweep finds nothing of it any more.
  if (held->empty() && waited->empty()) return {};
  Result<void> done = Leave(records, *waited);
  if (done) done = EndWaitsBehind(records, *held);
  if (done) done = WakeNext(records, path);
  return done;
}

Result<void> WakeNext(Records& records, std::string_view path) {
  Result<std::vector<Hold>> holds = HoldsOn(records, path);
  if (!holds) return Failure(std::move(holds.error()));
  bool may = false;
  if (holds->size() == 1) {
    // Shares it, waits to have it alone, and is alone by now.
    Result<std::optional<InLineRow>> own = PlaceOf(records, path, holds->front().agent);
    if (!own) return Failure(std::move(own.error()));
    may = own->has_value();
  }
  if (!may) {
    Result<std::vector<InLineRow>> first = LineBefore(records, path, 1);
    if (!first) return Failure(std::move(first.error()));
    may = !first->empty() &&
          (holds->empty() || (first->front().shared && std::ranges::all_of(*holds, &Hold::shared)));
  }
  if (may) records.effects.lines.push_back(LineOf(path));
  return {};
}

Result<std::int64_t> RenewLocks(Records& records, std::string_view agent) {
  Result<Database::Rows> rows = records.sql.Query(
      "UPDATE file_hold SET lease_until = $1 + lease_ms WHERE agent = $2 AND lease_until > $1 "
      "RETURNING fence",
      {records.now, agent});
  if (!rows) return Failure(std::move(rows.error()));
  return static_cast<std::int64_t>(rows->size());
}

Result<std::int64_t> ReleaseLocks(Records& records, std::string_view agent) {
  Result<Database::Rows> held =
      Drop(records, kHeld, "DELETE FROM file_hold WHERE agent = $1 RETURNING path", {agent});
  if (!held) return Failure(std::move(held.error()));
  Result<Database::Rows> waited =
      Drop(records, kWaiting, "DELETE FROM file_wait WHERE agent = $1 RETURNING path", {agent});
  if (!waited) return Failure(std::move(waited.error()));
  Result<void> done = WakeAll(records, *held);
  if (done) done = WakeAll(records, *waited);
  // Whoever is called so next lost nothing.
  if (done) {
    done = records.sql.Execute("UPDATE file_forced SET lacks = 0 WHERE agent = $1 AND lacks = 1",
                               {agent});
  }
  if (!done) return Failure(std::move(done.error()));
  return static_cast<std::int64_t>(held->size());
}

Result<bool> SweepLocks(Records& records, std::int64_t limit) {
  Result<Database::Rows> held =
      Drop(records, kHeld,
           "DELETE FROM file_hold WHERE fence IN (SELECT fence FROM file_hold WHERE lease_until <= "
           "$1 LIMIT $2) RETURNING path, agent",
           {records.now, limit});
  if (!held) return Failure(std::move(held.error()));
  Result<Database::Rows> waited = records.sql.Query(
      "SELECT path, agent FROM file_wait WHERE ends_at <= $1 LIMIT $2", {records.now, limit});
  if (!waited) return Failure(std::move(waited.error()));
  Result<void> done = Leave(records, *waited);
  if (done) done = EndWaitsBehind(records, *held);
  if (done) done = WakeAll(records, *held);
  if (done) done = WakeAll(records, *waited);
  if (!done) return Failure(std::move(done.error()));
  Result<Database::Rows> old = records.sql.Query(
      "DELETE FROM file_forced WHERE id IN (SELECT id FROM file_forced WHERE at <= $1 LIMIT $2) "
      "RETURNING id",
      {records.now - records.settings.retain_ms, limit});
  if (!old) return Failure(std::move(old.error()));
  return std::ranges::any_of(std::array{held->size(), waited->size(), old->size()},
                             [limit](std::size_t count) { return std::cmp_equal(count, limit); });
}

Result<void> MoveLocks(Records& records, std::int64_t by) {
  Result<void> moved =
      records.sql.Execute("UPDATE file_hold SET lease_until = lease_until + $1", {by});
  if (!moved) return moved;
  return records.sql.Execute("UPDATE file_wait SET ends_at = ends_at + $1", {by});
}

Result<void> GoOnWithLocks(Records& records, std::int64_t alive, std::int64_t least) {
  Result<void> done = records.sql.Execute(
      "UPDATE file_hold SET lease_until = $1 + CASE WHEN lease_until - $2 >= lease_ms OR lease_ms "
      "<= $3 THEN lease_ms WHEN lease_until - $2 > $3 THEN lease_until - $2 ELSE $3 END, ticket = "
      "0, was_fence = 0",
      {records.now, alive, least});
  if (done) {
    // The records may be gone, or older ones that were put back; what files were written under
    // is not.
    done = records.sql.Execute(
        "UPDATE counter SET value = $1 WHERE name = 'lock_fence' AND value < $1", {records.now});
  }
  if (done) done = records.sql.Execute("DELETE FROM file_wait");
  if (done) {
    done = records.sql.Execute("DELETE FROM wait_for WHERE kind = $1",
                               {static_cast<int>(WaitKind::kLock)});
  }
  if (done) done = records.sql.Execute("UPDATE counter SET value = 0 WHERE name = $1", {kWaiting});
  return done;
}

}  // namespace switchyard::orchestration
