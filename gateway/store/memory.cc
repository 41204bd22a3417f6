#include "store/memory.h"

#include <algorithm>
#include <utility>

#include <boost/container/static_vector.hpp>

#include "store/table.h"
#include "store/token_bucket.h"
#include "telemetry/metrics.h"

namespace switchyard::store {
namespace {

struct BucketEntry {
  TokenBucket bucket;

  bool Idle(TimePoint now) const { return bucket.IsFull(now); }
  static bool MayGo() { return true; }
  bool GoesBefore(const BucketEntry& other) const {
    return bucket.full_at() < other.bucket.full_at();
  }
  static std::size_t Bytes() { return 0; }
};

struct CounterEntry {
  Window window;
  std::int64_t limit = Store::Charge::kNoLimit;  // of the last charge that had one
  bool spare = false;

  bool Idle(TimePoint now) const { return window.IsOver(now); }
  bool MayGo() const { return spare && window.total() < limit - window.total(); }
  bool GoesBefore(const CounterEntry& other) const { return Used() < other.Used(); }
  double Used() const { return static_cast<double>(window.total()) / static_cast<double>(limit); }
  static std::size_t Bytes() { return 0; }
};

struct ItemEntry {
  Store::Item item;
  TimePoint until;

  bool Idle(TimePoint now) const { return until <= now; }
  static bool MayGo() { return true; }
  bool GoesBefore(const ItemEntry& other) const { return until < other.until; }
  std::size_t Bytes() const { return item.value.size(); }
};

using Keys = boost::container::static_vector<TableKey, Store::kMaxKeys>;

template <class Named>  // has a member `key`
Keys KeysOf(std::span<const Named> named) {
  Keys keys;
  for (const Named& one : named) keys.emplace_back(one.key);
  return keys;
}

auto AreAmong(const Keys& keys) {
  return [&keys](std::string_view key) {
    return std::ranges::find(keys, key, &TableKey::text) != keys.end();
  };
}

std::unexpected<Error> TooLarge(std::size_t bytes) {
  return Failure(Code::kTooLarge, Origin::kGateway,
                 "store: an item of " + std::to_string(bytes) + " bytes is too large");
}

Error NoRoom() {
  return {.code = Code::kUnavailable,
          .retryable = true,
          .message = "the gateway counts for too many callers at once, try again later",
          .detail = "store: no room for another counter, see state.max_keys"};
}

}  // namespace

struct MemoryStore::Tables {
  explicit Tables(Limits given)
      : buckets(given.keys), counters(given.keys), items(given.keys, given.item_bytes) {}

  // Under their lock.
  Result<std::uint64_t> Write(Table<ItemEntry>::Locked& locked, const TableKey& key,
                              std::string value, TimePoint until, TimePoint now);
  // The counter of one of the charges. Null: there is none and it needs none, or (`no_room`) there
  // is no room for it.
  CounterEntry* CounterOf(Table<CounterEntry>::Locked& locked, const Keys& keys,
                          const TableKey& key, const Charge& charge, TimePoint now, bool& no_room);

  Table<BucketEntry> buckets;
  Table<CounterEntry> counters;
  Table<ItemEntry> items;
  std::atomic<std::uint64_t> next_version{1}, next_window{1};
  std::atomic<std::uint64_t> full{0};  // times that a counter found no room
};

MemoryStore::MemoryStore(Limits limits) : tables_(std::make_unique<Tables>(limits)) {}
MemoryStore::~MemoryStore() = default;

Eventual<Store::Drawn> MemoryStore::Draw(std::span<const Bucket> buckets, TimePoint now) {
  const Keys keys = KeysOf(buckets);
  Table<BucketEntry>::Locked locked(tables_->buckets, keys);
  std::array<BucketEntry*, kMaxKeys> entries{};
  Drawn drawn{.taken = true};
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    entries[i] = locked.Find(keys[i]);
    const Duration wait =
        (entries[i] != nullptr ? entries[i]->bucket : TokenBucket()).Wait(buckets[i], now);
    if (wait <= drawn.retry_after) continue;
    drawn = {.taken = false, .refused_by = i, .retry_after = wait};
  }
  if (!drawn.taken) return Result<Drawn>(drawn);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (entries[i] == nullptr) {
      // Fails only where a shard holds fewer keys than one draw names: a handful more then.
      locked.MakeRoom(keys[i], 0, now, AreAmong(keys));
      entries[i] = &locked.Insert(keys[i], {});
    }
    entries[i]->bucket.Take(buckets[i], now);
  }
  return Result<Drawn>(drawn);
}

CounterEntry* MemoryStore::Tables::CounterOf(Table<CounterEntry>::Locked& locked, const Keys& keys,
                                             const TableKey& key, const Charge& charge,
                                             TimePoint now, bool& no_room) {
  CounterEntry* entry = locked.Find(key);
  if (charge.mark != kNoMark) return entry;
  if (entry != nullptr && !entry->window.Is(charge.span, charge.window)) {
    locked.Erase(key);  // the settings changed: what it counted was something else
    entry = nullptr;
  }
  if (entry != nullptr || charge.amount <= 0) return entry;
  no_room = !locked.MakeRoom(key, 0, now, AreAmong(keys));
  if (no_room) {
    full.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  const std::uint64_t number = next_window.fetch_add(1, std::memory_order_relaxed);
  return &locked.Insert(key, {Window(charge.span, charge.window, number)});
}

Eventual<Store::Charged> MemoryStore::Add(std::span<const Charge> charges, TimePoint now) {
  const Keys keys = KeysOf(charges);
  Table<CounterEntry>::Locked locked(tables_->counters, keys);
  std::array<CounterEntry*, kMaxKeys> entries{};
  Charged charged{.taken = true};
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const Charge& charge = charges[i];
    bool no_room = false;
    entries[i] = tables_->CounterOf(locked, keys, keys[i], charge, now, no_room);
    if (no_room && charge.limit != Charge::kNoLimit) return Result<Charged>(Failure(NoRoom()));
    if (no_room) charged.left_out |= std::uint32_t{1} << i;
    if (entries[i] == nullptr) continue;
    Window& window = entries[i]->window;
    window.Advance(now);
    charged.totals[i] = window.total();
    const Duration wait = window.Wait(charge.amount, charge.limit);
    if (wait <= charged.retry_after) continue;
    charged.taken = false;
    charged.refused_by = i;
    charged.retry_after = wait;
  }
  if (!charged.taken) return Result<Charged>(charged);
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const Charge& charge = charges[i];
    charged.marks[i] = charge.mark;
    if (entries[i] == nullptr) continue;
    CounterEntry& entry = *entries[i];
    if (charge.mark == kNoMark) {
      charged.marks[i] = entry.window.Add(charge.amount);
    } else {
      entry.window.Correct(charge.amount, charge.mark);
    }
    charged.totals[i] = entry.window.total();
    if (charge.limit != Charge::kNoLimit) entry.limit = charge.limit;
    entry.spare |= charge.spare;
  }
  return Result<Charged>(charged);
}

Eventual<std::optional<Store::Item>> MemoryStore::Get(Key key, TimePoint now) {
  const TableKey hashed(key);
  Table<ItemEntry>::Locked locked(tables_->items, std::span(&hashed, 1));
  const ItemEntry* entry = locked.Find(hashed);
  if (entry == nullptr || entry->Idle(now)) return Result<std::optional<Item>>(std::nullopt);
  return Result<std::optional<Item>>(entry->item);
}

Result<std::uint64_t> MemoryStore::Tables::Write(Table<ItemEntry>::Locked& locked,
                                                 const TableKey& key, std::string value,
                                                 TimePoint until, TimePoint now) {
  const std::size_t bytes = value.size();
  if (!locked.CanFit(bytes)) return TooLarge(bytes);
  locked.Erase(key);
  const bool room = locked.MakeRoom(key, bytes, now, [](std::string_view) { return false; });
  if (!room) return TooLarge(bytes);
  const std::uint64_t version = next_version.fetch_add(1, std::memory_order_relaxed);
  locked.Insert(key, {.item = {.value = std::move(value), .version = version}, .until = until});
  return version;
}

Eventual<Store::Swapped> MemoryStore::Swap(Key key, std::uint64_t version, std::string value,
                                           Duration keep, TimePoint now) {
  const TableKey hashed(key);
  Table<ItemEntry>::Locked locked(tables_->items, std::span(&hashed, 1));
  const ItemEntry* entry = locked.Find(hashed);
  if (entry != nullptr && entry->Idle(now)) entry = nullptr;
  if ((entry == nullptr ? 0 : entry->item.version) != version) {
    std::optional<Item> item;
    if (entry != nullptr) item = entry->item;
    return Result<Swapped>(Swapped{.done = false, .item = std::move(item)});
  }
  const TimePoint until = now + std::min(keep, kLongest);
  const Result<std::uint64_t> written = tables_->Write(locked, hashed, value, until, now);
  if (!written) return Result<Swapped>(Failure(written.error()));
  return Result<Swapped>(
      Swapped{.done = true, .item = Item{.value = std::move(value), .version = *written}});
}

Eventual<std::uint64_t> MemoryStore::Put(Key key, std::string value, Duration keep, TimePoint now) {
  const TableKey hashed(key);
  Table<ItemEntry>::Locked locked(tables_->items, std::span(&hashed, 1));
  return tables_->Write(locked, hashed, std::move(value), now + std::min(keep, kLongest), now);
}

Eventual<bool> MemoryStore::Erase(Key key, TimePoint now) {
  const TableKey hashed(key);
  Table<ItemEntry>::Locked locked(tables_->items, std::span(&hashed, 1));
  const ItemEntry* entry = locked.Find(hashed);
  const bool there = entry != nullptr && !entry->Idle(now);
  locked.Erase(hashed);
  return Result<bool>(there);
}

std::optional<Window::State> MemoryStore::CounterAt(std::string_view key, TimePoint now) const {
  const TableKey hashed(key);
  Table<CounterEntry>::Locked locked(tables_->counters, std::span(&hashed, 1));
  CounterEntry* entry = locked.Find(hashed);
  if (entry == nullptr) return std::nullopt;
  entry->window.Advance(now);
  if (entry->Idle(now)) return std::nullopt;
  return entry->window.state();
}

void MemoryStore::Restore(std::string_view key, const Window::State& state) {
  const TableKey hashed(key);
  Table<CounterEntry>::Locked locked(tables_->counters, std::span(&hashed, 1));
  locked.Erase(hashed);
  locked.Insert(hashed, {Window(state, tables_->next_window.fetch_add(1))});
}

void MemoryStore::Sweep(TimePoint now) {
  tables_->buckets.SweepSome(now);
  tables_->counters.SweepSome(now);
  tables_->items.SweepSome(now);
}

MemoryStore::Stats MemoryStore::stats() const {
  return {.buckets = tables_->buckets.size(),
          .counters = tables_->counters.size(),
          .items = tables_->items.size(),
          .dropped_buckets = tables_->buckets.dropped(),
          .dropped_counters = tables_->counters.dropped(),
          .dropped_items = tables_->items.dropped(),
          .full = tables_->full.load(std::memory_order_relaxed)};
}

void MemoryStore::ReportTo(telemetry::Metrics& metrics) const {
  metrics.ReadStoreFrom([this] {
    const Stats now = stats();
    return telemetry::Metrics::StoreNumbers{.keys = now.buckets + now.counters + now.items,
                                            .dropped_buckets = now.dropped_buckets,
                                            .dropped_counters = now.dropped_counters,
                                            .dropped_items = now.dropped_items,
                                            .full = now.full};
  });
}

}  // namespace switchyard::store
