// The store in this process's memory: what it holds is gone with the process. Thread-safe, owned by
// the server, outlives every policy. Answers at once, always.
//
// Bounded whatever clients do: each scope, of which there are as many as settings make, has room
// for so many keys. When there is none for another:
//   buckets   full ones are forgotten, which changes nothing. If all are in use, those that are
//             nearest to full: somebody has a few tokens early; who drew the most is forgotten
//             last, so making up keys does not empty one's own bucket of its debt;
//   counters  those that count nothing any more. If all count, those that are spare and have used
//             the least, less than half of their limits. Else the operation fails: dropping one
//             would be spending without a record;
//   items     expired ones, then those that expire first.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/store.h"
#include "store/window.h"

namespace switchyard::telemetry {
class Metrics;
}

namespace switchyard::store {

class MemoryStore final : public Store {
 public:
  struct Limits {
    std::size_t keys = 100'000;                 // of each of the three kinds, in each scope
    std::size_t item_bytes = 64 * 1024 * 1024;  // of all items, without keys
  };
  explicit MemoryStore(Limits limits);
  MemoryStore() : MemoryStore(Limits{}) {}
  ~MemoryStore() override;

  Eventual<Drawn> Draw(std::span<const Bucket> buckets, TimePoint now) override;
  Eventual<Charged> Add(std::span<const Charge> charges, TimePoint now) override;
  Eventual<std::optional<Item>> Get(Key key, TimePoint now) override;
  Eventual<Swapped> Swap(Key key, std::uint64_t version, std::string value, Duration keep,
                         TimePoint now) override;
  Eventual<std::uint64_t> Put(Key key, std::string value, Duration keep, TimePoint now) override;
  Eventual<bool> Erase(Key key, TimePoint now) override;

  // ---- For who keeps counters beyond this process.
  // As it is now; absent when it counts nothing.
  std::optional<Window::State> CounterAt(std::string_view key, TimePoint now) const;
  // In the place of what is there, and also where there is no room for another. Its scope is that
  // of the first charge to it.
  void Restore(std::string_view key, const Window::State& state);

  // Forgets what changes no answer any more: full buckets, counters that count nothing, expired
  // items, also of limits that are no longer set, which nobody asks for. A 64th of all each time.
  void Sweep(TimePoint now);

  struct Stats {
    std::size_t buckets = 0, counters = 0, items = 0;
    // Before their time: buckets that were not full, counters that counted, items.
    std::uint64_t dropped_buckets = 0, dropped_counters = 0, dropped_items = 0;
    std::uint64_t full = 0;  // charges for which there was no room for another counter

    std::uint64_t dropped() const { return dropped_buckets + dropped_counters + dropped_items; }
  };
  Stats stats() const;
  // Lets the metrics ask for these. This outlives whoever wants their text.
  void ReportTo(telemetry::Metrics& metrics) const;

 private:
  struct Tables;
  const std::unique_ptr<Tables> tables_;
};

}  // namespace switchyard::store
