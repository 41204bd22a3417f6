// Random operations on the service, through its tools, each compared with a model that is as simple
// as can be (model.h): what it gives or refuses, and every now and then all that there is.
#include "unit/orchestration/model.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "orchestration/statistics.h"
#include "unit/orchestration/counted.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr std::int64_t kLease = 10'000;
constexpr std::int64_t kRetain = 60'000;
constexpr std::array kTypes = {"general", "build", "test"};
const std::vector<std::string> kSkills[] = {{}, {"x"}, {"y"}, {"x", "y"}};

json::array Ids(const std::vector<TaskId>& ids) {
  json::array array;
  for (const TaskId id : ids) array.emplace_back(ToText(id));
  return array;
}

class AgainstTheModel : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  AgainstTheModel() {
    room.settings = {.lease_ms = kLease, .retain_ms = kRetain, .away_ms = 1'000'000'000'000};
    if (GetParam() % 2 == 0) room.caller = "alice";  // who has a share
    model.lease_ms = kLease;
    model.retain_ms = kRetain;
    model.now = room.now;
    for (int i = 0; i < 3; ++i) Enrol();
  }
  std::uint64_t Below(std::uint64_t end) { return random.Next() % end; }
  bool Once(std::uint64_t in) { return Below(in) == 0; }
  // One that there is, mostly; one that was, or never will be.
  TaskId AnyTask() {
    if (model.tasks.empty() || Once(20)) {
      return static_cast<TaskId>(Below(static_cast<std::uint64_t>(model.last) + 2) + 1);
    }
    return std::next(model.tasks.begin(), static_cast<std::ptrdiff_t>(Below(model.tasks.size())))
        ->first;
  }
  std::string AnyAgent() { return "agent" + std::to_string(Below(4)); }
  std::int64_t AnyLease() { return Once(3) ? static_cast<std::int64_t>(1000 + Below(20'000)) : 0; }
  std::vector<TaskId> SomeTasks(std::uint64_t most) {
    std::vector<TaskId> ids;
    for (std::uint64_t i = Below(most + 1); i > 0; --i) ids.push_back(AnyTask());
    std::ranges::sort(ids);
    const auto twice = std::ranges::unique(ids);
    ids.erase(twice.begin(), twice.end());
    return ids;
  }
  // Its answer; null where it is refused, and then the model must refuse it, too.
  json::value Call(std::string_view tool, const json::object& arguments) {
    Result<Answer> answer = room.Call(tool, json::serialize(arguments));
    said = answer ? json::serialize(answer->content) : answer.error().message;
    said.insert(0, std::string(tool) + " " + json::serialize(arguments) + ": ");
    return answer ? json::value(answer->content) : json::value();
  }

  void Create();
  void Claim();
  void Look();
  void Assign();
  void Step(const std::string& tool);
  void Change();
  void Beat();
  void Enrol();
  void Leave();
  void Pass();
  void Find();
  void Compare();
  void Operate();

  FastRandom random{GetParam()};
  Room room;
  Model model;
  std::string said;
};

void AgainstTheModel::Create() {
  Model::Wish wish{.task_type = kTypes[Below(kTypes.size())],
                   .priority = static_cast<Priority>(Below(3)),
                   .needs = kSkills[Below(3)],
                   .depends_on = Once(2) ? SomeTasks(3) : std::vector<TaskId>(),
                   .parent = Once(5) ? AnyTask() : 0,
                   .max_attempts = static_cast<std::int64_t>(1 + Below(3))};
  if (Once(4)) wish.deadline = room.now + static_cast<std::int64_t>(Below(1'000'000));
  if (Once(3)) wish.key = "key" + std::to_string(Below(20));
  // Half of those with a key that is known ask for the same again.
  for (const auto& [id, entry] : model.tasks) {
    if (!wish.key.empty() && entry.wish.key == wish.key && Once(2)) wish = Model::Wish(entry.wish);
  }
  json::object arguments{{"content", "c"},
                         {"task_type", wish.task_type},
                         {"priority", ToString(wish.priority)},
                         {"requirements", json::value_from(wish.needs)},
                         {"depends_on", Ids(wish.depends_on)},
                         {"max_attempts", wish.max_attempts}};
  if (wish.parent != 0) arguments["parent"] = ToText(wish.parent);
  if (wish.deadline != 0) arguments["deadline"] = wish.deadline;
  if (!wish.key.empty()) arguments["idempotency_key"] = wish.key;
  const json::value made = Call("create_task", arguments);
  const std::optional<TaskId> expected = model.Create(wish);
  ASSERT_EQ(!made.is_null(), expected.has_value()) << said;
  if (expected) ASSERT_EQ(made.at("task_id"), json::value(ToText(*expected))) << said;
}

void AgainstTheModel::Claim() {
  const std::string agent = AnyAgent();
  const std::string type = Once(3) ? kTypes[Below(kTypes.size())] : "";
  const auto limit = static_cast<std::int64_t>(1 + Below(4));
  const std::int64_t lease = AnyLease();
  json::object arguments{{"claim", true}, {"agent_id", agent}, {"limit", limit}};
  if (!type.empty()) arguments["task_type"] = type;
  if (lease != 0) arguments["lease_ms"] = lease;
  const json::value got = Call("poll_tasks", arguments);
  const auto expected = model.Claim(agent, type, limit, lease);
  ASSERT_EQ(!got.is_null(), expected.has_value()) << said;
  if (!expected) return;
  json::array ids;
  for (const json::value& task : got.at("tasks").as_array()) {
    ids.push_back(task.at("id"));
    const Model::Entry& entry = model.tasks.at(*TaskIdOf(task.at("id").as_string()));
    ASSERT_EQ(task.at("fence").to_number<std::int64_t>(), entry.fence) << said;
  }
  ASSERT_EQ(ids, Ids(*expected)) << said;
}

// A poll that claims nothing.
void AgainstTheModel::Look() {
  const std::string agent = Once(2) ? AnyAgent() : "";
  const std::string type = Once(3) ? kTypes[Below(kTypes.size())] : "";
  json::object arguments{{"limit", 7}, {"fields", {"id"}}};
  if (!type.empty()) arguments["task_type"] = type;
  if (!agent.empty()) arguments["agent_id"] = agent;
  const json::value got = Call("poll_tasks", arguments);
  ASSERT_EQ(!got.is_null(), agent.empty() || model.agents.contains(agent)) << said;
  if (got.is_null()) return;
  json::array ids;
  for (const json::value& task : got.at("tasks").as_array()) ids.push_back(task.at("id"));
  ASSERT_EQ(ids, Ids(model.Next(agent, type, 7))) << said;
}

void AgainstTheModel::Assign() {
  const TaskId id = AnyTask();
  const std::string agent = AnyAgent();
  const std::int64_t lease = AnyLease();
  json::object arguments{{"task_id", ToText(id)}, {"agent_id", agent}};
  if (lease != 0) arguments["lease_ms"] = lease;
  const bool done = !Call("assign_task", arguments).is_null();
  ASSERT_EQ(done, model.Assign(id, agent, lease)) << said;
}

// start_task, complete_task and the like on any task, with the right fence or another, as its agent
// or as another.
void AgainstTheModel::Step(const std::string& tool) {
  const TaskId id = AnyTask();
  const auto known = model.tasks.find(id);
  const bool acts = tool != "cancel_task" && tool != "requeue_task";
  Model::Actor actor;
  if (acts && known != model.tasks.end()) {
    if (Once(2)) actor.fence = known->second.fence + (Once(4) ? 1 : 0) - (Once(4) ? 1 : 0);
    if (Once(2)) actor.agent = Once(4) ? AnyAgent() : known->second.holder;
  }
  const bool retry = Once(2);
  json::object arguments{{"task_id", ToText(id)}};
  if (actor.fence > 0) arguments["fence"] = actor.fence;
  if (actor.fence < 0) actor.fence = 0;
  if (!actor.agent.empty()) arguments["agent_id"] = actor.agent;
  if (tool == "fail_task") {
    arguments["error"] = "e";
    arguments["should_retry"] = retry;
  }
  const bool done = !Call(tool, arguments).is_null();
  const bool expected = tool == "start_task"      ? model.Start(id, actor)
                        : tool == "complete_task" ? model.Complete(id, actor)
                        : tool == "fail_task"     ? model.Fail(id, actor, retry)
                        : tool == "cancel_task"   ? model.Cancel(id)
                                                  : model.Requeue(id);
  ASSERT_EQ(done, expected) << said;
}

void AgainstTheModel::Change() {
  const TaskId id = AnyTask();
  const std::optional<Priority> priority =
      Once(2) ? std::optional(static_cast<Priority>(Below(3))) : std::nullopt;
  const std::int64_t deadline =
      Once(4) ? room.now + static_cast<std::int64_t>(Below(1'000'000)) : 0;
  const auto attempts = static_cast<std::int64_t>(Below(4));
  const std::vector<TaskId> needs = Once(2) ? SomeTasks(2) : std::vector<TaskId>();
  json::object arguments{{"task_id", ToText(id)}, {"depends_on", Ids(needs)}};
  if (priority) arguments["priority"] = ToString(*priority);
  if (deadline != 0) arguments["deadline"] = deadline;
  if (attempts != 0) arguments["max_attempts"] = attempts;
  const bool done = !Call("update_task", arguments).is_null();
  ASSERT_EQ(done, model.Change(id, priority, deadline, attempts, needs)) << said;
}

void AgainstTheModel::Beat() {
  const std::string agent = AnyAgent();
  const TaskId id = Once(2) ? AnyTask() : 0;
  const auto known = model.tasks.find(id);
  json::object arguments{{"agent_id", agent}};
  if (id != 0) arguments["task_id"] = ToText(id);
  std::int64_t fence = 0;
  if (known != model.tasks.end() && Once(2)) {
    fence = std::max<std::int64_t>(known->second.fence - (Once(3) ? 1 : 0), 0);
  }
  if (fence != 0) arguments["fence"] = fence;
  const json::value got = Call("heartbeat", arguments);
  const std::optional<std::int64_t> expected = model.Beat(agent, id, fence);
  ASSERT_EQ(!got.is_null(), expected.has_value()) << said;
  if (expected) ASSERT_EQ(got.at("renewed").to_number<std::int64_t>(), *expected) << said;
}

void AgainstTheModel::Enrol() {
  const std::string agent = AnyAgent();
  const std::vector<std::string>& skills = kSkills[Below(4)];
  const auto most = static_cast<std::int64_t>(1 + Below(5));
  const json::value got = Call(
      "register_agent",
      {{"agent_id", agent}, {"capabilities", json::value_from(skills)}, {"max_concurrent", most}});
  ASSERT_FALSE(got.is_null()) << said;
  model.Register(agent, skills, most);
}

void AgainstTheModel::Leave() {
  const std::string agent = AnyAgent();
  const json::value got = Call("deregister_agent", {{"agent_id", agent}});
  const std::optional<std::int64_t> expected = model.Deregister(agent);
  ASSERT_EQ(!got.is_null(), expected.has_value()) << said;
  if (expected) ASSERT_EQ(got.at("returned").to_number<std::int64_t>(), *expected) << said;
}

void AgainstTheModel::Pass() {
  const auto time = static_cast<std::int64_t>(Below(kLease));
  room.now += time;
  model.Pass(time);
  ASSERT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
}

// By any filters, page by page.
void AgainstTheModel::Find() {
  json::object filters;
  const auto status = static_cast<Status>(Below(kStatuses));
  const auto priority = static_cast<Priority>(Below(kPriorities));
  const std::string type = kTypes[Below(kTypes.size())], agent = AnyAgent();
  const TaskId parent = AnyTask();
  if (Once(2)) filters["status"] = ToString(status);
  if (Once(3)) filters["priority"] = ToString(priority);
  if (Once(3)) filters["task_type"] = type;
  if (Once(3)) filters["assigned_to"] = agent;
  if (Once(6)) filters["parent"] = ToText(parent);
  std::vector<TaskId> expected;
  for (const auto& [id, entry] : model.tasks) {
    const bool fits = (!filters.contains("status") || entry.status == status) &&
                      (!filters.contains("priority") || entry.priority == priority) &&
                      (!filters.contains("task_type") || entry.wish.task_type == type) &&
                      (!filters.contains("assigned_to") || entry.holder == agent) &&
                      (!filters.contains("parent") || entry.wish.parent == parent);
    if (fits) expected.insert(expected.begin(), id);
  }
  json::array found;
  json::object arguments{{"filters", filters}, {"limit", 3}, {"fields", {"id"}}};
  for (bool more = true; more;) {
    const json::value page = Call("query_tasks", arguments);
    ASSERT_FALSE(page.is_null()) << said;
    for (const json::value& task : page.at("tasks").as_array()) found.push_back(task.at("id"));
    more = page.as_object().contains("next_cursor");
    if (more) arguments["cursor"] = page.at("next_cursor");
  }
  ASSERT_EQ(found, Ids(expected)) << said;
}

void AgainstTheModel::Compare() {
  QueueNumbers expected;
  for (const auto& [id, entry] : model.tasks) {
    ++expected
          .tasks[static_cast<std::size_t>(entry.status)][static_cast<std::size_t>(entry.priority)];
    const Result<Task> task =
        room.Do([task = id](Records& records) { return orchestration::Find(records, task); });
    ASSERT_TRUE(task.has_value()) << ToText(id);
    ASSERT_EQ(task->status, entry.status) << ToText(id);
    ASSERT_EQ(task->attempts, entry.attempts) << ToText(id);
    ASSERT_EQ(task->fence, entry.fence) << ToText(id);
    ASSERT_EQ(task->due, entry.due) << ToText(id);
    ASSERT_EQ(task->assigned_to, entry.holder) << ToText(id);
    ASSERT_EQ(task->lease_until, IsHeld(entry.status) ? entry.lease_until : 0) << ToText(id);
    ASSERT_EQ(task->ready(), model.Ready(entry)) << ToText(id);
  }
  const auto numbers = room.Do([](Records& records) { return QueueOf(records); });
  ASSERT_EQ(numbers->tasks, expected.tasks) << "the tallies";
  ASSERT_EQ(numbers->oldest_pending_ms, model.OldestPending());
  const auto agents = room.Do([](Records& records) { return AgentsOf(records); });
  ASSERT_EQ(agents->total, static_cast<std::int64_t>(model.agents.size()));
  for (const auto& [id, worker] : model.agents) {
    const auto agent = room.Do([name = id](Records& records) { return FindAgent(records, name); });
    ASSERT_TRUE(agent.has_value()) << id;
    ASSERT_EQ(agent->capabilities, worker.capabilities) << id;
    ASSERT_EQ(agent->active, model.Held(id)) << id;
    ASSERT_EQ(agent->completed, worker.completed) << id;
    ASSERT_EQ(agent->failed, worker.failed) << id;
    ASSERT_EQ(agent->expired, worker.expired) << id;
  }
}

void AgainstTheModel::Operate() {
  constexpr std::array kSteps = {"start_task",    "start_task",    "start_task",
                                 "complete_task", "complete_task", "complete_task",
                                 "fail_task",     "cancel_task",   "requeue_task"};
  const std::uint64_t dice = Below(100);
  if (dice < 22) return Create();
  if (dice < 36) return Claim();
  if (dice < 40) return Assign();
  if (dice < 76) return Step(kSteps[Below(kSteps.size())]);
  if (dice < 81) return Change();
  if (dice < 86) return Beat();
  if (dice < 88) return Look();
  if (dice < 91) return Find();
  if (dice < 93) return Enrol();
  if (dice < 94) return Leave();
  return Pass();
}

TEST_P(AgainstTheModel, WhateverIsDoneItIsAsTheModelSays) {
  for (int i = 0; i < 800 && !HasFatalFailure(); ++i) {
    Operate();
    if (i % 25 == 0 && !HasFatalFailure()) Compare();
  }
  if (!HasFatalFailure()) Compare();
  EXPECT_EQ(Miscounted(room), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgainstTheModel, ::testing::Range<std::uint64_t>(1, 25));

}  // namespace
}  // namespace switchyard::orchestration
