#include "orchestration/search.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace switchyard::orchestration {
namespace {

using Parameter = Database::Parameter;

constexpr std::size_t kConditions = 7;
// In the order of their bits.
constexpr std::array<std::string_view, kConditions> kColumns = {
    "status", "priority", "task_type", "assigned_to", "parent", "project", "goal"};

// Texts of statements live as long as the database keeps what it made of them.
const std::string& SqlFor(unsigned which) {
  static const auto kTexts = [] {
    std::array<std::string, 1U << kConditions> texts;
    for (unsigned bits = 0; bits < texts.size(); ++bits) {
      std::string& sql = texts[bits];
      sql = fmt::format("SELECT {} FROM task WHERE id < $1 AND id >= $2", TaskColumns());
      int place = 3;
      for (std::size_t i = 0; i < kConditions; ++i) {
        if ((bits >> i & 1U) != 0) sql += fmt::format(" AND {} = ${}", kColumns[i], place++);
      }
      sql += fmt::format(" ORDER BY id DESC LIMIT ${}", place);
    }
    return texts;
  }();
  return kTexts[which];
}

}  // namespace

Result<TaskPage> Search(Records& records, const TaskFilter& filter) {
  Result<Database::Rows> newest =
      records.sql.Query("SELECT value FROM counter WHERE name = 'task'");
  if (!newest) return Failure(std::move(newest.error()));
  const TaskId end = newest->front().Number(0) + 1;
  const TaskId before = filter.before == 0 ? end : std::min(filter.before, end);
  std::vector<Parameter> conditions;
  unsigned which = 0;
  const auto add = [&](unsigned bit, bool given, const Parameter& value) {
    if (!given) return;
    which |= 1U << bit;
    conditions.push_back(value);
  };
  add(0, filter.status.has_value(), static_cast<int>(filter.status.value_or(Status::kPending)));
  add(1, filter.priority.has_value(), static_cast<int>(filter.priority.value_or(Priority::kLow)));
  add(2, !filter.task_type.empty(), filter.task_type);
  add(3, !filter.assigned_to.empty(), filter.assigned_to);
  add(4, filter.parent != 0, filter.parent);
  add(5, filter.project != 0, filter.project);
  add(6, filter.goal != 0, filter.goal);
  const bool exact = conditions.empty() || (conditions.size() == 1 && !filter.priority);
  const TaskId from = exact ? 1 : std::max<TaskId>(before - kMostLookedAt, 1);
  std::vector<Parameter> parameters{before, from};
  parameters.insert(parameters.end(), conditions.begin(), conditions.end());
  parameters.emplace_back(filter.limit + 1);
  Result<std::vector<Task>> tasks = ReadTasks(records, SqlFor(which), parameters);
  if (!tasks) return Failure(std::move(tasks.error()));
  TaskPage page{.tasks = std::move(*tasks)};
  if (std::cmp_greater(page.tasks.size(), filter.limit)) {
    page.tasks.pop_back();
    page.next = page.tasks.back().id;
  } else if (from > 1) {
    page.next = from;
  }
  return page;
}

}  // namespace switchyard::orchestration
