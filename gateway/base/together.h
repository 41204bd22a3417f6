// What a thread hands to event loops, all at once: while a Together lives, what its thread posts
// through it waits for its end, and each loop is woken once and finds all of it. One by one, each
// post would wake a loop that has just gone to sleep, and take the processor from who posts.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/task.h"

namespace switchyard {

// Of the thread that makes it; ends there. One within another adds to the outer one.
class Together {
 public:
  using Work = std::move_only_function<void()>;

  Together();
  Together(const Together&) = delete;
  ~Together();

  // Any thread. Each executor gets its works in their order; without a Together, at once.
  static void Post(Executor executor, Work work);

 private:
  static thread_local Together* current;

  Together* const outer_;
  std::vector<std::pair<Executor, std::vector<Work>>> loops_;  // few: one a worker
};

}  // namespace switchyard
