// What is kept of servers' answers: by key, within a number of bytes, those that were not asked for
// longest go first. Sharded by key; a lock is held for a look-up and never across an await, answers
// are shared and not copied under it. Thread-safe; time is a parameter.
//
// What an answer is about is its Topic: a tool, prompt or resource of a server, whoever asked for
// it. To invalidate a topic counts its generation up: what was kept of an earlier one is never
// found again, and what was asked for before is not kept when it comes.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "policies/lib/flight.h"
#include "policies/lib/kept_answer.h"

namespace switchyard::policies {

struct Topic {
  std::atomic<std::uint64_t> generation{0};
};
using TopicPtr = std::shared_ptr<Topic>;

// The topics that somebody holds.
class Topics {
 public:
  // `name`: of resources, their URI. Both as the server itself has them.
  TopicPtr Of(std::string_view server, std::string_view name);
  // Those of these servers whose names (of resources: their own URIs) match one of the globs.
  void Invalidate(std::span<const std::string> servers, std::span<const std::string> globs);
  void InvalidateServer(std::string_view server);
  // Those of resources with this URI, of any server: verbatim, or as clients know it, which is with
  // something before it (catalog/names.h).
  void InvalidateUri(std::string_view uri);
  std::size_t size() const;  // also of those that nobody holds and that were not swept yet

 private:
  using Key = std::pair<std::string, std::string>;  // name, server
  static constexpr std::size_t kFewest = 1024;

  template <class Which>
  void Bump(Which which);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<Key, std::weak_ptr<Topic>> topics_;
  std::size_t sweep_at_ = kFewest;
};

// Its hash is counted once, for it is asked for several times.
struct CacheKey {
  template <std::convertible_to<std::string> Text>
  CacheKey(Text&& given)  // NOLINT(google-explicit-constructor): it is a text
      : text(std::forward<Text>(given)), hash(std::hash<std::string>()(text)) {}

  std::string text;
  std::size_t hash;

  bool operator==(const CacheKey& other) const { return text == other.text; }
  struct Hash {
    std::size_t operator()(const CacheKey& key) const { return key.hash; }
  };
};

class AnswerCache {
 public:
  static constexpr std::size_t kShards = 16;
  // What an entry takes besides its text and key.
  static constexpr std::size_t kOverhead = 1536;

  struct Entry {
    std::shared_ptr<const KeptAnswer> answer;
    TimePoint since;
    Duration ttl;    // fresh so long
    Duration stale;  // and of some use for so long after that
    TopicPtr topic;
    std::uint64_t generation;  // of the topic when it was asked for

    // A clock that steps back makes nobody younger than new.
    Duration AgeAt(TimePoint now) const { return std::max(now - since, Duration(0)); }
    bool IsFresh(TimePoint now) const { return AgeAt(now) < ttl; }
    bool IsValid() const { return topic->generation.load() == generation; }
    bool IsOfUse(TimePoint now) const { return AgeAt(now) < ttl + stale && IsValid(); }
  };
  using EntryPtr = std::shared_ptr<const Entry>;

  // `max_bytes`: of all entries. A shard holds a sixteenth of it, and no entry is larger than that.
  explicit AnswerCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  AnswerCache(const AnswerCache&) = delete;

  // Holds from the next Put() on, shard by shard.
  void SetMaxBytes(std::size_t max_bytes) { max_bytes_ = max_bytes; }

  // Null: there is none, or none that is of any use now.
  EntryPtr Find(const CacheKey& key, TimePoint now);

  struct Begun {
    EntryPtr entry = nullptr;                  // fresh; or stale, and then there may be a flight
    std::shared_ptr<Flight> flight = nullptr;  // to follow, or to lead
    bool leads = false;
  };
  // Looks, and where there is nothing fresh joins the flight for this key or begins it (if
  // `flies`).
  Begun Begin(const CacheKey& key, const Topic& topic, TimePoint now, bool flies);

  // Null entries and those that are too large are not kept. How many others had to go, but for
  // those that were of no use any more: a few of these go with every new one, so that no memory is
  // filled with what nobody will get.
  std::size_t Put(const CacheKey& key, EntryPtr entry);

  std::size_t entries() const { return entries_; }
  std::size_t bytes() const { return bytes_; }

 private:
  class OwnFlight;
  struct Slot;
  using Known = std::pair<const CacheKey, Slot>;
  using Order = std::list<Known*>;  // of those with an entry; the last used is first

  // What is known of a key: an entry, a flight, or both.
  struct Slot {
    EntryPtr entry = nullptr;
    std::size_t size = 0;        // of the entry
    Order::iterator place = {};  // of the entry
    std::shared_ptr<OwnFlight> flight = nullptr;
  };
  using Slots = std::unordered_map<CacheKey, Slot, CacheKey::Hash>;
  struct alignas(64) Shard {
    std::mutex mutex;
    // Guarded by mutex.
    Slots slots;
    Order order;
    std::size_t bytes = 0;
  };

  Shard& ShardOf(const CacheKey& key) { return shards_[key.hash % kShards]; }
  // These need the shard's mutex.
  EntryPtr UseOf(Shard& shard, Slot& slot, TimePoint now);  // null: it is of none
  void DropEntry(Shard& shard, Slot& slot);
  void DropOldest(Shard& shard);

  std::atomic<std::size_t> max_bytes_;
  std::atomic<std::size_t> entries_{0}, bytes_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace switchyard::policies
