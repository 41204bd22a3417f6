// The tools that look tasks up, and hand them out.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "orchestration/dependencies.h"
#include "orchestration/lanes.h"
#include "orchestration/moves.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/routing.h"
#include "orchestration/search.h"
#include "orchestration/tool.h"
#include "orchestration/verbatim.h"
#include "orchestration/views.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using Need = Arguments::Need;

constexpr std::int64_t kMostAwaited = 10;
// Whoever polls waits for it.
constexpr std::int64_t kReturnedByAPoll = 50;

Answer ListOf(const TaskPage& page, const std::vector<std::string>& fields) {
  Answer answer;
  json::array list;
  for (const Task& task : page.tasks) list.emplace_back(View(task, As::kItem, fields));
  answer.text = Many(page.tasks.size(), "task");
  answer.content["tasks"] = std::move(list);
  answer.empty_handed = page.tasks.empty();
  if (page.next != 0) {
    answer.content["next_cursor"] = ToText(page.next);
    answer.text += ", more with cursor " + ToText(page.next);
  }
  return answer;
}

std::vector<std::string> FieldsIn(Arguments& arguments) {
  std::vector<std::string> fields = arguments.Words("fields");
  for (const std::string& field : fields) {
    if (std::ranges::find(TaskFields(), FieldMeant(field)) != TaskFields().end()) continue;
    arguments.Wrong(
        fmt::format("fields: there is no {}; known: {}", field, fmt::join(TaskFields(), ", ")));
  }
  return fields;
}

}  // namespace

namespace poll_tasks {
namespace {

struct Poll {
  Status status = Status::kPending;
  std::string agent = {}, task_type = {};
  bool claim = false, results = false;
  std::int64_t limit = Arguments::kUsualLimit, lease_ms = 0;
  TaskId before = 0;
  std::vector<std::string> fields = {};
};

Result<std::vector<Task>> Ready(Records& records, const Poll& poll) {
  Wanted wanted{.task_type = poll.task_type, .limit = poll.limit};
  std::vector<std::string> capabilities;
  if (!poll.agent.empty()) {
    Result<Agent> agent = ActAs(records, poll.agent);
    if (!agent) return Failure(std::move(agent.error()));
    capabilities = std::move(agent->capabilities);
    wanted.capabilities = &capabilities;
  }
  Result<std::vector<TaskId>> ids = FirstReady(records, wanted);
  if (!ids) return Failure(std::move(ids.error()));
  std::vector<Task> tasks;
  std::size_t bytes = 0;
  for (const TaskId id : *ids) {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    bytes += BytesOf(*task);
    if (bytes > kMaxPage && !tasks.empty()) break;
    tasks.push_back(std::move(*task));
  }
  return tasks;
}

// The next of the queue are all that there is to a poll; what is in another state has pages.
Result<TaskPage> TasksFor(Records& records, const Poll& poll) {
  if (poll.status != Status::kPending) {
    return Search(records, {.status = poll.status,
                            .task_type = poll.task_type,
                            .assigned_to = poll.agent,
                            .before = poll.before,
                            .limit = poll.limit});
  }
  Result<std::vector<Task>> tasks =
      poll.claim ? Claim(records, poll.agent, poll.task_type, poll.limit, poll.lease_ms)
                 : Ready(records, poll);
  if (!tasks) return Failure(std::move(tasks.error()));
  return TaskPage{.tasks = std::move(*tasks)};
}

// What those gave that these waited for, beside them in the answer.
Result<void> AddResults(Records& records, const std::vector<Task>& tasks, Answer& answer) {
  json::array& list = answer.content["tasks"].as_array();
  ResultRoom room;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Result<std::vector<NeededResult>> needed = ResultsNeededBy(records, tasks[i].id, room);
    if (!needed) return Failure(std::move(needed.error()));
    json::array views;
    for (const NeededResult& one : *needed) {
      json::object view{{"id", ToText(one.task)}};
      if (!one.result.empty()) view["result"] = Verbatim(one.result);
      if (one.omitted) view["omitted"] = true;
      views.emplace_back(std::move(view));
    }
    if (!views.empty()) list[i].as_object()["dependency_results"] = std::move(views);
  }
  return {};
}

Result<Answer> Run(Records& records, const Poll& poll) {
  // What nobody keeps alive any more is to be had at once, not when the gateway looks next.
  if (Result<bool> back = ReturnExpired(records, kReturnedByAPoll); !back) {
    return Failure(std::move(back.error()));
  }
  Result<TaskPage> page = TasksFor(records, poll);
  if (!page) return Failure(std::move(page.error()));
  Answer answer = ListOf(*page, poll.fields);
  answer.took = poll.claim && !page->tasks.empty();
  if (poll.results) {
    if (Result<void> added = AddResults(records, page->tasks, answer); !added) {
      return Failure(std::move(added.error()));
    }
  }
  return answer;
}

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  Poll poll{.status = arguments.StatusIn("status").value_or(Status::kPending)};
  poll.limit = arguments.Limit();
  poll.agent = arguments.Word("agent_id", kMaxId).value_or("");
  poll.claim = arguments.Bool("claim").value_or(false);
  poll.results = arguments.Bool("include_dependency_results").value_or(false);
  poll.task_type = arguments.Word("task_type", kMaxWord).value_or("");
  const std::int64_t wait = arguments.WaitMs();
  poll.lease_ms = arguments.LeaseMs();
  poll.before = arguments.Task("cursor");
  poll.fields = FieldsIn(arguments);
  if (poll.before != 0 && poll.status == Status::kPending) {
    arguments.Wrong(
        "cursor goes on in a list of another status than pending; query_tasks has pages of these");
  }
  if (poll.claim && poll.agent.empty())
    arguments.Wrong("claim needs agent_id: who is to have them");
  if (poll.results && !poll.claim) {
    arguments.Wrong("include_dependency_results goes with claim; get_lineage names them");
  }
  if (poll.claim && poll.status != Status::kPending) {
    arguments.Wrong("claim takes pending tasks; leave status out, or make it pending");
  }
  if (poll.claim && !poll.fields.empty()) poll.fields.emplace_back("fence");
  if (Result<void> fine = arguments.Check(); !fine) return Failure(std::move(fine.error()));
  const std::int64_t waits = poll.status == Status::kPending ? wait : 0;
  const bool claims = poll.claim;
  return Operation{.run = [poll = std::move(poll)](Records& records) { return Run(records, poll); },
                   .wait_ms = waits,
                   .only_heard = claims};
}
}  // namespace poll_tasks

namespace query_tasks {
Result<Operation> Prepare(Arguments& arguments) {
  TaskFilter filter;
  if (std::optional<Arguments> filters = arguments.Child("filters")) {
    filter.status = filters->StatusIn("status");
    filter.priority = filters->PriorityIn("priority");
    filter.task_type = filters->Word("task_type", kMaxWord).value_or("");
    filter.assigned_to = filters->Word("assigned_to|assigned_agent_id", kMaxId).value_or("");
    filter.parent = filters->Task("parent|parent_task_id");
    filter.project = EffortIn(*filters, Kind::kProject, "project_id");
    filter.goal = EffortIn(*filters, Kind::kGoal, "goal_id");
    arguments.Join(*filters);
  }
  filter.limit = arguments.Limit();
  filter.before = arguments.Task("cursor");
  std::vector<std::string> fields = FieldsIn(arguments);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<TaskPage> page = Search(records, filter);
    if (!page) return Failure(std::move(page.error()));
    return ListOf(*page, fields);
  });
}
}  // namespace query_tasks

namespace get_task_status {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  std::vector<std::string> fields = FieldsIn(arguments);
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    Answer answer{.content = View(*task, As::kSubject, fields), .text = Line(*task)};
    if (!task->assigned_to.empty() && IsHeld(task->status))
      answer.text += " by " + task->assigned_to;
    if (task->waits_for == 0) return answer;
    Result<std::vector<Awaited>> awaited = AwaitedBy(records, id, kMostAwaited);
    if (!awaited) return Failure(std::move(awaited.error()));
    json::array blocked;
    for (const Awaited& one : *awaited) {
      blocked.emplace_back(
          json::object{{"id", ToText(one.task)}, {"status", ToString(one.status)}});
      answer.text +=
          ", waits for " + ToText(one.task) + " (" + std::string(ToString(one.status)) + ")";
    }
    answer.content["blocked_by"] = std::move(blocked);
    return answer;
  });
}
}  // namespace get_task_status

namespace route_task {
Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Need::kRequired);
  Choice wanted{.excluded = arguments.Words("exclude_agents")};
  wanted.group = arguments.Word("group", kMaxWord).value_or("");
  return Do(arguments, [=](Records& records) -> Result<Answer> {
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    Result<std::string> near = GroupAbove(records, *task);
    if (!near) return Failure(std::move(near.error()));
    Choice choice = wanted;
    choice.requirements = WordsOf(task->requirements);
    choice.near = std::move(*near);
    Result<std::vector<Candidate>> best = Rank(records, choice, 1);
    if (!best) return Failure(std::move(best.error()));
    Result<void> counted = CountUp(records, best->empty() ? "unrouted" : "routed");
    if (!counted) return Failure(std::move(counted.error()));
    Answer answer;
    if (best->empty()) {
      answer.text = "no capable agent is available";
      answer.content = {{"selected_agent", nullptr}, {"reason", answer.text}};
      return answer;
    }
    const Candidate& chosen = best->front();
    answer.text = chosen.agent.id + ": " + chosen.why;
    answer.content = {{"selected_agent", chosen.agent.id}, {"reason", chosen.why}};
    return answer;
  });
}
}  // namespace route_task

}  // namespace switchyard::orchestration
