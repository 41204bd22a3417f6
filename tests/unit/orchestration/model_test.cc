// Random operations on the service, each compared with a model that is as simple as can be: maps
// and loops over everything, no indexes, no counters.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "orchestration/lanes.h"
#include "orchestration/statistics.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

constexpr std::int64_t kLease = 10'000;
constexpr std::int64_t kMostAttempts = 3;
constexpr std::int64_t kMostHeld = 4;

class Model {
 public:
  struct Entry {
    Status status = Status::kPending;
    Priority priority = Priority::kMedium;
    std::int64_t created_at = 0, due = 0, attempts = 0, lease_until = 0, fence = 0;
    std::vector<std::string> needs = {};
    std::vector<TaskId> depends_on = {};
    std::string holder = {};
  };

  bool Ready(const Entry& entry) const {
    return entry.status == Status::kPending &&
           std::ranges::all_of(entry.depends_on, [this](TaskId id) {
             return tasks.at(id).status == Status::kCompleted;
           });
  }
  // In turn; one that is completed waits for nothing.
  bool WaitsFor(TaskId id, TaskId other) const {
    std::vector<TaskId> open{id};
    for (std::size_t at = 0; at < open.size(); ++at) {
      if (open[at] == other) return true;
      if (tasks.at(open[at]).status == Status::kCompleted) continue;
      for (const TaskId next : tasks.at(open[at]).depends_on) {
        if (std::ranges::find(open, next) == open.end()) open.push_back(next);
      }
    }
    return false;
  }
  std::int64_t Held(const std::string& agent) const {
    return std::ranges::count_if(tasks, [&](const auto& one) {
      return IsHeld(one.second.status) && one.second.holder == agent;
    });
  }
  void Expire(std::int64_t now) {
    for (auto& [id, entry] : tasks) {
      if (IsHeld(entry.status) && entry.lease_until <= now) Return(entry);
    }
  }
  static void Return(Entry& entry) {
    entry.status = entry.attempts >= kMostAttempts ? Status::kFailed : Status::kPending;
    ++entry.fence;
  }
  std::vector<TaskId> Claim(const std::string& agent, std::int64_t limit, std::int64_t now) {
    std::vector<std::pair<std::int64_t, TaskId>> ready;
    for (const auto& [id, entry] : tasks) {
      if (Ready(entry) && Covers(agents.at(agent), entry.needs)) ready.emplace_back(entry.due, id);
    }
    std::ranges::sort(ready);
    std::vector<TaskId> claimed;
    limit = std::min(limit, kMostHeld - Held(agent));
    for (const auto& [due, id] : ready) {
      if (std::cmp_greater_equal(claimed.size(), limit)) break;
      Entry& entry = tasks.at(id);
      entry.status = Status::kAssigned;
      entry.holder = agent;
      entry.lease_until = now + kLease;
      ++entry.attempts;
      ++entry.fence;
      claimed.push_back(id);
    }
    return claimed;
  }

  std::map<TaskId, Entry> tasks;
  std::map<std::string, std::vector<std::string>> agents;
};

class AgainstTheModel : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  AgainstTheModel() {
    room.settings.lease_ms = kLease;
    const std::vector<std::string> capabilities[] = {{}, {"x"}, {"x", "y"}};
    for (int i = 0; i < 3; ++i) {
      const std::string id = "agent" + std::to_string(i);
      model.agents[id] = capabilities[i];
      room.Register(id, R"(,"max_concurrent":)" + std::to_string(kMostHeld) +
                            R"(,"capabilities":)" + ToJson(capabilities[i]));
    }
  }
  std::uint64_t Below(std::uint64_t end) { return random.Next() % end; }
  TaskId AnyTask() { return static_cast<TaskId>(Below(model.tasks.size() + 1) + 1); }
  std::string AnyAgent() { return "agent" + std::to_string(Below(3)); }

  void Create();
  void Claim();
  void Step(const char* tool);
  void Update();
  void Leave();
  void Beat();
  void Pass();
  void Compare();

  FastRandom random{GetParam()};
  Room room;
  Model model;
};

void AgainstTheModel::Create() {
  const std::vector<std::string> needs[] = {{}, {"x"}, {"y"}};
  Model::Entry entry{.priority = static_cast<Priority>(Below(3)), .needs = needs[Below(3)]};
  entry.created_at = room.now;
  entry.due = DueAt(room.now, entry.priority, 0);
  for (std::uint64_t i = Below(3); i > 0 && !model.tasks.empty(); --i) {
    const auto id = static_cast<TaskId>(Below(model.tasks.size()) + 1);
    if (std::ranges::find(entry.depends_on, id) == entry.depends_on.end()) {
      entry.depends_on.push_back(id);
    }
  }
  const NewTask wanted{.content = "c",
                       .priority = entry.priority,
                       .requirements = entry.needs,
                       .depends_on = entry.depends_on};
  const auto made =
      room.Do([&](Records& records) { return orchestration::Create(records, wanted); });
  ASSERT_TRUE(made.has_value()) << made.error().message;
  ASSERT_EQ(made->id, static_cast<TaskId>(model.tasks.size() + 1));
  model.tasks[made->id] = std::move(entry);
}

void AgainstTheModel::Claim() {
  const std::string agent = AnyAgent();
  const auto limit = static_cast<std::int64_t>(Below(4) + 1);
  model.Expire(room.now);
  const bool full = model.Held(agent) >= kMostHeld;
  const auto got = room.Do([&](Records& records) -> Result<std::vector<Task>> {
    if (Result<bool> swept = Sweep(records); !swept) return Failure(swept.error());
    Result<std::vector<Task>> tasks = orchestration::Claim(records, agent, "", limit, 0);
    // A refusal undoes the sweep with it, so it must not be one here.
    if (!tasks && tasks.error().code == Code::kInvalid) return std::vector<Task>();
    return tasks;
  });
  ASSERT_TRUE(got.has_value()) << got.error().message;
  std::vector<TaskId> ids;
  for (const Task& task : *got) ids.push_back(task.id);
  const std::vector<TaskId> expected = model.Claim(agent, full ? 0 : limit, room.now);
  ASSERT_EQ(ids, expected);
}

// start_task, complete_task and the like on any task, with the right fence or an older one.
void AgainstTheModel::Step(const char* tool) {
  const TaskId id = AnyTask();
  const auto known = model.tasks.find(id);
  const std::string word(tool);
  const bool fenced = word != "cancel_task" && word != "requeue_task" && Below(2) == 0;
  const std::int64_t late = fenced && Below(3) == 0 ? 1 : 0;
  const std::int64_t fence = known == model.tasks.end() ? 7 : known->second.fence - late;
  const bool retry = Below(2) == 0;
  std::string more = fenced && fence > 0 ? R"(,"fence":)" + std::to_string(fence) : "";
  if (word == "fail_task") {
    more += R"(,"error":"e","should_retry":)" + std::string(retry ? "true" : "false");
  }
  const std::string refusal = room.Refusal(tool, Room::Id(ToText(id), more));
  const bool mine = known != model.tasks.end() && !(late == 1 && fence > 0 && fenced);
  const bool legal = mine && Allows(tool, known->second.status, "t").has_value();
  // With its fence a move may be said again.
  const bool again = mine && fenced && fence > 0 &&
                     ((word == "start_task" && known->second.status == Status::kInProgress) ||
                      (word == "complete_task" && known->second.status == Status::kCompleted));
  ASSERT_EQ(refusal.empty(), legal || again) << tool << " " << ToText(id) << ": " << refusal;
  if (!legal) return;
  Model::Entry& entry = known->second;
  const bool held = IsHeld(entry.status);
  if (word == "start_task") {
    entry.status = Status::kInProgress;
    entry.lease_until = room.now + kLease;
  } else if (word == "complete_task") {
    entry.status = Status::kCompleted;
  } else if (word == "cancel_task") {
    entry.status = Status::kCancelled;
    if (held) ++entry.fence;
  } else if (word == "requeue_task") {
    entry.status = Status::kPending;
    entry.attempts = 0;
    entry.due = DueAt(room.now, entry.priority, 0);
  } else {
    const bool retried = retry && (!held || entry.attempts < kMostAttempts);
    entry.status = retried ? Status::kPending : Status::kFailed;
    if (held) ++entry.fence;
  }
}

// update_task: another priority, and one more that it waits for.
void AgainstTheModel::Update() {
  const TaskId id = AnyTask(), other = AnyTask();
  const auto priority = static_cast<Priority>(Below(3));
  const std::string refusal = room.Refusal(
      "update_task", Room::Id(ToText(id), R"(,"priority":")" + std::string(ToString(priority)) +
                                              R"(","depends_on":[")" + ToText(other) + R"("])"));
  const auto known = model.tasks.find(id);
  const bool legal = known != model.tasks.end() && model.tasks.contains(other) &&
                     known->second.status == Status::kPending && !model.WaitsFor(other, id);
  ASSERT_EQ(refusal.empty(), legal) << ToText(id) << " on " << ToText(other) << ": " << refusal;
  if (!legal) return;
  Model::Entry& entry = known->second;
  entry.priority = priority;
  entry.due = DueAt(entry.created_at, priority, 0);
  if (std::ranges::find(entry.depends_on, other) == entry.depends_on.end()) {
    entry.depends_on.push_back(other);
  }
}

// An agent leaves, and comes back.
void AgainstTheModel::Leave() {
  const std::string agent = AnyAgent();
  const auto left = room.Get("deregister_agent", R"({"agent_id":")" + agent + R"("})");
  ASSERT_EQ(left.at("returned").as_int64(), model.Held(agent));
  for (auto& [id, entry] : model.tasks) {
    if (!IsHeld(entry.status) || entry.holder != agent) continue;
    entry.status = Status::kPending;
    --entry.attempts;
    ++entry.fence;
  }
  room.Register(agent, R"(,"max_concurrent":)" + std::to_string(kMostHeld) + R"(,"capabilities":)" +
                           ToJson(model.agents.at(agent)));
}

void AgainstTheModel::Beat() {
  const std::string agent = AnyAgent();
  const auto got = room.Get("heartbeat", R"({"agent_id":")" + agent + R"("})");
  ASSERT_EQ(got.at("renewed").as_int64(), model.Held(agent));
  for (auto& [id, entry] : model.tasks) {
    if (IsHeld(entry.status) && entry.holder == agent) entry.lease_until = room.now + kLease;
  }
}

void AgainstTheModel::Pass() {
  room.now += static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(kLease)));
  model.Expire(room.now);
  ASSERT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
}

void AgainstTheModel::Compare() {
  QueueNumbers expected;
  for (const auto& [id, entry] : model.tasks) {
    ++expected
          .tasks[static_cast<std::size_t>(entry.status)][static_cast<std::size_t>(entry.priority)];
    const Result<Task> task =
        room.Do([task = id](Records& records) { return Find(records, task); });
    ASSERT_TRUE(task.has_value());
    ASSERT_EQ(task->status, entry.status) << ToText(id);
    ASSERT_EQ(task->attempts, entry.attempts) << ToText(id);
    ASSERT_EQ(task->fence, entry.fence) << ToText(id);
    ASSERT_EQ(task->ready(), model.Ready(entry)) << ToText(id);
  }
  const auto numbers = room.Do([](Records& records) { return QueueOf(records); });
  ASSERT_EQ(numbers->tasks, expected.tasks) << "the tallies";
  for (const auto& [id, capabilities] : model.agents) {
    const auto agent = room.Do([name = id](Records& records) { return FindAgent(records, name); });
    ASSERT_EQ(agent->active, model.Held(id)) << id;
  }
}

TEST_P(AgainstTheModel, WhateverIsDoneItIsAsTheModelSays) {
  const char* steps[] = {"start_task",    "start_task",  "complete_task", "complete_task",
                         "complete_task", "cancel_task", "requeue_task",  "fail_task"};
  for (int i = 0; i < 600 && !HasFatalFailure(); ++i) {
    const std::uint64_t dice = Below(100);
    if (dice < 25) {
      Create();
    } else if (dice < 45) {
      Claim();
    } else if (dice < 48) {
      Update();
    } else if (dice < 50) {
      Leave();
    } else if (dice < 90) {
      Step(steps[Below(std::size(steps))]);
    } else if (dice < 95) {
      Beat();
    } else {
      Pass();
    }
    if (i % 25 == 0) Compare();
  }
  if (!HasFatalFailure()) Compare();
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgainstTheModel, ::testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace switchyard::orchestration
