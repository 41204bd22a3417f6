#include "orchestration/coordination/waits.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "orchestration/task.h"

namespace switchyard::orchestration {
namespace {

// Of one agent, and in one search: who waits for more than that is no use to anybody anyhow.
constexpr std::int64_t kMostWaits = 100;
constexpr std::size_t kMostSearched = 300;
constexpr std::int64_t kMostParts = 1000;
constexpr std::size_t kNone = SIZE_MAX;

struct Step {
  std::string agent = {};
  bool lets_go = true;  // what is wanted of it: to let something go, or only to answer
  std::string why = {};
  std::size_t from = kNone;
};

class CycleSearch {
 public:
  CycleSearch(Records& records, const Wait& wait) : records_(records), wait_(wait) {}

  Result<std::string> Run(std::span<const std::string> holders) {
    for (const std::string& holder : holders) {
      Reach({.agent = holder, .lets_go = wait_.kind == WaitKind::kLock, .why = wait_.about});
    }
    for (std::size_t at = 0; at < steps_.size(); ++at) {
      if (steps_[at].agent == wait_.waiter) return Named(at);
      if (steps_.size() > kMostSearched) {
        return Refused("too many agents wait for one another: " + wait_.about +
                       " is not waited for; try again later");
      }
      Result<void> done = FollowWaits(at);
      if (done && steps_[at].lets_go) done = FollowTasks(at);
      if (!done) return Failure(std::move(done.error()));
    }
    return std::string();
  }

 private:
  void Reach(Step step) {
    if (seen_.emplace(step.agent, step.lets_go).second) steps_.push_back(std::move(step));
  }

  Result<void> FollowWaits(std::size_t at) {
    Result<std::vector<Wait>> waits = WaitsOf(records_, steps_[at].agent);
    if (!waits) return Failure(std::move(waits.error()));
    for (Wait& wait : *waits) {
      Reach({.agent = std::move(wait.holder),
             .lets_go = wait.kind == WaitKind::kLock,
             .why = std::move(wait.about),
             .from = at});
    }
    return {};
  }

  // Those who have parts of what it has, and those who have what such parts depend on.
  // CROSS JOIN, for an engine that knows nothing of the numbers of rows may begin at all pending
  // tasks else; and a search stands in the way of every other call, so each step of it has an end.
#define SWITCHYARD_WHOLE                                                                \
  "WITH whole AS (SELECT id FROM task WHERE assigned_to = $1 AND status IN (1, 2) AND " \
  "lease_until "                                                                        \
  "IS NOT NULL LIMIT $2)"
  Result<void> FollowTasks(std::size_t at) {
    Result<void> done = FollowHolders(
        at, SWITCHYARD_WHOLE
        " SELECT part.id, part.assigned_to FROM whole CROSS JOIN task AS part WHERE part.parent = "
        "whole.id AND part.finished_at = 0 AND part.status IN (1, 2) LIMIT $3");
    if (!done) return done;
    return FollowHolders(
        at, SWITCHYARD_WHOLE
        ", waits AS (SELECT part.id FROM whole CROSS JOIN task AS part WHERE part.parent = "
        "whole.id AND part.finished_at = 0 AND part.status = 0 AND part.waits_for > 0 LIMIT $3) "
        "SELECT needed.id, needed.assigned_to FROM waits CROSS JOIN dependency CROSS JOIN task AS "
        "needed WHERE dependency.task = waits.id AND needed.id = dependency.needs AND "
        "needed.lease_until > 0 LIMIT $3");
  }
#undef SWITCHYARD_WHOLE

  Result<void> FollowHolders(std::size_t at, std::string_view sql) {
    Result<Database::Rows> rows =
        records_.sql.Query(sql, {steps_[at].agent, kMostWaits, kMostParts});
    if (!rows) return Failure(std::move(rows.error()));
    for (const Database::Row& row : *rows) {
      if (row.Text(1) == steps_[at].agent) continue;
      Reach({.agent = row.Text(1), .why = ToText(row.Number(0)), .from = at});
    }
    return {};
  }

  // From the first wait on, along those that led back to its waiter.
  std::string Named(std::size_t last) const {
    std::vector<std::size_t> way{last};
    while (steps_[way.back()].from != kNone) way.push_back(steps_[way.back()].from);
    std::ranges::reverse(way);
    std::string cycle, before = wait_.waiter;
    for (const std::size_t step : way) {
      if (!cycle.empty()) cycle += ", ";
      cycle += fmt::format("{} waits for {} ({})", before, steps_[step].agent, steps_[step].why);
      before = steps_[step].agent;
    }
    return cycle;
  }

  Records& records_;
  const Wait& wait_;
  std::vector<Step> steps_;
  std::set<std::pair<std::string, bool>> seen_;
};

Result<void> RefuseCycle(Records& records, const Wait& wait, std::span<const std::string> holders) {
  Result<std::string> cycle = CycleSearch(records, wait).Run(holders);
  if (!cycle) return Failure(std::move(cycle.error()));
  if (!cycle->empty()) return Refused("this would be a deadlock: " + *cycle);
  return {};
}

Result<void> Keep(Records& records, const Wait& wait, const std::string& holder) {
  return records.sql.Execute(
      "INSERT INTO wait_for (waiter, holder, kind, about, until_at) VALUES ($1, $2, $3, $4, $5) ON "
      "CONFLICT (waiter, about, holder) DO UPDATE SET until_at = excluded.until_at",
      {wait.waiter, holder, static_cast<int>(wait.kind), wait.about, wait.until});
}

}  // namespace

Result<std::vector<Wait>> WaitsOf(Records& records, std::string_view agent) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT holder, kind, about, until_at FROM wait_for WHERE waiter = $1 AND (until_at = 0 OR "
      "until_at > $2) ORDER BY about, holder LIMIT $3",
      {agent, records.now, kMostWaits});
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Wait> waits;
  waits.reserve(rows->size());
  for (const Database::Row& row : *rows) {
    waits.push_back({.waiter = std::string(agent),
                     .holder = row.Text(0),
                     .kind = static_cast<WaitKind>(row.Number(1)),
                     .about = row.Text(2),
                     .until = row.Number(3)});
  }
  return waits;
}

Result<std::string> CycleBy(Records& records, const Wait& wait) {
  return CycleSearch(records, wait).Run({&wait.holder, 1});
}

Result<void> AddWait(Records& records, const Wait& wait) {
  if (Result<void> fine = RefuseCycle(records, wait, {&wait.holder, 1}); !fine) return fine;
  return Keep(records, wait, wait.holder);
}

Result<void> AddWaits(Records& records, const Wait& wait, const std::vector<std::string>& holders) {
  const std::span first(holders.begin(),
                        std::min(holders.size(), static_cast<std::size_t>(kMostWaits)));
  Result<void> done = EndWait(records, wait.waiter, wait.about);
  if (done) done = RefuseCycle(records, wait, first);
  for (const std::string& holder : first) {
    if (done) done = Keep(records, wait, holder);
  }
  return done;
}

Result<void> EndWait(Records& records, std::string_view waiter, std::string_view about) {
  return records.sql.Execute("DELETE FROM wait_for WHERE waiter = $1 AND about = $2",
                             {waiter, about});
}

Result<void> EndWaitsFor(Records& records, std::string_view holder, std::string_view about) {
  return records.sql.Execute("DELETE FROM wait_for WHERE holder = $1 AND about = $2",
                             {holder, about});
}

Result<void> EndWaitsOf(Records& records, std::string_view agent) {
  Result<void> done = records.sql.Execute("DELETE FROM wait_for WHERE waiter = $1", {agent});
  if (done) done = records.sql.Execute("DELETE FROM wait_for WHERE holder = $1", {agent});
  return done;
}

}  // namespace switchyard::orchestration
