// What moves tasks from one state to the next. Each checks that the move is legal (lifecycle.def),
// that whoever makes it has the task, and leaves everything that hangs on it in step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/agents.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

struct NewTask {
  std::string content, task_type = "general";
  Priority priority = Priority::kMedium;
  std::vector<std::string> requirements = {};
  TaskId parent = 0;
  std::vector<TaskId> depends_on = {};
  std::int64_t deadline = 0;  // milliseconds since 1970; 0 = none
  std::int64_t max_attempts = 3;
  std::string idempotency = {}, digest = {};
  std::string agent = {};              // who creates it, as far as it says so; "" = it does not
  std::int64_t project = 0, goal = 0;  // 0 = as its parent
};
// Whose agent it says it is must not be another caller's. With an idempotency key that the caller
// used before: what came of it then; kInvalid when that asked for something else.
Result<Task> Create(Records& records, const NewTask& wanted);
// What a call with this key (idempotency, digest, agent) made before; an id of 0 = nothing.
// Create() asks by itself.
Result<Task> MadeByKey(Records& records, const NewTask& wanted);

// Who makes a move: the fence that came with the task, the agent it says it is; either may be left
// out, then whoever has the task is meant.
struct Actor {
  std::string agent = {};  // "" = not said
  std::int64_t fence = 0;  // 0 = not said
};

Result<Task> Assign(Records& records, TaskId id, const std::string& agent, std::int64_t lease_ms);
// The next tasks of the queue that the agent can do, up to `limit` and what it may have at a time.
Result<std::vector<Task>> Claim(Records& records, const std::string& agent,
                                std::string_view task_type, std::int64_t limit,
                                std::int64_t lease_ms);
// With the fence these two may be said again, as long as nothing else became of the task: an agent
// that did not hear the answer hears it then.
Result<Task> Start(Records& records, TaskId id, const Actor& actor);
Result<Task> Complete(Records& records, TaskId id, const Actor& actor, std::string result,
                      std::string metrics);
// `retry`: it goes back to the queue as long as it has attempts left.
Result<Task> Fail(Records& records, TaskId id, const Actor& actor, std::string error, bool retry);
Result<Task> Cancel(Records& records, TaskId id, std::string reason);
// One that failed or was cancelled gets all its attempts again. Refused where something that it
// waits for is forgotten, for that is never completed.
Result<Task> Requeue(Records& records, TaskId id);

struct Update {
  std::optional<std::string> content = {};
  std::optional<Priority> priority = {};
  std::optional<std::int64_t> deadline = {}, max_attempts = {};
  std::vector<TaskId> depends_on = {};  // besides those it has
};
Result<Task> Change(Records& records, TaskId id, Update update);

// kForbidden unless the caller made the task or has it: its parts are merged and handed out with
// it.
Result<void> MayAddParts(Records& records, const Task& task);

// Leases. Of the agent's tasks, or of the one named, with its fence or 0; gives how many.
Result<std::int64_t> Renew(Records& records, std::string_view agent, TaskId task,
                           std::int64_t fence);
Result<std::int64_t> ReturnAll(Records& records, const std::string& agent, const std::string& why);
// Takes back what nobody kept alive, up to so many. True: there may be more.
Result<bool> ReturnExpired(Records& records, std::int64_t limit);
// The same, and forgets tasks that are over and agents that said nothing for long; up to so many of
// each, for one transaction may hold a MiB of each task.
Result<bool> Sweep(Records& records, std::int64_t limit = 100);

// At the start: nobody could say anything while the gateway was down, so that is no time of a
// lease: what was left of it when the gateway was last seen to run goes on from now, 2 s at least.
Result<void> GoOnWithLeases(Records& records);
// The gateway runs. Kept while anybody has anything: once a second is enough.
Result<void> NoteAlive(Records& records);
// The wall clock jumped by so much: what counts from now on in its time goes with it.
Result<void> MoveLeases(Records& records, std::int64_t by);

}  // namespace switchyard::orchestration
