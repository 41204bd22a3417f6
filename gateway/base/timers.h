// The timers of one worker. Nearly every timer is a deadline that never fires, so adding and
// removing must cost next to nothing: entries sit in a map ordered by time, and one Asio timer is
// armed for the earliest only. A timer never fires early, and on a real clock at most a few
// milliseconds late.
//
// One thread: the worker's. With a ManualClock nothing is armed: a test advances the clock and
// calls FireDue().
#pragma once

#include <functional>
#include <map>

#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "base/task.h"

namespace switchyard {

class Timers {
 public:
  using Callback = std::move_only_function<void()>;

  // `context` and `clock` outlive this.
  Timers(net::io_context& context, const Clock& clock);
  Timers(const Timers&) = delete;
  ~Timers();

  // Cancels when destroyed. Must not outlive the Timers.
  class Handle {
   public:
    Handle() = default;
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&& other) noexcept;
    ~Handle() { Cancel(); }
    void Cancel();
    bool armed() const { return state_ != nullptr; }

   private:
    friend class Timers;
    struct State;
    explicit Handle(State* state) : state_(state) {}
    State* state_ = nullptr;  // owned by the entry; cleared when it fires
  };

  // The callback runs once on the worker's thread. A deadline that never comes gives an unarmed
  // handle.
  [[nodiscard]] Handle At(TimePoint at, Callback callback);
  [[nodiscard]] Handle In(Duration delay, Callback callback);

  // Suspends the calling task. Cancellable: unwinds like any Asio operation.
  Task<void> Sleep(Duration delay);

  void FireDue();
  // Lets the event loop run dry: what is armed for an entry that is gone no longer holds it up.
  void Disarm() { timer_.cancel(); }
  const Clock& clock() const { return clock_; }
  std::size_t size() const { return entries_.size(); }

 private:
  using Map = std::multimap<TimePoint, Handle::State*>;
  void Arm();

  net::basic_waitable_timer<std::chrono::steady_clock, net::wait_traits<std::chrono::steady_clock>,
                            Executor>
      timer_;
  const Clock& clock_;
  const Clock::Pace pace_;
  Map entries_;
  TimePoint armed_for_ = TimePoint::max();
};

}  // namespace switchyard
