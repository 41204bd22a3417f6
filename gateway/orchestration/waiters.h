// Polls that wait for a task. Each task that becomes ready wakes one of them, the longest waiting
// first; one that takes nothing, for whatever reason, passes the wake on to the next, so that a
// thousand waiting agents are not all woken for each task and no task lies beside an agent that
// waits for it.
//
// Thread-safe, but for a Ticket, which is of its caller's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/mailbox.h"
#include "base/task.h"
#include "base/timers.h"

namespace switchyard::orchestration {

class Waiters {
 private:
  struct Waiter {
    Executor executor;
    std::shared_ptr<Mailbox<bool>> box;  // of the executor's thread
    bool woken = false;                  // guarded by mutex_
  };

 public:
  // A place in the line, kept until it goes.
  class Ticket {
   public:
    // `waiters` and `timers` outlive it.
    Ticket(Waiters& waiters, Timers& timers, Executor executor);
    Ticket(const Ticket&) = delete;
    ~Ticket();

    // True: woken since the last time; false: the time is over. Who is woken says what became of
    // it before it waits again; who goes without a word passes it on.
    switchyard::Task<bool> Wait(TimePoint until);
    void PassOn();  // nothing was taken
    void Took() { owes_ = false; }

   private:
    Waiters& waiters_;
    Timers& timers_;
    const std::shared_ptr<Mailbox<bool>> box_ = std::make_shared<Mailbox<bool>>();
    std::uint64_t place_ = 0;
    bool owes_ = false;  // woken, and has not said what became of it
  };

  void Wake(std::int64_t tasks);
  std::size_t size() const;

 private:
  void WakeAfter(std::uint64_t place);  // the first one behind it that sleeps
  void WakeOne(Waiter& waiter);         // under the lock

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Waiter> waiting_;  // by place; guarded by mutex_
  std::uint64_t next_ = 1;
};

}  // namespace switchyard::orchestration
