#include "orchestration/search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <fmt/format.h>

namespace switchyard::orchestration {
namespace {

using Parameter = Database::Parameter;

struct Column {
  std::string_view name;
  std::string_view read;  // without an index
};
constexpr std::size_t kConditions = 7;
// In the order of their bits: what finds least as a rule is first.
constexpr std::array<Column, kConditions> kColumns = {{{"parent", "parent + 0"},
                                                       {"goal", "goal + 0"},
                                                       {"project", "project + 0"},
                                                       {"assigned_to", "assigned_to || ''"},
                                                       {"task_type", "task_type || ''"},
                                                       {"priority", "priority + 0"},
                                                       {"status", "status + 0"}}};
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
        if ((bits >> i & 1U) == 0) continue;
        const bool by_index = place == 3 || (bits & kHeld) != 0;
        sql += fmt::format(" AND {} = ${}", by_index ? kColumns[i].name : kColumns[i].read, place);
        ++place;
      }
      if ((bits & kHeld) != 0) sql += " AND lease_until IS NOT NULL";
      sql += fmt::format(" ORDER BY id DESC LIMIT ${}", place);
    }
    return texts;
  }();
  return kTexts[which];
}

// The last one of those that are looked at.
const std::string& LastOf(std::size_t condition) {
  static const auto kTexts = [] {
    std::array<std::string, kConditions> texts;
    for (std::size_t i = 0; i < kConditions; ++i) {
      texts[i] = fmt::format(
          "SELECT id FROM task WHERE id < $1 AND {} = $2 ORDER BY id DESC LIMIT 1 OFFSET $3",
          kColumns[i].name);
    }
    return texts;
  }();
  return kTexts[condition];
}

struct Conditions {
  unsigned which = 0;
  std::vector<Parameter> values = {};  // in the order of the bits

  void Add(unsigned bit, bool given, const Parameter& value) {
    if (!given) return;
    which |= 1U << bit;
    values.push_back(value);
  }
};

// Borrows from the filter.
Conditions ConditionsOf(const TaskFilter& filter) {
  Conditions conditions;
  conditions.Add(0, filter.parent != 0, filter.parent);
  conditions.Add(1, filter.goal != 0, filter.goal);
  conditions.Add(2, filter.project != 0, filter.project);
  conditions.Add(3, !filter.assigned_to.empty(), filter.assigned_to);
  conditions.Add(4, !filter.task_type.empty(), filter.task_type);
  conditions.Add(5, filter.priority.has_value(),
                 static_cast<int>(filter.priority.value_or(Priority::kLow)));
  conditions.Add(6, filter.status.has_value(),
                 static_cast<int>(filter.status.value_or(Status::kPending)));
  if (!filter.assigned_to.empty() && filter.status && IsHeld(*filter.status)) {
    conditions.which |= kHeld;
  }
  return conditions;
}

// Down to which id they are looked at, and 1 where that is all of them.
Result<TaskId> From(Records& records, const Conditions& conditions, TaskId before,
                    std::int64_t most) {
  if (conditions.values.size() <= 1 || (conditions.which & kHeld) != 0) return 1;
  const auto first = static_cast<std::size_t>(std::countr_zero(conditions.which));
  Result<Database::Rows> last =
      records.sql.Query(LastOf(first), {before, conditions.values.front(), most - 1});
  if (!last) return Failure(std::move(last.error()));
  return last->empty() ? 1 : last->front().Number(0);
}

}  // namespace

Result<TaskPage> Search(Records& records, const TaskFilter& filter) {
  Result<Database::Rows> newest =
      records.sql.Query("SELECT value FROM counter WHERE name = 'task'");
  if (!newest) return Failure(std::move(newest.error()));
  const TaskId end = newest->front().Number(0) + 1;
  const TaskId before = filter.before == 0 ? end : std::min(filter.before, end);
  const Conditions conditions = ConditionsOf(filter);
  const Result<TaskId> from = From(records, conditions, before, filter.most_looked_at);
  if (!from) return Failure(from.error());
  std::vector<Parameter> parameters{before, *from};
  parameters.insert(parameters.end(), conditions.values.begin(), conditions.values.end());
  parameters.emplace_back(filter.limit + 1);
  Result<Database::Rows> ids = records.sql.Query(SqlFor(conditions.which), parameters);
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
  if (*from > 1) page.next = *from;
  return page;
}

}  // namespace switchyard::orchestration
