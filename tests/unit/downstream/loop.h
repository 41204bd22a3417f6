// One event loop, driven by the test itself, with a clock that stands still unless told otherwise.
// Waits for events, never for time; the limits are safety nets.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/task.h"
#include "base/timers.h"
#include "core/deps.h"
#include "core/reply.h"

namespace switchyard::downstream {

class Loop {
 public:
  explicit Loop(unsigned worker = 0, unsigned workers = 1)
      : deps_{.context = context_,
              .timers = timers_,
              .clock = clock_,
              .worker = worker,
              .workers = workers} {}
  ~Loop() { RunReady(); }

  const Deps& deps() const { return deps_; }
  net::io_context& context() { return context_; }

  template <class T>
  T Run(Task<T> task) {
    std::optional<T> result;
    switchyard::Spawn(context_.get_executor(), "test", Keep(std::move(task), result));
    if (!RunUntil([&] { return result.has_value(); })) throw std::runtime_error("the task hangs");
    return std::move(*result);
  }
  void Run(Task<void> task) {
    bool over = false;
    switchyard::Spawn(context_.get_executor(), "test", Mark(std::move(task), over));
    if (!RunUntil([&] { return over; })) throw std::runtime_error("the task hangs");
  }

  bool RunUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      context_.restart();
      if (std::chrono::steady_clock::now() > end) return false;
      context_.run_one_for(std::chrono::milliseconds(100));
    }
    return true;
  }
  // The same, while time passes in steps.
  bool RunUntilWithTime(const std::function<bool()>& done,
                        Duration step = std::chrono::milliseconds(20)) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      context_.restart();
      if (context_.run_one_for(std::chrono::milliseconds(5)) == 0) Pass(step);
    }
    return true;
  }
  // What is ready now, and what becomes ready by it.
  void RunReady() {
    do {
      context_.restart();
    } while (context_.poll() > 0);
  }
  void Pass(Duration time) {
    clock_.Advance(time);
    timers_.FireDue();
    RunReady();
  }
  Deadline In(Duration time) const { return Deadline::In(clock_, time); }

 private:
  template <class T>
  static Task<void> Keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
  static Task<void> Mark(Task<void> task, bool& over) {
    co_await std::move(task);
    over = true;
  }

  net::io_context context_{1};
  ManualClock clock_;
  Timers timers_{context_, clock_};
  Deps deps_;
};

}  // namespace switchyard::downstream
