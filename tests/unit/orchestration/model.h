// The orchestration service as simply as it can be written: maps, and loops over everything; no
// indexes, no counters, no lanes, no SQL. What an operation does is what docs/orchestration.md
// says. An operation that is refused gives false or nullopt and changes nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestration/lanes.h"
#include "orchestration/lifecycle.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

class Model {
 public:
  struct Wish {
    std::string task_type = "general";
    Priority priority = Priority::kMedium;
    std::vector<std::string> needs = {};
    std::vector<TaskId> depends_on = {};  // sorted
    TaskId parent = 0;
    std::int64_t deadline = 0, max_attempts = 3;
    std::string key = {};
    bool operator==(const Wish&) const = default;
  };
  struct Entry {
    Wish wish;  // as it was created
    Priority priority = Priority::kMedium;
    std::int64_t deadline = 0, max_attempts = 3;
    std::set<TaskId> depends_on = {};
    bool forlorn = false;  // what it depends on is forgotten, and was not completed
    Status status = Status::kPending;
    std::string holder = {};
    std::int64_t created_at = 0, queued_at = 0, finished_at = 0, due = 0;
    std::int64_t attempts = 0, fence = 0, lease_until = 0, lease_ms = 0;
    bool taken_back = false;  // ever
  };
  struct Worker {
    std::vector<std::string> capabilities = {};
    std::int64_t max_concurrent = 10, completed = 0, failed = 0, expired = 0;
  };
  struct Actor {
    std::string agent = {};  // "" = not said
    std::int64_t fence = 0;  // 0 = not said
  };

  std::int64_t now = 0, lease_ms = 0, retain_ms = 0;
  TaskId last = 0;
  std::map<TaskId, Entry> tasks;
  std::map<std::string, Worker> agents;

  bool Ready(const Entry& entry) const {
    return entry.status == Status::kPending && !entry.forlorn &&
           std::ranges::all_of(entry.depends_on, [this](TaskId id) {
             return tasks.at(id).status == Status::kCompleted;
           });
  }
  std::int64_t Held(const std::string& agent) const {
    return std::ranges::count_if(tasks, [&](const auto& one) {
      return IsHeld(one.second.status) && one.second.holder == agent;
    });
  }
  std::int64_t OldestPending() const {
    for (const auto& [id, entry] : tasks) {
      if (entry.status == Status::kPending) return now - entry.created_at;
    }
    return 0;
  }

  std::optional<TaskId> Create(const Wish& wish) {
    for (const auto& [id, entry] : tasks) {
      if (wish.key.empty() || entry.wish.key != wish.key) continue;
      return entry.wish == wish ? std::optional(id) : std::nullopt;
    }
    const bool known =
        std::ranges::all_of(wish.depends_on, [this](TaskId id) { return tasks.contains(id); });
    if (!known || (wish.parent != 0 && !tasks.contains(wish.parent))) return std::nullopt;
    Entry entry{.wish = wish,
                .priority = wish.priority,
                .deadline = wish.deadline,
                .max_attempts = wish.max_attempts,
                .created_at = now,
                .queued_at = now};
    entry.depends_on = {wish.depends_on.begin(), wish.depends_on.end()};
    entry.due = DueAt(now, wish.priority, wish.deadline);
    tasks.emplace(++last, std::move(entry));
    return last;
  }
  // In the order of the queue; `agent` "" = for anybody.
  std::vector<TaskId> Next(const std::string& agent, const std::string& task_type,
                           std::int64_t limit) const {
    std::vector<std::pair<std::int64_t, TaskId>> ready;
    for (const auto& [id, entry] : tasks) {
      if (!Ready(entry) || (!task_type.empty() && entry.wish.task_type != task_type)) continue;
      if (!agent.empty() && !Covers(agents.at(agent).capabilities, entry.wish.needs)) continue;
      ready.emplace_back(entry.due, id);
    }
    std::ranges::sort(ready);
    std::vector<TaskId> ids;
    for (const auto& [due, id] : ready) {
      if (std::cmp_less(ids.size(), limit)) ids.push_back(id);
    }
    return ids;
  }
  std::optional<std::vector<TaskId>> Claim(const std::string& agent, const std::string& task_type,
                                           std::int64_t limit, std::int64_t lease) {
    if (!agents.contains(agent)) return std::nullopt;
    const std::int64_t free = agents.at(agent).max_concurrent - Held(agent);
    if (free <= 0) return std::nullopt;
    const std::vector<TaskId> ids = Next(agent, task_type, std::min(limit, free));
    for (const TaskId id : ids) Give(tasks.at(id), agent, lease);
    return ids;
  }
  bool Assign(TaskId id, const std::string& agent, std::int64_t lease) {
    if (!tasks.contains(id) || !agents.contains(agent) || !Ready(tasks.at(id))) return false;
    if (!Covers(agents.at(agent).capabilities, tasks.at(id).wish.needs)) return false;
    if (Held(agent) >= agents.at(agent).max_concurrent) return false;
    Give(tasks.at(id), agent, lease);
    return true;
  }
  bool Start(TaskId id, const Actor& actor) {
    if (MadeBefore(id, actor, Status::kInProgress)) return true;
    Entry* const entry = For("start_task", id, actor);
    if (entry == nullptr) return false;
    entry->status = Status::kInProgress;
    entry->lease_until = now + entry->lease_ms;
    return true;
  }
  bool Complete(TaskId id, const Actor& actor) {
    if (MadeBefore(id, actor, Status::kCompleted)) return true;
    Entry* const entry = For("complete_task", id, actor);
    if (entry == nullptr) return false;
    ++agents.at(entry->holder).completed;
    End(*entry, Status::kCompleted);
    return true;
  }
  bool Fail(TaskId id, const Actor& actor, bool retry) {
    Entry* const entry = For("fail_task", id, actor);
    if (entry == nullptr) return false;
    const bool held = IsHeld(entry->status);
    if (held) {
      ++agents.at(entry->holder).failed;
      ++entry->fence;
    }
    if (retry && (!held || entry->attempts < entry->max_attempts)) {
      entry->status = Status::kPending;
      entry->holder.clear();
    } else {
      End(*entry, Status::kFailed);
    }
    return true;
  }
  bool Cancel(TaskId id) {
    Entry* const entry = For("cancel_task", id, {});
    if (entry == nullptr) return false;
    if (IsHeld(entry->status)) ++entry->fence;
    End(*entry, Status::kCancelled);
    return true;
  }
  bool Requeue(TaskId id) {
    Entry* const entry = For("requeue_task", id, {});
    if (entry == nullptr || entry->forlorn) return false;
    entry->status = Status::kPending;
    entry->attempts = entry->finished_at = 0;
    entry->holder.clear();
    entry->queued_at = now;
    entry->due = DueAt(now, entry->priority, entry->deadline);
    return true;
  }
  bool Change(TaskId id, std::optional<Priority> priority, std::int64_t deadline,
              std::int64_t max_attempts, const std::vector<TaskId>& needs) {
    Entry* const entry = For("update_task", id, {});
    if (entry == nullptr) return false;
    for (const TaskId need : needs) {
      if (entry->depends_on.contains(need)) continue;
      if (!tasks.contains(need) || DependsOn(need, id)) return false;
    }
    entry->depends_on.insert(needs.begin(), needs.end());
    if (priority) entry->priority = *priority;
    if (deadline != 0) entry->deadline = deadline;
    if (max_attempts != 0) entry->max_attempts = max_attempts;
    entry->due = DueAt(entry->queued_at, entry->priority, entry->deadline);
    return true;
  }
  // All of its tasks (0), or one.
  std::optional<std::int64_t> Beat(const std::string& agent, TaskId id, std::int64_t fence) {
    if (!agents.contains(agent)) return std::nullopt;
    std::int64_t renewed = 0;
    for (auto& [task, entry] : tasks) {
      if (!IsHeld(entry.status) || entry.holder != agent || (id != 0 && id != task)) continue;
      if (fence != 0 && fence != entry.fence) continue;
      entry.lease_until = now + entry.lease_ms;
      ++renewed;
    }
    return id == 0 || renewed == 1 ? std::optional(renewed) : std::nullopt;
  }
  void Register(const std::string& agent, std::vector<std::string> capabilities,
                std::int64_t max_concurrent) {
    agents[agent].capabilities = std::move(capabilities);
    agents[agent].max_concurrent = max_concurrent;
  }
  std::optional<std::int64_t> Deregister(const std::string& agent) {
    if (!agents.contains(agent)) return std::nullopt;
    std::int64_t returned = 0;
    for (auto& [id, entry] : tasks) {
      if (!IsHeld(entry.status) || entry.holder != agent) continue;
      --entry.attempts;  // who leaves in good time has not tried it
      entry.taken_back = true;
      GoBack(entry);
      ++returned;
    }
    agents.erase(agent);
    return returned;
  }
  // Leases end, and what is over for long is forgotten.
  void Pass(std::int64_t time) {
    now += time;
    for (auto& [id, entry] : tasks) {
      if (!IsHeld(entry.status) || entry.lease_until > now) continue;
      ++agents.at(entry.holder).expired;
      Return(entry);
    }
    std::vector<TaskId> gone;
    for (const auto& [id, entry] : tasks) {
      if (entry.finished_at != 0 && entry.finished_at <= now - retain_ms) gone.push_back(id);
    }
    for (const TaskId id : gone) Forget(id);
  }

 private:
  Entry* For(std::string_view tool, TaskId id, const Actor& actor) {
    const auto found = tasks.find(id);
    if (found == tasks.end()) return nullptr;
    Entry& entry = found->second;
    if (actor.fence != 0 && actor.fence != entry.fence) return nullptr;
    if (!Allows(tool, entry.status, "")) return nullptr;
    if (entry.taken_back &&
        (tool == "start_task" || tool.starts_with("complete") || tool.starts_with("fail"))) {
      // Of whoever had it before, maybe.
      if (!IsHeld(entry.status) || (actor.fence == 0 && actor.agent.empty())) return nullptr;
    }
    const bool other = !actor.agent.empty() && actor.agent != entry.holder;
    return other && IsHeld(entry.status) ? nullptr : &entry;
  }
  void Give(Entry& entry, const std::string& agent, std::int64_t lease) const {
    entry.status = Status::kAssigned;
    entry.holder = agent;
    entry.lease_ms = lease == 0 ? lease_ms : lease;
    entry.lease_until = now + entry.lease_ms;
    ++entry.attempts;
    ++entry.fence;
  }
  void End(Entry& entry, Status status) const {
    entry.status = status;
    entry.finished_at = now;
  }
  void Return(Entry& entry) const {
    entry.taken_back = true;
    if (entry.attempts < entry.max_attempts) return GoBack(entry);
    ++entry.fence;
    End(entry, Status::kFailed);
  }
  static void GoBack(Entry& entry) {
    ++entry.fence;
    entry.status = Status::kPending;
    entry.holder.clear();
  }
  // What is completed waits for nothing.
  bool DependsOn(TaskId from, TaskId on) const {
    if (from == on) return true;
    const Entry& entry = tasks.at(from);
    return entry.status != Status::kCompleted &&
           std::ranges::any_of(entry.depends_on, [&](TaskId need) { return DependsOn(need, on); });
  }
  // A move that is said again with its fence, for the answer may have been lost.
  bool MadeBefore(TaskId id, const Actor& actor, Status reached) const {
    const auto found = tasks.find(id);
    return found != tasks.end() && actor.fence != 0 && found->second.status == reached &&
           found->second.fence == actor.fence &&
           (actor.agent.empty() || actor.agent == found->second.holder);
  }
  void Forget(TaskId id) {
    const bool completed = tasks.at(id).status == Status::kCompleted;
    for (auto& [other, entry] : tasks) {
      if (entry.depends_on.erase(id) == 0 || completed) continue;
      entry.forlorn = true;
      if (entry.status == Status::kPending) End(entry, Status::kCancelled);
    }
    tasks.erase(id);
  }
};

}  // namespace switchyard::orchestration
