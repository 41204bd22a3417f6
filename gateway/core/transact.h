// Awaiting a transaction of a Database from a worker's thread.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/mailbox.h"
#include "base/task.h"
#include "base/timers.h"
#include "base/together.h"
#include "core/database.h"

namespace switchyard {

// Of the caller of a transaction.
struct Patience {
  Timers* timers = nullptr;  // null: it waits as long as it takes
  TimePoint until = TimePoint::max();
  bool only_heard = false;  // not begun once nobody waits for it any more
};

// Runs `work`, a Result<T>(Database::Transaction&), and gives what it gave, after the commit. The
// work owns all it needs: it runs even when the caller is gone. `kept`, a void(const T&), hears of
// it on the database's thread, once it is committed, whether the caller is there or not. kDeadline:
// the patience is over, and what becomes of it nobody knows. `database` and `timers` outlive the
// wait.
template <class T, class Work, class Kept>
Task<Result<T>> Transact(Database& database, Executor executor, Work work, Kept kept,
                         Patience patience = {}) {
  struct Waiting {
    Result<T> answer = Failure(Code::kInternal, Origin::kGateway, "the transaction did not run");
    std::atomic<bool> gone = false;
    Mailbox<bool> over;  // of the caller's thread
  };
  // Also where the wait is cancelled.
  struct Goes {
    std::shared_ptr<Waiting> waiting;
    ~Goes() { waiting->gone = true; }
  };
  const auto waiting = std::make_shared<Waiting>();
  const Goes goes{waiting};
  database.Submit(
      [waiting, work = std::move(work), only_heard = patience.only_heard](
          Database::Transaction& transaction) mutable -> Result<void> {
        if (only_heard && waiting->gone) {
          return Failure(Code::kCancelled, Origin::kClient, "nobody waits for it any more");
        }
        waiting->answer = work(transaction);
        return waiting->answer ? Result<void>() : Failure(waiting->answer.error());
      },
      [waiting, executor, kept = std::move(kept)](Result<void> done) mutable {
        if (done) {
          kept(std::as_const(*waiting->answer));
        } else {
          waiting->answer = Failure(std::move(done.error()));
        }
        Together::Post(executor, [waiting] { waiting->over.PutAndRun(true); });
      });
  Timers::Handle timer;
  if (patience.timers != nullptr) {
    timer = patience.timers->At(patience.until, [waiting] { waiting->over.Put(false); });
  }
  const bool answered = co_await waiting->over.Take();
  if (!answered) {
    co_return Failure(Code::kDeadline, Origin::kServer,
                      "no answer in time; look whether the call took effect");
  }
  co_return std::move(waiting->answer);
}

template <class T, class Work>
Task<Result<T>> Transact(Database& database, Executor executor, Work work) {
  return Transact<T>(database, executor, std::move(work), [](const T&) {});
}

}  // namespace switchyard
