#include "orchestration/projects/efforts.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "orchestration/agents.h"

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

Result<void> MakeRoom(Records& records, Kind kind) {
  Result<Database::Rows> open =
      records.sql.Query("SELECT value FROM counter WHERE name = $1", {OpenCounter(kind)});
  if (!open) return Failure(std::move(open.error()));
  const std::int64_t most = kind == Kind::kProject ? kMaxProjects : kMaxGoals;
  if (open->empty() || open->front().Number(0) < most) return {};
  return Refused(fmt::format("there are {} open {}s, the most there may be; complete some", most,
                             ToString(kind)));
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

std::string_view ToString(EffortStatus status) {
  return kEffortStatuses[static_cast<std::size_t>(status)];
}

std::optional<EffortStatus> EffortStatusOf(std::string_view word) {
  const auto* const found = std::ranges::find(kEffortStatuses, word);
  if (found == kEffortStatuses.end()) return std::nullopt;
  return static_cast<EffortStatus>(found - kEffortStatuses.begin());
}

std::string_view ToString(Kind kind) { return kind == Kind::kProject ? "project" : "goal"; }

std::string ToText(Kind kind, EffortId id) { return fmt::format("{}_{:08}", ToString(kind), id); }

Result<EffortId> EffortIdOf(Kind kind, std::string_view text) {
  constexpr std::size_t kMostDigits = 18;
  const std::string prefix = std::string(ToString(kind)) + "_";
  const std::string_view digits = text.starts_with(prefix) ? text.substr(prefix.size()) : "";
  EffortId id = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool whole = fault == std::errc() && end == digits.data() + digits.size();
  if (whole && id > 0 && digits.size() <= kMostDigits) return id;
  return Refused(fmt::format("an id of a {0} reads like {1}, as create_{0} gave it", ToString(kind),
                             ToText(kind, 12)));
}

EffortId EffortIn(Arguments& arguments, Kind kind, std::string_view names, Arguments::Need need) {
  const std::optional<std::string> text = arguments.Word(names, kMaxId, need);
  if (!text) return 0;
  Result<EffortId> id = EffortIdOf(kind, *text);
  if (id) return *id;
  arguments.Wrong(std::string(names.substr(0, names.find('|'))) + ": " + id.error().message);
  return 0;
}

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
  Result<void> fine = MakeRoom(records, effort.kind);
  if (fine) fine = CheckLead(records, effort.lead);
  if (!fine) return Failure(std::move(fine.error()));
  if (effort.project != 0) {
    Result<Effort> project = FindEffort(records, Kind::kProject, effort.project);
    if (!project) return project;
    if (Result<void> open = RefuseClosed(*project); !open) return Failure(std::move(open.error()));
  }
  Result<EffortId> id = Next(records, ToString(effort.kind));
  if (!id) return Failure(std::move(id.error()));
  effort.id = *id;
  effort.creator = records.caller;
  effort.created_at = effort.updated_at = records.now;
  Result<void> done = records.sql.Execute(
      "INSERT INTO effort (" SWITCHYARD_EFFORT_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0, 0, 0, 0, 0, 0, 0, 0)",
      {Number(effort.kind), effort.id, effort.project, effort.name, effort.description, effort.lead,
       Number(effort.status), effort.creator, effort.created_at});
  if (done && effort.project != 0) {
    done = records.sql.Execute("UPDATE effort SET goals = goals + 1 WHERE kind = 0 AND id = $1",
                               {effort.project});
  }
  if (done && IsOpen(effort.status)) done = CountOpen(records, effort, 1);
  if (!done) return Failure(std::move(done.error()));
  return effort;
}

Result<Effort> UpdateEffort(Records& records, Kind kind, EffortId id, const EffortUpdate& update) {
  Result<Effort> found = FindEffort(records, kind, id);
  if (!found) return found;
  if (!found->creator.empty() && found->creator != records.caller &&
      !records.rights.Has(Right::kForce)) {
    return Forbidden(ToText(kind, id) + " was created by another caller");
  }
  Effort after = *found;
  if (update.name) after.name = *update.name;
  if (update.description) after.description = *update.description;
  if (update.lead) after.lead = *update.lead;
  if (update.status) after.status = *update.status;
  after.updated_at = records.now;
  Result<void> fine = {};
  if (update.lead) fine = CheckLead(records, after.lead);
  if (fine && after.status == EffortStatus::kCompleted && found->status != after.status) {
    fine = MayComplete(after);
  }
  const bool opens = !IsOpen(found->status) && IsOpen(after.status);
  if (fine && opens) fine = MakeRoom(records, kind);
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
  if (named.project == 0 && named.goal == 0) {
    return Belongs{.project = parent.project, .goal = parent.goal};
  }
  Belongs belongs = named;
  if (named.goal != 0) {
    Result<Effort> goal = FindEffort(records, Kind::kGoal, named.goal);
    if (!goal) return Failure(std::move(goal.error()));
    if (Result<void> open = RefuseClosed(*goal); !open) return Failure(std::move(open.error()));
    if (named.project != 0 && named.project != goal->project) {
      return Refused(ToText(Kind::kGoal, goal->id) + " is not of " +
                     ToText(Kind::kProject, named.project) + "; leave project_id out");
    }
    belongs.project = goal->project;
  }
  if (belongs.project == 0) return belongs;
  Result<Effort> project = FindEffort(records, Kind::kProject, belongs.project);
  if (!project) return Failure(std::move(project.error()));
  if (Result<void> open = RefuseClosed(*project); !open) return Failure(std::move(open.error()));
  return belongs;
}

}  // namespace switchyard::orchestration
