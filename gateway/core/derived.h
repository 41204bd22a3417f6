// What stages make of something immutable when they first need it (a compiled schema of a tool's
// definition), kept beside it for as long as it lives: made once a catalog and not once a call.
//
// Get() is safe from any thread at a time and takes no lock: what was made is published by one
// atomic. Two threads that come first may both make it; one of the two is kept. Copies begin empty.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace switchyard {

class Derived {
 public:
  Derived() = default;
  Derived(const Derived& /*other*/) noexcept {}
  Derived(Derived&& other) noexcept : first_(other.first_.exchange(nullptr)) {}
  Derived& operator=(const Derived& other) noexcept {
    if (this != &other) Clear();  // it is of what was here before
    return *this;
  }
  Derived& operator=(Derived&& other) noexcept {
    if (this != &other) {
      Clear();
      first_.store(other.first_.exchange(nullptr));
    }
    return *this;
  }
  ~Derived() { Clear(); }

  // The one T, from make() at the first call. Lives as long as *this.
  template <class T, class Make>
  const T& Get(Make make) const {
    Entry* const first = first_.load(std::memory_order_acquire);
    if (const T* known = Find<T>(first, nullptr)) return *known;
    auto made = std::make_unique<Of<T>>(make());
    made->key = &kKey<T>;
    made->next = first;
    Entry* seen = first;
    while (!first_.compare_exchange_weak(made->next, made.get(), std::memory_order_acq_rel,
                                         std::memory_order_acquire)) {
      if (const T* known = Find<T>(made->next, seen)) return *known;
      seen = made->next;
    }
    return made.release()->value;
  }

 private:
  struct Entry {
    virtual ~Entry() = default;
    const void* key = nullptr;
    Entry* next = nullptr;
  };
  template <class T>
  struct Of final : Entry {
    explicit Of(T&& made) : value(std::move(made)) {}
    const T value;
  };
  template <class T>
  static constexpr char kKey = 0;

  // Looks from `from` up to, but not at, `to`.
  template <class T>
  static const T* Find(const Entry* from, const Entry* to) {
    for (const Entry* entry = from; entry != to && entry != nullptr; entry = entry->next) {
      if (entry->key == &kKey<T>) return &static_cast<const Of<T>*>(entry)->value;
    }
    return nullptr;
  }

  void Clear() noexcept {
    Entry* entry = first_.exchange(nullptr);
    while (entry != nullptr) delete std::exchange(entry, entry->next);
  }

  mutable std::atomic<Entry*> first_{nullptr};
};

}  // namespace switchyard
