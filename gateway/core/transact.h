// Awaiting a transaction of a Database from a worker's thread.
#pragma once

#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/mailbox.h"
#include "base/task.h"
#include "core/database.h"

namespace switchyard {

// Runs `work`, a Result<T>(Database::Transaction&), and gives what it gave, after the commit. The
// work owns all it needs: it runs even when the caller is gone. `database` outlives the wait.
// `told` hears of what was kept, on a thread of the engine, also when the caller is gone.
template <class T, class Work, class Told>
Task<Result<T>> Transact(Database& database, Executor executor, Work work, Told told) {
  struct Waiting {
    Result<T> answer = Failure(Code::kInternal, Origin::kGateway, "the transaction did not run");
    Mailbox<bool> over;  // of the caller's thread
  };
  const auto waiting = std::make_shared<Waiting>();
  database.Submit(
      [waiting, work = std::move(work)](Database::Transaction& transaction) mutable {
        waiting->answer = work(transaction);
        return waiting->answer ? Result<void>() : Failure(waiting->answer.error());
      },
      [waiting, executor, told = std::move(told)](Result<void> kept) mutable {
        if (kept) {
          told(std::as_const(*waiting->answer));
        } else {
          waiting->answer = Failure(std::move(kept.error()));
        }
        net::post(executor, [waiting] { waiting->over.Put(true); });
      });
  co_await waiting->over.Take();
  co_return std::move(waiting->answer);
}

template <class T, class Work>
Task<Result<T>> Transact(Database& database, Executor executor, Work work) {
  return Transact<T>(database, executor, std::move(work), [](const T&) {});
}

}  // namespace switchyard
