// Values by name, made when a name is first met: for what a policy keeps for each tool. Names are
// never forgotten but bounded: those beyond the bound share one value (a few more get in when
// threads meet new names at the same time). Thread-safe; finding a name
// takes no lock and allocates nothing.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::policies {

template <class T>
class NameTable {
  struct Entry {
    template <class Make>
    Entry(std::string_view given, const Make& make) : name(given), value(make(name)) {}
    const std::string name;
    T value;
  };
  using Slot = std::atomic<Entry*>;

 public:
  explicit NameTable(std::size_t most) : most_(most), slots_(std::bit_ceil(2 * most + 2)) {}
  NameTable(const NameTable&) = delete;
  ~NameTable() {
    for (Slot& slot : slots_) delete slot.load();
    delete rest_.load();
  }

  // Null: it was never met, or is one of those that share.
  const T* Find(std::string_view name) const {
    const Slot& slot = slots_[PlaceOf(name)];
    const Entry* entry = slot.load(std::memory_order_acquire);
    return entry == nullptr ? nullptr : &entry->value;
  }

  // `make` gives the value of a name, or of "" for all that share. It may be called for a value
  // that is dropped at once.
  template <class Make>
  T& At(std::string_view name, const Make& make) {
    for (;;) {
      // Read first: whoever was counted is found below.
      const bool full = size_.load(std::memory_order_acquire) >= most_;
      Slot& slot = slots_[PlaceOf(name)];
      Entry* entry = slot.load(std::memory_order_acquire);
      if (entry == nullptr && full) {
        Put(rest_, "", make);
        return rest_.load()->value;
      }
      if (entry == nullptr && Put(slot, name, make)) ++size_;
      entry = slot.load(std::memory_order_acquire);
      if (entry->name == name) return entry->value;
    }
  }

  std::size_t size() const { return size_.load(); }

 private:
  // Where the name is, or the free place for it. There is always one: at most half are taken.
  std::size_t PlaceOf(std::string_view name) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = std::hash<std::string_view>()(name) & mask;
    for (;; at = (at + 1) & mask) {
      const Entry* entry = slots_[at].load(std::memory_order_acquire);
      if (entry == nullptr || entry->name == name) return at;
    }
  }

  // False: something is there already, or another thread was quicker.
  template <class Make>
  static bool Put(Slot& slot, std::string_view name, const Make& make) {
    if (slot.load(std::memory_order_acquire) != nullptr) return false;
    auto fresh = std::make_unique<Entry>(name, make);
    Entry* there = nullptr;
    if (!slot.compare_exchange_strong(there, fresh.get())) return false;
    fresh.release();
    return true;
  }

  const std::size_t most_;
  std::vector<Slot> slots_;
  Slot rest_{nullptr};
  std::atomic<std::size_t> size_{0};
};

}  // namespace switchyard::policies
