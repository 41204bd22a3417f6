#include "base/task.h"

#include <spdlog/spdlog.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <string>
#include <utility>

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
  }
}

}  // namespace

void Spawn(Executor executor, std::string_view name, Task<void> task) {
  net::co_spawn(executor, std::move(task),
                [name = std::string(name)](std::exception_ptr e) { ReportEscaped(name, e); });
}

struct TaskHandle::State {
  net::cancellation_signal signal;
  bool running = true;
};

TaskHandle::TaskHandle(Executor executor, std::string_view name, Task<void> task)
    : state_(std::make_shared<State>()) {
  net::co_spawn(
      executor, std::move(task),
      net::bind_cancellation_slot(
          state_->signal.slot(), [state = state_, name = std::string(name)](std::exception_ptr e) {
            state->running = false;
            ReportEscaped(name, e);
          }));
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
  if (state->running) state->signal.emit(net::cancellation_type::terminal);
}

void TaskHandle::Interrupt() {
  const std::shared_ptr<State> state = state_;
  if (state != nullptr && state->running) state->signal.emit(net::cancellation_type::terminal);
}

bool TaskHandle::running() const { return state_ != nullptr && state_->running; }

}  // namespace switchyard
