// Who wants to hear of which tasks and agents. What changed is told after its commit, to any
// worker: each watch has a set of what is due, not a queue, so that a slow reader costs what it
// watches and no more, and misses nothing but what came in between.
//
// Thread-safe, but for a Watch, which is of its reader's thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "base/mailbox.h"
#include "base/task.h"
#include "base/timers.h"
#include "orchestration/records.h"
#include "orchestration/waiting/subject.h"

namespace switchyard::orchestration {

class Watches {
 private:
  struct Box {
    explicit Box(Executor of) : executor(of) {}
    const Executor executor;
    Mailbox<bool> mail;     // of the executor's thread
    std::set<Subject> due;  // guarded by mutex_
    bool woken = false;     // guarded by mutex_
  };

 public:
  // Hears of what changes from its making on.
  class Watch {
   public:
    // `watches` outlives it.
    Watch(Watches& watches, Executor executor, std::set<Subject> subjects);
    Watch(const Watch&) = delete;
    ~Watch();

    // Until there may be something to take.
    switchyard::Task<void> Wait();
    // The same, or until then: false.
    switchyard::Task<bool> WaitUntil(TimePoint until, Timers& timers);
    // What changed since the last time, each once.
    std::set<Subject> Take();

   private:
    Watches& watches_;
    const std::set<Subject> subjects_;
    const std::shared_ptr<Box> box_;
  };

  // Any thread; cheap where nobody watches.
  void Changed(const Records::Effects& effects);
  // Of everybody who waits, as if something had changed.
  void WakeAll();

  std::size_t size() const { return count_; }

 private:
  void Tell(const Subject& subject);                  // under the lock
  static void Wake(const std::shared_ptr<Box>& box);  // under the lock

  std::atomic<std::size_t> count_ = 0;
  std::mutex mutex_;
  std::map<Subject, std::set<std::shared_ptr<Box>>> boxes_;  // guarded by mutex_
};

}  // namespace switchyard::orchestration
