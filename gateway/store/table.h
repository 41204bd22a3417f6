// A bounded map from keys to entries, in shards with a lock each: what the memory store stands on.
// A lock is held for a few lookups and never while anything waits; with many more shards than
// workers it is found free, and then costs an atomic exchange each way.
//
// Each scope (Store::Key) has room for as many keys as any other, and its keys make room for keys
// of its own alone. Bytes are one bound for all.
//
// Entry: bool Idle(TimePoint now) const        - forgetting it changes no answer
//        bool MayGo() const                    - it may be dropped when none is idle
//        bool GoesBefore(const Entry&) const   - which of two to drop then
//        std::size_t Bytes() const             - never changes
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hashed_key.h"
#include "core/store.h"

namespace switchyard::store {

// Borrows the text.
struct TableKey : HashedKey {
  explicit TableKey(Store::Key key) : HashedKey(key.text), scope(key.scope) {}

  std::uint64_t scope;
};

template <class Entry>
class Table {
  static constexpr std::size_t kShards = 64;
  struct Held {
    Entry entry;
    std::uint64_t scope;
  };
  struct Share {
    std::size_t keys = 0;
    // When it was looked through for room, and there was none. A flood of new keys pays for one
    // look a second.
    std::optional<TimePoint> full_at = std::nullopt;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Held, HashedKey::Hash, std::equal_to<>> held;
    std::unordered_map<std::uint64_t, Share> shares;  // by scope; none is empty
    std::size_t bytes = 0;
    std::uint64_t dropped = 0;

    auto Forget(typename decltype(held)::iterator at) {
      bytes -= at->second.entry.Bytes();
      Leave(at->second.scope);
      return held.erase(at);
    }
    void Leave(std::uint64_t scope) {
      const auto share = shares.find(scope);
      if (--share->second.keys == 0) shares.erase(share);
    }
  };

 public:
  explicit Table(std::size_t max_keys, std::size_t max_bytes = 0)
      : max_in_share_(std::max<std::size_t>(max_keys / kShards, 1)),
        max_bytes_in_shard_(max_bytes / kShards) {}

  // Forgets the idle ones of the next shard, one after the other: no lock is held for long.
  void SweepSome(TimePoint now) {
    Shard& shard = shards_[next_to_sweep_.fetch_add(1, std::memory_order_relaxed) % kShards];
    const std::lock_guard lock(shard.mutex);
    ForgetIdle(shard, now, [](const std::string&) { return false; });
  }

  // Some keys under lock, all at once and in an order that cannot deadlock.
  class Locked {
   public:
    Locked(Table& table, std::span<const TableKey> keys) : table_(table) {
      for (const TableKey& key : keys) shards_ |= std::uint64_t{1} << IndexOf(key);
      for (std::uint64_t rest = shards_; rest != 0; rest &= rest - 1) {
        table_.shards_[static_cast<std::size_t>(__builtin_ctzll(rest))].mutex.lock();
      }
    }
    Locked(const Locked&) = delete;
    ~Locked() {
      for (std::uint64_t rest = shards_; rest != 0; rest &= rest - 1) {
        table_.shards_[static_cast<std::size_t>(__builtin_ctzll(rest))].mutex.unlock();
      }
    }

    // One that came without its scope (Insert) gets it from the first who names one.
    Entry* Find(const TableKey& key) {
      Shard& shard = table_.ShardOf(key);
      const auto found = shard.held.find(key);
      if (found == shard.held.end()) return nullptr;
      Held& held = found->second;
      if (held.scope == 0 && key.scope != 0) {
        shard.Leave(std::exchange(held.scope, key.scope));
        ++shard.shares[key.scope].keys;
      }
      return &held.entry;
    }
    // Not of a key that is there. Pointers to other entries stay good.
    Entry& Insert(const TableKey& key, Entry entry) {
      Shard& shard = table_.ShardOf(key);
      shard.bytes += entry.Bytes();
      ++shard.shares[key.scope].keys;
      Held held{.entry = std::move(entry), .scope = key.scope};
      return shard.held.try_emplace(std::string(key.text), std::move(held)).first->second.entry;
    }
    bool Erase(const TableKey& key) {
      Shard& shard = table_.ShardOf(key);
      const auto found = shard.held.find(key);
      if (found == shard.held.end()) return false;
      shard.Forget(found);
      return true;
    }
    // False: an entry of so many bytes has no room even where it is alone.
    bool CanFit(std::size_t bytes) const { return bytes <= table_.max_bytes_in_shard_; }
    // For one more key of so many bytes: forgets what is idle and then drops what may go. False:
    // there is no room. Never touches a key for which `keep` holds, and none for an entry that
    // cannot fit.
    template <class Keep>
    bool MakeRoom(const TableKey& key, std::size_t bytes, TimePoint now, Keep keep) {
      if (!CanFit(bytes)) return false;
      Shard& shard = table_.ShardOf(key);
      if (table_.HasRoom(shard, key.scope, bytes)) return true;
      if (WasFull(shard, key.scope, now)) return false;
      ForgetIdle(shard, now, keep);
      while (!table_.HasRoom(shard, key.scope, bytes)) {
        const bool own = !table_.HasRoom(shard, key.scope, 0);
        const auto goes = [&](const std::string& text, const Held& held) {
          return (!own || held.scope == key.scope) && held.entry.MayGo() && !keep(text);
        };
        if (DropSome(shard, goes)) continue;
        if (own) shard.shares[key.scope].full_at = now;
        return false;
      }
      return true;
    }

   private:
    Table& table_;
    std::uint64_t shards_ = 0;
  };

  std::size_t size() const {
    std::size_t sum = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      sum += shard.held.size();
    }
    return sum;
  }
  std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      sum += shard.dropped;
    }
    return sum;
  }

 private:
  static std::size_t IndexOf(const TableKey& key) {
    // The upper bits: the map inside uses the lower ones.
    return (key.hash >> 48) % kShards;
  }
  Shard& ShardOf(const TableKey& key) { return shards_[IndexOf(key)]; }

  bool HasRoom(const Shard& shard, std::uint64_t scope, std::size_t bytes) const {
    if (shard.bytes + bytes > max_bytes_in_shard_) return false;
    const auto share = shard.shares.find(scope);
    return share == shard.shares.end() || share->second.keys < max_in_share_;
  }

  static bool WasFull(const Shard& shard, std::uint64_t scope, TimePoint now) {
    const auto share = shard.shares.find(scope);
    if (share == shard.shares.end() || !share->second.full_at) return false;
    const Duration since = now - *share->second.full_at;
    return since >= Duration::zero() && since < std::chrono::seconds(1);
  }

  template <class Keep>
  static void ForgetIdle(Shard& shard, TimePoint now, Keep keep) {
    for (auto it = shard.held.begin(); it != shard.held.end();) {
      it = it->second.entry.Idle(now) && !keep(it->first) ? shard.Forget(it) : std::next(it);
    }
  }

  // An eighth at once, so that a flood of new keys pays for one look at all in that many. False:
  // there is nothing to drop.
  template <class Goes>
  static bool DropSome(Shard& shard, Goes goes) {
    std::vector<typename decltype(Shard::held)::iterator> all;
    for (auto it = shard.held.begin(); it != shard.held.end(); ++it) {
      if (goes(it->first, it->second)) all.push_back(it);
    }
    if (all.empty()) return false;
    const auto first = static_cast<std::ptrdiff_t>((all.size() + 7) / 8);
    std::nth_element(
        all.begin(), all.begin() + first - 1, all.end(),
        [](const auto& a, const auto& b) { return a->second.entry.GoesBefore(b->second.entry); });
    for (const auto& it : std::span(all).first(static_cast<std::size_t>(first))) shard.Forget(it);
    shard.dropped += static_cast<std::uint64_t>(first);
    return true;
  }

  const std::size_t max_in_share_;
  const std::size_t max_bytes_in_shard_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> next_to_sweep_{0};
};

}  // namespace switchyard::store
