#include "orchestration/projects/efforts.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/digest.h"
#include "orchestration/agents.h"
#include "orchestration/size.h"

namespace switchyard::orchestration {
namespace {

#define SWITCHYARD_EFFORT_COLUMNS                                                                \
  "kind, id, project, name, description, lead, status, creator, created_at, updated_at, goals, " \
  "goals_open, pending, assigned, in_progress, completed, failed, cancelled"

int Number(Kind kind) { return static_cast<int>(kind); }
int Number(EffortStatus status) { return static_cast<int>(status); }

Effort Read(const Database::Row& row) {
  Effort effort{.kind = static_cast<Kind>(row.Number(0)),
                .id = row.Number(1),
                .project = row.Number(2),
                .name = row.Text(3),
                .description = row.Text(4),
                .lead = row.Text(5),
                .status = static_cast<EffortStatus>(row.Number(6)),
                .creator = row.Text(7),
                .created_at = row.Number(8),
                .updated_at = row.Number(9),
                .goals = row.Number(10),
                .goals_open = row.Number(11)};
  for (std::size_t i = 0; i < effort.tasks.size(); ++i) effort.tasks[i] = row.Number(12 + i);
  return effort;
}

Result<std::vector<Effort>> ReadEfforts(Records& records, std::string_view sql,
                                        std::initializer_list<Database::Parameter> parameters) {
  Result<Database::Rows> rows = records.sql.Query(sql, parameters);
  if (!rows) return Failure(std::move(rows.error()));
  std::vector<Effort> efforts;
  efforts.reserve(rows->size());
  for (const Database::Row& row : *rows) efforts.push_back(Read(row));
  return efforts;
}

std::string_view OpenCounter(Kind kind) {
  return kind == Kind::kProject ? "projects_open" : "goals_open";
}

// A proved caller has a tenth of what there may be, so that others have room.
Result<void> MakeRoom(Records& records, Kind kind) {
  if (Result<void> room = RefuseAdding(records); !room) return room;
  const std::int64_t most = kind == Kind::kProject ? kMaxProjects : kMaxGoals;
  Result<Database::Rows> kept =
      records.sql.Query("SELECT value FROM counter WHERE name = $1", {KeptCounter(kind)});
  if (!kept) return Failure(std::move(kept.error()));
  const bool full = !kept->empty() && kept->front().Number(0) >= most;
  if (!full && records.caller.empty()) return {};
  Result<Database::Rows> own = records.sql.Query(
      "SELECT count(*) FROM (SELECT id FROM effort WHERE creator = $1 AND kind = $2 LIMIT $3) AS "
      "own",
      {records.caller, Number(kind), most / 10});
  if (!own) return Failure(std::move(own.error()));
  if (!full && own->front().Number(0) < most / 10) return {};
  return Refused(fmt::format(
      "there are {} {}s{}, the most there may be; what is completed or cancelled is forgotten "
      "after retain",
      full ? most : most / 10, ToString(kind), full ? "" : " of yours"));
}

// Of its kind, and of the goals of its project.
Result<void> CountOpen(Records& records, const Effort& effort, std::int64_t by) {
  Result<void> done = CountUp(records, OpenCounter(effort.kind), by);
  if (done && effort.project != 0) {
    done = records.sql.Execute(
        "UPDATE effort SET goals_open = goals_open + $1 WHERE kind = 0 AND id = $2",
        {by, effort.project});
  }
  return done;
}

Result<void> RefuseClosed(const Effort& effort) {
  if (IsOpen(effort.status)) return {};
  return Refused(fmt::format("{} is {}: update_{} makes it active again",
                             ToText(effort.kind, effort.id), ToString(effort.status),
                             ToString(effort.kind)));
}

// Who made it answers for it, so nobody else adds to it.
bool IsOwn(const Records& records, const Effort& effort) {
  return effort.creator.empty() || effort.creator == records.caller ||
         records.rights.Has(Right::kForce);
}

Result<void> MayAdd(const Records& records, const Effort& effort) {
  if (!IsOwn(records, effort)) {
    return Forbidden(ToText(effort.kind, effort.id) +
                     " was created by another caller, who alone adds to it");
  }
  return RefuseClosed(effort);
}

// None: an id of 0.
Result<Effort> FindOrNone(Records& records, Kind kind, EffortId id) {
  if (id == 0) return Effort();
  Result<Effort> found = FindEffort(records, kind, id);
  if (!found && found.error().code == Code::kNotFound) return Effort();
  return found;
}

Result<void> RefuseClosed(Records& records, EffortId project) {
  Result<Effort> found = FindEffort(records, Kind::kProject, project);
  if (!found) return Failure(std::move(found.error()));
  return RefuseClosed(*found);
}

// A goal is also changed by who made its project.
Result<bool> MayChange(Records& records, const Effort& effort) {
  if (IsOwn(records, effort)) return true;
  Result<Effort> project = FindOrNone(records, Kind::kProject, effort.project);
  if (!project) return Failure(std::move(project.error()));
  return project->id != 0 && !project->creator.empty() && IsOwn(records, *project);
}

// Whoever has a task splits it, whoever made what it belongs to.
Result<bool> HasIt(Records& records, const Task& task) {
  if (!IsHeld(task.status)) return false;
  Result<Agent> agent = FindAgent(records, task.assigned_to);
  if (!agent && agent.error().code == Code::kNotFound) return false;
  if (!agent) return Failure(std::move(agent.error()));
  return agent->owner.empty() || agent->owner == records.caller;
}

Result<Belongs> Inherited(Records& records, const Task& parent) {
  if (parent.project == 0 && parent.goal == 0) return Belongs();
  Result<Effort> project = FindOrNone(records, Kind::kProject, parent.project);
  if (!project) return Failure(std::move(project.error()));
  Result<Effort> goal = FindOrNone(records, Kind::kGoal, parent.goal);
  if (!goal) return Failure(std::move(goal.error()));
  Result<bool> has = HasIt(records, parent);
  if (!has) return Failure(std::move(has.error()));
  const auto takes = [&](const Effort& effort) {
    return effort.id != 0 && IsOpen(effort.status) && (*has || IsOwn(records, effort));
  };
  Belongs belongs;
  if (takes(*project)) belongs.project = project->id;
  if (takes(*goal) && goal->project == belongs.project) belongs.goal = goal->id;
  return belongs;
}

// What a repeated call must ask for again.
std::string DigestOf(const Effort& effort) {
  const boost::json::array all{effort.project, effort.name, effort.description, effort.lead,
                               ToString(effort.status)};
  return Sha256(boost::json::serialize(all)).substr(0, 32);
}

// What a call with this key made before; an id of 0 = nothing.
Result<Effort> MadeBefore(Records& records, const Effort& wanted, const std::string& digest) {
  if (wanted.idempotency.empty()) return Effort();
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT id, digest FROM effort WHERE creator = $1 AND kind = $2 AND idempotency = $3",
      {records.caller, Number(wanted.kind), wanted.idempotency});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return Effort();
  const EffortId id = rows->front().Number(0);
  if (rows->front().Text(1) == digest) return FindEffort(records, wanted.kind, id);
  return Refused("idempotency_key \"" + wanted.idempotency + "\" made " + ToText(wanted.kind, id) +
                 ", which asked for something else; use another key");
}

Result<void> CheckLead(Records& records, const std::string& lead) {
  if (lead.empty()) return {};
  Result<Agent> agent = FindAgent(records, lead);
  if (!agent) return Failure(std::move(agent.error()).In("lead_agent_id"));
  return {};
}

Result<void> MayComplete(const Effort& effort) {
  if (effort.unfinished() > 0) {
    return Refused(fmt::format(
        "{} has {} tasks that are not finished: complete or cancel them, or make it cancelled",
        ToText(effort.kind, effort.id), effort.unfinished()));
  }
  if (effort.goals_open > 0) {
    return Refused(fmt::format("{} has {} open goals: complete or cancel them first",
                               ToText(effort.kind, effort.id), effort.goals_open));
  }
  return {};
}

}  // namespace

std::int64_t Effort::total() const {
  return std::accumulate(tasks.begin(), tasks.end(), std::int64_t{0});
}

std::int64_t Effort::unfinished() const {
  return tasks[static_cast<std::size_t>(Status::kPending)] +
         tasks[static_cast<std::size_t>(Status::kAssigned)] +
         tasks[static_cast<std::size_t>(Status::kInProgress)];
}

std::int64_t Effort::progress() const {
  const std::int64_t wanted = total() - tasks[static_cast<std::size_t>(Status::kCancelled)];
  if (wanted == 0) return 0;
  return 1000 * tasks[static_cast<std::size_t>(Status::kCompleted)] / wanted;
}

Result<Effort> FindEffort(Records& records, Kind kind, EffortId id) {
  Result<std::vector<Effort>> found = ReadEfforts(
      records, "SELECT " SWITCHYARD_EFFORT_COLUMNS " FROM effort WHERE kind = $1 AND id = $2",
      {Number(kind), id});
  if (!found) return Failure(std::move(found.error()));
  if (found->empty()) {
    return Unknown(
        fmt::format("there is no {} {}, or no longer", ToString(kind), ToText(kind, id)));
  }
  return std::move(found->front());
}

Result<Effort> CreateEffort(Records& records, Effort effort) {
  const std::string digest = DigestOf(effort);
  Result<Effort> before = MadeBefore(records, effort, digest);
  if (!before || before->id != 0) return before;
  Result<void> fine = MakeRoom(records, effort.kind);
  if (fine) fine = CheckLead(records, effort.lead);
  if (!fine) return Failure(std::move(fine.error()));
  if (effort.project != 0) {
    Result<Effort> project = FindEffort(records, Kind::kProject, effort.project);
    if (!project) return project;
    if (Result<void> may = MayAdd(records, *project); !may) return Failure(std::move(may.error()));
  }
  Result<EffortId> id = Next(records, ToString(effort.kind));
  if (!id) return Failure(std::move(id.error()));
  effort.id = *id;
  effort.creator = records.caller;
  effort.created_at = effort.updated_at = records.now;
  Result<void> done = records.sql.Execute(
      "INSERT INTO effort (" SWITCHYARD_EFFORT_COLUMNS
      ", idempotency, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0, 0, 0, 0, 0, 0, 0, "
      "0, CASE WHEN $10 = '' THEN NULL ELSE $10 END, $11)",
      {Number(effort.kind), effort.id, effort.project, effort.name, effort.description, effort.lead,
       Number(effort.status), effort.creator, effort.created_at, effort.idempotency, digest});
  if (done && effort.project != 0) {
    done = records.sql.Execute("UPDATE effort SET goals = goals + 1 WHERE kind = 0 AND id = $1",
                               {effort.project});
  }
  if (done) done = CountUp(records, KeptCounter(effort.kind));
  if (done && IsOpen(effort.status)) done = CountOpen(records, effort, 1);
  if (!done) return Failure(std::move(done.error()));
  return effort;
}

Result<Effort> UpdateEffort(Records& records, Kind kind, EffortId id, const EffortUpdate& update) {
  Result<Effort> found = FindEffort(records, kind, id);
  if (!found) return found;
  Result<bool> may = MayChange(records, *found);
  if (!may) return Failure(std::move(may.error()));
  if (!*may) return Forbidden(ToText(kind, id) + " was created by another caller");
  Effort after = *found;
  if (update.name) after.name = *update.name;
  if (update.description) after.description = *update.description;
  if (update.lead) after.lead = *update.lead;
  if (update.status) after.status = *update.status;
  after.updated_at = records.now;
  Result<void> fine = {};
  if (after.description.size() > found->description.size()) fine = RefuseAdding(records);
  if (fine && update.lead) fine = CheckLead(records, after.lead);
  if (fine && after.status == EffortStatus::kCompleted && found->status != after.status) {
    fine = MayComplete(after);
  }
  const bool opens = !IsOpen(found->status) && IsOpen(after.status);
  if (fine && opens && found->project != 0) fine = RefuseClosed(records, found->project);
  if (fine) {
    fine = records.sql.Execute(
        "UPDATE effort SET name = $1, description = $2, lead = $3, status = $4, updated_at = $5 "
        "WHERE kind = $6 AND id = $7",
        {after.name, after.description, after.lead, Number(after.status), after.updated_at,
         Number(kind), id});
  }
  if (fine && opens) fine = CountOpen(records, after, 1);
  if (fine && IsOpen(found->status) && !IsOpen(after.status)) fine = CountOpen(records, after, -1);
  if (!fine) return Failure(std::move(fine.error()));
  return after;
}

Result<std::vector<Effort>> FindEfforts(Records& records, const EffortFilter& filter) {
  const EffortId before = filter.before == 0 ? INT64_MAX : filter.before;
  const int status = filter.status ? Number(*filter.status) : 0;
  if (filter.project != 0 && filter.status) {
    return ReadEfforts(
        records,
        "SELECT " SWITCHYARD_EFFORT_COLUMNS
        " FROM effort WHERE project = $1 AND project > 0 AND id < $2 AND status = $3 "
        "ORDER BY id DESC LIMIT $4",
        {filter.project, before, status, filter.limit});
  }
  if (filter.project != 0) {
    return ReadEfforts(records,
                       "SELECT " SWITCHYARD_EFFORT_COLUMNS
                       " FROM effort WHERE project = $1 AND project > 0 AND id < $2 ORDER BY id "
                       "DESC LIMIT $3",
                       {filter.project, before, filter.limit});
  }
  if (filter.status) {
    return ReadEfforts(records,
                       "SELECT " SWITCHYARD_EFFORT_COLUMNS
                       " FROM effort WHERE kind = $1 AND status = $2 AND id < $3 ORDER BY id DESC "
                       "LIMIT $4",
                       {Number(filter.kind), status, before, filter.limit});
  }
  return ReadEfforts(records,
                     "SELECT " SWITCHYARD_EFFORT_COLUMNS
                     " FROM effort WHERE kind = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                     {Number(filter.kind), before, filter.limit});
}

Result<Belongs> BelongsTo(Records& records, const Belongs& named, const Task& parent) {
  if (named.project == 0 && named.goal == 0) return Inherited(records, parent);
  Belongs belongs = named;
  if (named.goal != 0) {
    Result<Effort> goal = FindEffort(records, Kind::kGoal, named.goal);
    if (!goal) return Failure(std::move(goal.error()));
    if (Result<void> may = MayAdd(records, *goal); !may) return Failure(std::move(may.error()));
    if (named.project != 0 && named.project != goal->project) {
      return Refused(ToText(Kind::kGoal, goal->id) + " is not of " +
                     ToText(Kind::kProject, named.project) + "; leave project_id out");
    }
    belongs.project = goal->project;
  }
  if (belongs.project == 0) return belongs;
  Result<Effort> project = FindEffort(records, Kind::kProject, belongs.project);
  if (!project) return Failure(std::move(project.error()));
  // To add to a goal of one's own is to add to the project that it was let into.
  Result<void> may = named.goal == 0 ? MayAdd(records, *project) : RefuseClosed(*project);
  if (!may) return Failure(std::move(may.error()));
  return belongs;
}

Result<void> RefuseClosed(Records& records, const Task& task) {
  for (const auto& [kind, id] :
       {std::pair(Kind::kProject, task.project), std::pair(Kind::kGoal, task.goal)}) {
    Result<Effort> effort = FindOrNone(records, kind, id);
    if (!effort) return Failure(std::move(effort.error()));
    if (effort->id == 0) continue;
    if (Result<void> open = RefuseClosed(*effort); !open) return open;
  }
  return {};
}

Result<bool> MadeItsEffort(Records& records, const Task& task) {
  for (const auto& [kind, id] :
       {std::pair(Kind::kProject, task.project), std::pair(Kind::kGoal, task.goal)}) {
    Result<Effort> effort = FindOrNone(records, kind, id);
    if (!effort) return Failure(std::move(effort.error()));
    if (effort->id != 0 && !effort->creator.empty() && effort->creator == records.caller) {
      return true;
    }
  }
  return false;
}

}  // namespace switchyard::orchestration
