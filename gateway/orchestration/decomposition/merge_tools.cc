// The tools that bring results together, and say where they come from.
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "orchestration/agents.h"
#include "orchestration/decomposition/decompose.h"
#include "orchestration/decomposition/delegate.h"
#include "orchestration/decomposition/inputs.h"
#include "orchestration/dependencies.h"
#include "orchestration/tool.h"
#include "orchestration/verbatim.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

json::array ToArray(const std::vector<std::string>& words) {
  json::array array;
  for (const std::string& word : words) array.push_back(Said(word));
  return array;
}

json::array ToArray(const std::vector<TaskId>& ids) {
  json::array array;
  for (const TaskId id : ids) array.emplace_back(ToText(id));
  return array;
}

}  // namespace

namespace merge_results {
namespace {

// A value that the call brought as the result of a task.
struct Claim {
  TaskId task = 0;
  json::value result = {};
};

struct Wanted {
  std::optional<Merged> merged = {};  // of results that the call brought; or
  std::vector<TaskId> tasks = {};     // of these; or
  TaskId parent = 0;                  // of its parts
  std::string strategy = {}, separator = {};
  TaskId into = 0;  // whose result it is to be; 0 = nobody's
  std::vector<Claim> claims = {};
};

// Of what is in it, what is on record, and what nobody but the caller says.
struct Sides {
  std::vector<std::string> used = {}, claimed = {};
};

// Whether these are the results of those tasks, by their names. Others wait meanwhile, so no task
// is read twice, and none when what was read is much more than was given: then it is another one.
Result<std::map<std::string, bool>> Judge(Records& records, const std::vector<Claim>& claims) {
  std::map<std::string, bool> verdicts;
  std::map<TaskId, std::optional<json::value>> results;  // nullopt = it has none
  std::size_t bytes = 0;
  for (const Claim& claim : claims) {
    const auto [known, is_new] = results.try_emplace(claim.task);
    if (is_new && bytes <= 2 * kMaxResult) {
      Result<Task> task = Find(records, claim.task);
      if (!task && task.error().code != Code::kNotFound) return Failure(std::move(task.error()));
      if (task && task->status == Status::kCompleted) {
        bytes += task->result.size();
        known->second = Kept(task->result.empty() ? "null" : task->result);
      }
    }
    bool& verdict = verdicts.try_emplace(ToText(claim.task), true).first->second;
    verdict = verdict && known->second == claim.result;
  }
  return verdicts;
}

Result<Sides> SidesOf(Records& records, const std::vector<Claim>& claims,
                      const std::vector<std::string>& used) {
  Result<std::map<std::string, bool>> verdicts = Judge(records, claims);
  if (!verdicts) return Failure(std::move(verdicts.error()));
  Sides sides;
  for (const std::string& name : used) {
    const auto verdict = verdicts->find(name);
    const bool known = verdict == verdicts->end() || verdict->second;
    (known ? sides.used : sides.claimed).push_back(name);
  }
  return sides;
}

struct Found {
  std::vector<Source> sources = {};
  std::vector<std::string> missing = {};  // tasks without a result
};

Result<Found> ResultsOf(Records& records, const std::vector<TaskId>& tasks) {
  Found found;
  std::size_t bytes = 0;
  for (const TaskId id : tasks) {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    if (task->status != Status::kCompleted) {
      found.missing.push_back(ToText(id));
      continue;
    }
    bytes += task->result.size();
    if (bytes > kMaxResult) {
      return Refused(
          fmt::format("the results have more than {} bytes together; merge fewer", kMaxResult));
    }
    found.sources.push_back(
        {.name = ToText(id), .result = Kept(task->result.empty() ? "null" : task->result)});
  }
  return found;
}

// Whoever has the task, or made it, says what its result is made of.
Result<void> MaySay(Records& records, TaskId id) {
  Result<Task> task = Find(records, id);
  if (!task) return Failure(std::move(task.error()).In("task_id"));
  if (IsHeld(task->status)) {
    Result<Agent> agent = ActAs(records, task->assigned_to);
    if (!agent && agent.error().code != Code::kNotFound) return Failure(std::move(agent.error()));
    return {};
  }
  if (task->creator.empty() || task->creator == records.caller) return {};
  return Forbidden("task " + ToText(id) + " was created by another caller");
}

Result<void> Keep(Records& records, TaskId into, const std::vector<std::string>& used) {
  std::vector<TaskId> sources;
  for (const std::string& name : used) {
    const Result<TaskId> id = TaskIdOf(name);
    if (!id) continue;
    if (Result<Task> task = Find(records, *id); !task) return Failure(std::move(task.error()));
    sources.push_back(*id);
  }
  if (sources.empty()) {
    return Refused(
        "task_id keeps which tasks the result is made of, and no result of a completed task is "
        "among them; give task_ids, or results with task_id as the tasks have them");
  }
  return KeepLineage(records, into, sources);
}

Answer Told(Merged merged, const Sides& sides, const std::vector<std::string>& missing) {
  Answer answer{.text = fmt::format("of {} results", merged.used.size())};
  answer.content["result"] = std::move(merged.result);
  answer.content["made_of"] = ToArray(sides.used);
  if (!sides.claimed.empty()) {
    answer.content["claimed"] = ToArray(sides.claimed);
    answer.text += fmt::format(", {} on your word", sides.claimed.size());
  }
  if (!missing.empty()) {
    answer.content["missing"] = ToArray(missing);
    answer.text += fmt::format(", {} have none yet", missing.size());
  }
  if (merged.votes > 0) answer.content["votes"] = merged.votes;
  if (!merged.conflicts.empty()) answer.content["conflicts"] = ToArray(merged.conflicts);
  answer.text += ": " + ToText(answer.content.at("result"));
  return answer;
}

Result<Answer> Finish(Records& records, const Wanted& wanted, Merged merged,
                      const std::vector<std::string>& missing) {
  Result<Sides> sides = SidesOf(records, wanted.claims, merged.used);
  if (!sides) return Failure(std::move(sides.error()));
  if (wanted.into != 0) {
    Result<void> kept = MaySay(records, wanted.into);
    if (kept) kept = Keep(records, wanted.into, sides->used);
    if (!kept) return Failure(std::move(kept.error()));
  }
  return Told(std::move(merged), *sides, missing);
}

Result<Answer> Run(Records& records, const Wanted& wanted) {
  if (wanted.merged) return Finish(records, wanted, *wanted.merged, {});
  Found found;
  {
    std::vector<TaskId> tasks = wanted.tasks;
    if (wanted.parent != 0) {
      Result<std::vector<TaskId>> children =
          ChildrenOf(records, wanted.parent, static_cast<std::int64_t>(kMaxBatch) + 1);
      if (!children) return Failure(std::move(children.error()));
      if (children->size() > kMaxBatch) {
        return Refused(fmt::format(
            "task {} has more than {} parts, the most that are merged at once: name some in "
            "task_ids, keep each result as that of a task, and merge those",
            ToText(wanted.parent), kMaxBatch));
      }
      tasks = std::move(*children);
    }
    Result<Found> looked = ResultsOf(records, tasks);
    if (!looked) return Failure(std::move(looked.error()));
    found = std::move(*looked);
  }
  if (found.sources.empty()) {
    return Refused(found.missing.empty() ? "there are no results to merge"
                                         : "none of these tasks is completed yet");
  }
  Result<Merged> merged = Merge(wanted.strategy, std::move(found.sources), wanted.separator);
  if (!merged) return Failure(std::move(merged.error()));
  return Finish(records, wanted, std::move(*merged), found.missing);
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  Wanted wanted;
  std::optional<std::vector<Source>> results = ResultsIn(arguments);
  wanted.tasks = arguments.Tasks("task_ids");
  wanted.parent = arguments.Task("parent_task_id");
  wanted.strategy =
      arguments.OneOf("strategy", {"concatenate", "deep_merge", "vote", "first_success", "table"})
          .value_or("concatenate");
  wanted.separator = arguments.Text("separator", kMaxWord).value_or("\n\n");
  wanted.into = arguments.Task("task_id");
  const int given = static_cast<int>(results.has_value()) +
                    static_cast<int>(!wanted.tasks.empty()) + static_cast<int>(wanted.parent != 0);
  if (given != 1) {
    arguments.Wrong("give one of results, task_ids and parent_task_id: what is to be merged");
  }
  if (Result<void> fine = arguments.Check(); !fine) return Failure(std::move(fine.error()));
  if (results) {
    for (const Source& source : *results) {
      if (const Result<TaskId> task = TaskIdOf(source.name)) {
        wanted.claims.push_back({.task = *task, .result = source.result});
      }
    }
    // Here, where it keeps nobody else waiting.
    Result<Merged> merged = Merge(wanted.strategy, std::move(*results), wanted.separator);
    if (!merged) return Failure(std::move(merged.error()));
    wanted.merged = std::move(*merged);
  }
  return Do(arguments,
            [wanted = std::move(wanted)](Records& records) { return Run(records, wanted); });
}
}  // namespace merge_results

namespace get_lineage {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    Result<std::vector<TaskId>> made_of = MadeOf(records, id, kMostLineage);
    if (!made_of) return Failure(std::move(made_of.error()));
    Result<std::vector<TaskId>> used_by = UsedBy(records, id, kMostLineage);
    if (!used_by) return Failure(std::move(used_by.error()));
    Result<std::vector<Delegation>> chain = ChainOf(records, id);
    if (!chain) return Failure(std::move(chain.error()));
    Answer answer{.text = fmt::format("{} is made of {} results, used by {}, delegated {} times",
                                      ToText(id), made_of->size(), used_by->size(), chain->size())};
    answer.content = {{"task_id", ToText(id)}, {"made_of", ToArray(*made_of)}};
    if (task->parent != 0) answer.content["parent"] = ToText(task->parent);
    if (!used_by->empty()) answer.content["used_by"] = ToArray(*used_by);
    Result<std::vector<TaskId>> needed = NeededBy(records, id);
    if (!needed) return Failure(std::move(needed.error()));
    if (!needed->empty()) answer.content["depended_on"] = ToArray(*needed);
    json::array delegated;
    for (const Delegation& one : *chain) {
      json::object view{
          {"task_id", ToText(one.task)}, {"from", one.coordinator}, {"to", one.agent}};
      if (one.budget != 0) view["budget"] = one.budget;
      delegated.emplace_back(std::move(view));
    }
    if (!delegated.empty()) answer.content["delegated"] = std::move(delegated);
    return answer;
  });
}
}  // namespace get_lineage

}  // namespace switchyard::orchestration
