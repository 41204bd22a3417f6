// At most N at a time, over all threads, with a bounded queue of those that wait. Thread-safe. As
// long as nobody waits, entering and leaving is one atomic operation each; a lock is taken only by
// those that queue and by those that leave while somebody queues.
//
// Who waits does so on its own worker and in the order of arrival; a slot that becomes free is
// handed to the first of them by a post to its worker.
#pragma once

#include <atomic>
#include <cstddef>
#include <expected>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/task.h"

namespace switchyard::policies {

class Gate {
  struct Waiter;
  struct Ticket;

 public:
  Gate(std::size_t max_inside, std::size_t max_waiting);
  ~Gate();
  Gate(const Gate&) = delete;

  // One slot. Given back when destroyed, on any thread. Must not outlive the gate's shared owners.
  class Permit {
   public:
    Permit(Permit&&) noexcept = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    friend class Gate;
    explicit Permit(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    std::shared_ptr<Gate> gate_;
  };

  // nullopt: full, or others are waiting already.
  static std::optional<Permit> TryEnter(const std::shared_ptr<Gate>& gate);

  enum class Refusal : std::uint8_t { kQueueFull, kTimedOut };
  // Waits for a slot until a point in time. Destroying the task gives the place in the queue up.
  static Task<std::expected<Permit, Refusal>> Enter(std::shared_ptr<Gate> gate, TimePoint until,
                                                    const Clock& clock);

  std::size_t inside() const { return inside_.load(); }
  std::size_t waiting() const { return waiting_.load(); }

 private:
  bool TakeSlot();
  void Leave();
  bool Enqueue(const std::shared_ptr<Waiter>& waiter);
  void HandOver();               // needs mutex_
  bool Dequeue(Waiter& waiter);  // false: it had been let in

  const std::size_t max_inside_;
  const std::size_t max_waiting_;
  // Both sequentially consistent: who queues writes waiting_ and then reads inside_, who leaves
  // does it the other way round, so at least one of them sees the other and no slot is forgotten.
  std::atomic<std::size_t> inside_{0};
  std::atomic<std::size_t> waiting_{0};

  std::mutex mutex_;  // guards queue_ and the waiters' places in it
  std::list<std::shared_ptr<Waiter>> queue_;
};

}  // namespace switchyard::policies
