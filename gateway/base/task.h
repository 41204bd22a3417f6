// Coroutines of this project. A Task is lazy and awaited exactly once; every worker runs its tasks
// on its own io_context, so one executor type serves everywhere and nothing is type-erased.
#pragma once

#include <memory>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/frames.h"

namespace switchyard {

namespace net = boost::asio;

using Executor = net::io_context::executor_type;

template <class T>
using Task = net::awaitable<T, Executor>;

using UseTask = net::use_awaitable_t<Executor>;
inline constexpr UseTask use_task{};

// Starts a task of its own. An exception that escapes is logged as a bug with the task's name,
// except the one by which Asio unwinds a cancelled task. Replaces net::detached, which swallows.
void Spawn(Executor executor, std::string_view name, Task<void> task);

// A spawned task that can be ended from outside. Cancel() and the destructor unwind it: the pending
// operation is aborted, its destructors run, both soon after and not within Cancel(). On the thread
// of the executor a task starts at once, within the constructor, and may even end there. Cancel()
// and Interrupt() act on that thread: at once when called there, from within the task itself, too.
class TaskHandle {
 public:
  TaskHandle() = default;
  TaskHandle(Executor executor, std::string_view name, Task<void> task);
  TaskHandle(TaskHandle&&) noexcept = default;
  TaskHandle& operator=(TaskHandle&& other) noexcept;
  ~TaskHandle();

  void Cancel();
  // Aborts what the task awaits now; the task may catch that, reset its cancellation state and go
  // on.
  void Interrupt();
  bool running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace switchyard
