// The way of events from one thread to the writer: bounded, without a lock. One thread puts and
// reserves, one other takes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <boost/lockfree/spsc_queue.hpp>

#include "audit/event.h"

namespace switchyard::audit {

class Lane {
 public:
  static constexpr std::size_t kPlaces = 4096;

  Lane() : queue_(kPlaces) {}
  Lane(const Lane&) = delete;
  ~Lane() {
    while (Take() != nullptr) {
    }
  }

  // ---- By its own thread.
  // Sets a place aside, which the next Put() takes. False: there is none left.
  bool Reserve() {
    if (queue_.write_available() <= reserved_) return false;
    ++reserved_;
    return true;
  }
  // Of who was let in without one.
  void Owe() { ++reserved_; }
  void Put(std::unique_ptr<Event> event) {
    if (reserved_ > 0) --reserved_;
    Push(std::move(event));
  }
  // Leaves alone what is set aside.
  void PutIfRoom(std::unique_ptr<Event> event) {
    if (queue_.write_available() > reserved_) return Push(std::move(event));
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }

  // ---- By the writer. Null: there is none.
  std::unique_ptr<Event> Take() {
    Event* event = nullptr;
    queue_.pop(event);
    return std::unique_ptr<Event>(event);
  }
  bool empty() const { return queue_.read_available() == 0; }
  // Since it was last asked.
  std::uint64_t TakeDropped() { return dropped_.exchange(0, std::memory_order_relaxed); }

 private:
  void Push(std::unique_ptr<Event> event) {
    if (queue_.push(event.get())) {
      static_cast<void>(event.release());
    } else {
      dropped_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  boost::lockfree::spsc_queue<Event*> queue_;
  std::size_t reserved_ = 0;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace switchyard::audit
