// Lets one through at a time, in the order in which they came; the others wait in a bounded queue
// and not beyond their deadline. One thread. Kept alive by those who hold or wait.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "base/deadline.h"
#include "base/mailbox.h"
#include "base/result.h"
#include "base/timers.h"

namespace switchyard::downstream {

class Turnstile : public std::enable_shared_from_this<Turnstile> {
 public:
  static constexpr std::size_t kMaxWaiting = 256;

  // `server` is for the message of a refusal. `timers` outlives this.
  Turnstile(std::string server, Timers& timers) : server_(std::move(server)), timers_(timers) {}

  // Whoever holds it is through; the next one comes when it is destroyed.
  class Turn {
   public:
    Turn() = default;
    explicit Turn(std::shared_ptr<Turnstile> owner) : owner_(std::move(owner)) {}
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&& other) noexcept {
      Release();
      owner_ = std::move(other.owner_);
      return *this;
    }
    ~Turn() { Release(); }

   private:
    void Release() {
      if (const std::shared_ptr<Turnstile> owner = std::exchange(owner_, nullptr)) owner->Next();
    }
    std::shared_ptr<Turnstile> owner_;
  };

  Task<Result<Turn>> Enter(Deadline deadline);

 private:
  struct Waiter;
  void Next();
  std::unexpected<Error> Busy(std::string_view how) const;

  const std::string server_;
  Timers& timers_;
  bool taken_ = false;
  std::deque<Waiter*> waiting_;
};

}  // namespace switchyard::downstream
