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
// Another bit: in the index of what agents have.
constexpr unsigned kHeld = 1U << kConditions;

// Texts of statements live as long as the database keeps what it made of them.
const std::string& SqlFor(unsigned which) {
  static const auto kTexts = [] {
    std::array<std::string, 2 * kHeld> texts;
    for (unsigned bits = 0; bits < texts.size(); ++bits) {
      std::string& sql = texts[bits];
      sql = "SELECT id FROM task WHERE id < $1 AND id >= $2";
      int place = 3;
      for (std::size_t i = 0; i < kConditions; ++i) {
        if ((bits >> i & 1U) != 0) sql += fmt::format(" AND {} = ${}", kColumns[i], place++);
      }
      if ((bits & kHeld) != 0) sql += " AND lease_until IS NOT NULL";
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
  const bool held = !filter.assigned_to.empty() && filter.status && IsHeld(*filter.status);
  if (held) which |= kHeld;
  const bool exact = conditions.size() <= 1 || held;
  const TaskId from = exact ? 1 : std::max<TaskId>(before - kMostLookedAt, 1);
  std::vector<Parameter> parameters{before, from};
  parameters.insert(parameters.end(), conditions.begin(), conditions.end());
  parameters.emplace_back(filter.limit + 1);
  Result<Database::Rows> ids = records.sql.Query(SqlFor(which), parameters);
  if (!ids) return Failure(std::move(ids.error()));
  TaskPage page;
  std::size_t bytes = 0;
  for (const Database::Row& row : *ids) {
    if (std::cmp_equal(page.tasks.size(), filter.limit)) {
      page.next = page.tasks.back().id;
      return page;
    }
    Result<Task> task = Find(records, row.Number(0));
    if (!task) return Failure(std::move(task.error()));
    bytes += BytesOf(*task);
    if (bytes > kMaxPage && !page.tasks.empty()) {
      page.next = page.tasks.back().id;
      return page;
    }
    page.tasks.push_back(std::move(*task));
  }
  if (from > 1) page.next = from;
  return page;
}

}  // namespace switchyard::orchestration
