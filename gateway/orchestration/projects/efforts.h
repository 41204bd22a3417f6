// Efforts: projects, and goals, which may be of a project. Tasks belong to them, and how far they
// are is known from counters that follow each change of a task.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/arguments.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

// As they are stored: never renumbered.
enum class Kind : std::uint8_t { kProject, kGoal };
enum class EffortStatus : std::uint8_t { kPlanned, kActive, kOnHold, kCompleted, kCancelled };
inline constexpr std::array<std::string_view, 5> kEffortStatuses = {"planned", "active", "on_hold",
                                                                    "completed", "cancelled"};

std::string_view ToString(EffortStatus status);
std::optional<EffortStatus> EffortStatusOf(std::string_view word);
constexpr bool IsOpen(EffortStatus status) {
  return status != EffortStatus::kCompleted && status != EffortStatus::kCancelled;
}
std::string_view ToString(Kind kind);  // "project"

using EffortId = std::int64_t;                                  // counts from 1, for each kind
std::string ToText(Kind kind, EffortId id);                     // "project_00000001"
Result<EffortId> EffortIdOf(Kind kind, std::string_view text);  // kInvalid
// Of a call; 0 = not given.
EffortId EffortIn(Arguments& arguments, Kind kind, std::string_view names,
                  Arguments::Need need = Arguments::Need::kOptional);

inline constexpr std::int64_t kMaxProjects = 10'000;  // that are kept, closed ones with them
inline constexpr std::int64_t kMaxGoals = 100'000;
inline constexpr std::size_t kMaxDescription = 16 * 1024;

struct Effort {
  Kind kind = Kind::kProject;
  EffortId id = 0, project = 0;
  std::string name = {}, description = {}, lead = {};
  EffortStatus status = EffortStatus::kPlanned;
  std::string creator = {};
  std::int64_t created_at = 0, updated_at = 0;
  std::array<std::int64_t, kStatuses> tasks{};  // by their states
  std::int64_t goals = 0, goals_open = 0;       // of a project
  // Of a new one: a repeated call with this key gives the first. "" = none.
  std::string idempotency = {};

  std::int64_t total() const;
  std::int64_t unfinished() const;
  // Of what was not cancelled, in thousandths; 0 = there is nothing.
  std::int64_t progress() const;
};

Result<Effort> FindEffort(Records& records, Kind kind, EffortId id);  // kNotFound
// kInvalid: its project is closed, or there are too many. kForbidden: another caller made that.
Result<Effort> CreateEffort(Records& records, Effort effort);

struct EffortUpdate {
  std::optional<std::string> name = {}, description = {}, lead = {};
  std::optional<EffortStatus> status = {};
};
// kInvalid: it is to be completed and has work left, or its project is closed. kForbidden: another
// caller made it, and its project.
Result<Effort> UpdateEffort(Records& records, Kind kind, EffortId id, const EffortUpdate& update);

struct EffortFilter {
  Kind kind = Kind::kProject;
  std::optional<EffortStatus> status = {};
  EffortId project = 0;  // of goals; 0 = any
  EffortId before = 0;   // a cursor: ids below it; 0 = from the newest on
  std::int64_t limit = 10;
};
// Newest first.
Result<std::vector<Effort>> FindEfforts(Records& records, const EffortFilter& filter);

// What a new task belongs to: what is named, the project of the goal that is, or else what its
// parent belongs to, if that is open and the caller may add to it, or has the parent. kInvalid:
// they do not fit together, or are closed. kForbidden: another caller made it.
struct Belongs {
  EffortId project = 0, goal = 0;
};
Result<Belongs> BelongsTo(Records& records, const Belongs& named, const Task& parent);

// kInvalid: what it belongs to is closed.
Result<void> RefuseClosed(Records& records, const Task& task);
// The caller made a project or goal that it belongs to.
Result<bool> MadeItsEffort(Records& records, const Task& task);
std::string_view KeptCounter(Kind kind);

// A task came to be in this state (1) or left it (-1). The first one that somebody takes makes what
// was planned active.
Result<void> RollUp(Records& records, const Task& task, std::int64_t by);

// Forgets those that are closed for long. True: there may be more.
Result<bool> SweepEfforts(Records& records, std::int64_t limit = 500);

}  // namespace switchyard::orchestration
