// Something that is awaited for a limited time only.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "base/clock.h"
#include "base/task.h"
#include "base/timers.h"
#include "base/worker_timers.h"

namespace switchyard::policies {

// What became of a task: its value, or what it threw.
template <class T>
struct Ended {
  std::optional<T> value = std::nullopt;
  std::exception_ptr escaped = nullptr;

  // Thrown because it was cancelled, as Asio unwinds any task.
  bool aborted() const {
    try {
      if (escaped) std::rethrow_exception(escaped);
    } catch (const boost::system::system_error& error) {
      return error.code() == net::error::operation_aborted;
    } catch (...) {
    }
    return false;
  }
};

// Ends well whatever the task does, also when it was cancelled (see TaskHandle). `ended` outlives
// this.
template <class T>
Task<void> Observe(Task<T> task, Ended<T>* ended) {
  try {
    T value = co_await std::move(task);
    ended->value.emplace(std::move(value));
  } catch (...) {
    ended->escaped = std::current_exception();
  }
  co_await net::this_coro::throw_if_cancelled(false);
}

// What cancels the task around it cancels `inner` for its lifetime. The two share a thread; what is
// cancelled ends later, and not within the signal.
class Forwarding {
 public:
  Forwarding(net::cancellation_slot outer, net::cancellation_signal& inner) : outer_(outer) {
    if (!outer_.is_connected()) return;
    outer_.assign([&inner](net::cancellation_type type) { inner.emit(type); });
  }
  Forwarding(const Forwarding&) = delete;
  ~Forwarding() {
    if (outer_.is_connected()) outer_.clear();
  }

 private:
  net::cancellation_slot outer_;
};

// How the task of a race is cancelled. Asio posts a pointer to a signal that is emitted outside of
// the event loop, so what emits it there owns it, and finds out whether the race is over.
struct RaceEnd {
  net::cancellation_signal signal;
  bool late = false;
  bool over = false;
};

// nullopt: `until` came first; the task was cancelled and has ended. What the task throws ends the
// race at once and is thrown here, but for its own unwinding when it lost. By a point in time and
// not a duration: whatever happens before it starts is part of it.
//
// The task runs as one of its own, so that the timer can cancel it alone; nothing is thrown where
// it comes in time. A timer that fires when the task has ended, but is not known to have yet, finds
// nothing left to cancel: it has won all the same. Costs a spawn and a timer (about a microsecond),
// so for what is asked to be watched.
template <class T>
Task<std::optional<T>> Within(Task<T> task, TimePoint until, const Clock& clock) {
  const Executor executor = co_await net::this_coro::executor;
  const net::cancellation_state state = co_await net::this_coro::cancellation_state;
  const auto end = std::make_shared<RaceEnd>();
  Ended<T> ended;
  {
    const Timers::Handle timer = TimersOf(executor, clock).At(until, [end, executor] {
      end->late = true;
      net::dispatch(executor, [end] {
        if (!end->over) end->signal.emit(net::cancellation_type::terminal);
      });
    });
    const Forwarding forwarding(state.slot(), end->signal);
    co_await net::co_spawn(executor, Observe(std::move(task), &ended),
                           net::bind_cancellation_slot(end->signal.slot(), use_task));
    end->over = true;
  }
  if (ended.escaped && !(end->late && ended.aborted())) std::rethrow_exception(ended.escaped);
  if (end->late) co_return std::nullopt;
  co_return std::move(ended.value);
}

}  // namespace switchyard::policies
