#include "base/task.h"

#include <atomic>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <spdlog/spdlog.h>

namespace switchyard {
namespace {

void ReportEscaped(std::string_view name, const std::exception_ptr& escaped) {
  if (!escaped) return;
  try {
    std::rethrow_exception(escaped);
  } catch (const boost::system::system_error& error) {
    if (error.code() == net::error::operation_aborted) return;  // how Asio unwinds a cancelled task
    spdlog::error("bug: task {} ended by {}", name, error.what());
  } catch (const std::exception& error) {
    spdlog::error("bug: task {} ended by {}", name, error.what());
  } catch (...) {
    spdlog::error("bug: task {} ended by something that is no exception", name);
  }
}

}  // namespace

void Spawn(Executor executor, std::string_view name, Task<void> task) {
  net::co_spawn(executor, std::move(task),
                [name = std::string(name)](std::exception_ptr e) { ReportEscaped(name, e); });
}

struct TaskHandle::State : std::enable_shared_from_this<State> {
  explicit State(Executor task_executor) : executor(task_executor) {}

  const Executor executor;
  net::cancellation_signal signal;
  bool started = false;
  bool unwanted = false;             // cancelled before it started
  std::atomic<bool> running = true;  // false: there may be no executor any more

  // Asio would post a pointer to the signal when this is another thread; we post what owns it.
  void Emit() {
    if (!running) return;
    net::dispatch(executor, [state = shared_from_this()] {
      if (!state->started) {
        state->unwanted = true;
      } else if (state->running) {
        state->signal.emit(net::cancellation_type::terminal);
      }
    });
  }

  // Asio's entry point awaits once more around a task, and what is thrown there leaves the event
  // loop. So a task learns of a cancellation only between its first and its last step: it may be
  // cancelled before it started, and from within.
  static Task<void> Run(std::shared_ptr<State> state, Task<void> task) {
    struct Over {  // also when the loop goes with the task in it
      State& state;
      ~Over() { state.running = false; }
    };
    const Over over{*state};
    state->started = true;
    if (state->unwanted) co_return;
    std::exception_ptr escaped;
    try {
      co_await std::move(task);
    } catch (...) {
      escaped = std::current_exception();
    }
    co_await net::this_coro::throw_if_cancelled(false);
    if (escaped) std::rethrow_exception(escaped);
  }
};

TaskHandle::TaskHandle(Executor executor, std::string_view name, Task<void> task)
    : state_(std::make_shared<State>(executor)) {
  // The handler keeps the signal alive until Asio is done with its slot.
  auto handler = [state = state_, name = std::string(name)](std::exception_ptr e) {
    ReportEscaped(name, e);
  };
  net::co_spawn(executor, State::Run(state_, std::move(task)),
                net::bind_cancellation_slot(state_->signal.slot(), std::move(handler)));
}

TaskHandle& TaskHandle::operator=(TaskHandle&& other) noexcept {
  if (this != &other) {
    Cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}

TaskHandle::~TaskHandle() { Cancel(); }

void TaskHandle::Cancel() {
  if (state_ == nullptr) return;
  const std::shared_ptr<State> state = std::move(state_);  // the emit may destroy *this
  state->Emit();
}

void TaskHandle::Interrupt() {
  const std::shared_ptr<State> state = state_;
  if (state != nullptr) state->Emit();
}

bool TaskHandle::running() const { return state_ != nullptr && state_->running; }

}  // namespace switchyard
