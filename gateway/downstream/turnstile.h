// Lets one through at a time, in the order in which they came; the others wait in a bounded queue
// and not beyond their deadline. One thread. Kept alive by those who hold or wait.
#pragma once

#include <deque>
#include <functional>
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

  // `busy` begins the message of a refusal: who is busy with what. `timers` outlives this.
  Turnstile(std::string busy, Timers& timers) : busy_(std::move(busy)), timers_(timers) {}

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

  bool free() const { return !taken_; }
  // Called each time it becomes free, that is when nobody waited for the turn.
  void OnFree(std::function<void()> handler) { on_free_ = std::move(handler); }

  std::unexpected<Error> NoTurnInTime() const { return Refusal("no turn in time"); }

 private:
  struct Waiter;
  void Next();
  std::unexpected<Error> Refusal(std::string_view why) const;

  const std::string busy_;
  Timers& timers_;
  std::function<void()> on_free_;
  bool taken_ = false;
  std::deque<Waiter*> waiting_;
};

}  // namespace switchyard::downstream
