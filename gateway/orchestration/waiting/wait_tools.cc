// The tool that waits.
#include <utility>

#include "orchestration/moves.h"
#include "orchestration/tool.h"
#include "orchestration/views.h"

namespace switchyard::orchestration::await_task {
namespace {

constexpr std::int64_t kUsualWait = 30'000;
constexpr std::int64_t kReturnedByALook = 50;

}  // namespace

Result<Operation> Prepare(Arguments& arguments) {
  const TaskId id = arguments.Task("task_id", Arguments::Need::kRequired);
  const std::int64_t wait = arguments.WaitMs(kUsualWait);
  if (Result<void> fine = arguments.Check(); !fine) return Failure(std::move(fine.error()));
  const auto look = [id](Records& records) -> Result<Answer> {
    // What nobody keeps alive any more is not what it reads like.
    if (Result<bool> back = ReturnExpired(records, kReturnedByALook); !back) {
      return Failure(std::move(back.error()));
    }
    Result<Task> task = Find(records, id);
    if (!task) return Failure(std::move(task.error()));
    Answer answer{.content = View(*task, As::kSubject, {}), .text = Line(*task)};
    if (!task->error.empty()) answer.text += ": " + task->error;
    answer.empty_handed = !IsFinished(task->status);
    if (answer.empty_handed) answer.task = id;
    return answer;
  };
  return Operation{.run = look, .wait_ms = wait, .awaits = id, .follow = Follow::kIfTaken};
}

}  // namespace switchyard::orchestration::await_task
