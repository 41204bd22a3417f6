// Many tasks that wait for one outcome. One thread. Wait() is cancellable; Notify() wakes all that
// wait at that moment, through their executor.
#pragma once

#include <utility>
#include <vector>

#include "base/mailbox.h"
#include "base/task.h"

namespace switchyard::downstream {

template <class T>
class Waiters {
 public:
  Waiters() = default;
  Waiters(const Waiters&) = delete;

  // Outlived by *this while it waits.
  Task<T> Wait() {
    Place place(*this);
    T value = co_await place.box.Take();
    co_return value;
  }

  void Notify(const T& value) {
    for (Place* place : std::exchange(places_, {})) place->box.Put(value);
  }

 private:
  struct Place {
    explicit Place(Waiters& owner) : waiters(owner) { waiters.places_.push_back(this); }
    Place(const Place&) = delete;
    ~Place() { std::erase(waiters.places_, this); }
    Waiters& waiters;
    Mailbox<T> box;
  };
  std::vector<Place*> places_;
};

}  // namespace switchyard::downstream
