#include "policies/lib/answer_cache.h"

#include <algorithm>
#include <utility>

#include "base/glob.h"

namespace switchyard::policies {

TopicPtr Topics::Of(std::string_view server, std::string_view name) {
  Key key(name, server);
  const std::lock_guard lock(mutex_);
  const auto known = topics_.find(key);
  if (known != topics_.end()) {
    if (TopicPtr topic = known->second.lock()) return topic;
  }
  auto topic = std::make_shared<Topic>();
  topics_[std::move(key)] = topic;
  if (topics_.size() >= sweep_at_) {
    std::erase_if(topics_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max(kFewest, 2 * topics_.size());
  }
  return topic;
}

template <class Which>
void Topics::Bump(Which which) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, known] : topics_) {
    const auto& [name, server] = key;
    if (!which(server, name)) continue;
    if (const TopicPtr topic = known.lock()) ++topic->generation;
  }
}

void Topics::Invalidate(std::span<const std::string> servers, std::span<const std::string> globs) {
  Bump([&](const std::string& of, const std::string& name) {
    return std::ranges::find(servers, of) != servers.end() &&
           std::ranges::any_of(
               globs, [&name](const std::string& glob) { return GlobMatches(glob, name); });
  });
}

void Topics::InvalidateServer(std::string_view server) {
  Bump([server](const std::string& of, const std::string&) { return of == server; });
}

void Topics::InvalidateUri(std::string_view uri) {
  const std::lock_guard lock(mutex_);
  // A URI has a colon, which names of tools have not as a rule.
  while (uri.contains(':')) {
    for (auto at = topics_.lower_bound(Key(uri, "")); at != topics_.end(); ++at) {
      if (at->first.first != uri) break;
      if (const TopicPtr topic = at->second.lock()) ++topic->generation;
    }
    const std::size_t slash = uri.find('/');
    uri.remove_prefix(slash == std::string_view::npos ? uri.size() : slash + 1);
  }
}

std::size_t Topics::size() const {
  const std::lock_guard lock(mutex_);
  return topics_.size();
}

// In the slot until it is over, or another one takes its place.
class AnswerCache::OwnFlight final : public Flight {
 public:
  OwnFlight(Shard& shard, Known& slot, std::uint64_t generation)
      : Flight(generation), shard_(shard), slot_(&slot) {}

  void LeaveSlot() { slot_ = nullptr; }  // needs the shard's mutex

 private:
  void Over() override {  // whoever leads has it still
    const std::lock_guard lock(shard_.mutex);
    if (slot_ == nullptr) return;
    Slot& slot = slot_->second;
    slot.flight = nullptr;
    if (slot.entry == nullptr) shard_.slots.erase(shard_.slots.find(slot_->first));
  }

  Shard& shard_;
  Known* slot_;  // guarded by the shard's mutex
};

void AnswerCache::DropEntry(Shard& shard, Slot& slot) {
  shard.bytes -= slot.size;
  bytes_ -= slot.size;
  --entries_;
  shard.order.erase(slot.place);
  slot.entry = nullptr;
}

void AnswerCache::DropOldest(Shard& shard) {
  const auto found = shard.slots.find(shard.order.back()->first);
  DropEntry(shard, found->second);
  if (found->second.flight == nullptr) shard.slots.erase(found);
}

AnswerCache::EntryPtr AnswerCache::UseOf(Shard& shard, Slot& slot, TimePoint now) {
  if (slot.entry == nullptr) return nullptr;
  if (!slot.entry->IsOfUse(now)) {
    DropEntry(shard, slot);
    return nullptr;
  }
  shard.order.splice(shard.order.begin(), shard.order, slot.place);
  return slot.entry;
}

AnswerCache::EntryPtr AnswerCache::Find(const CacheKey& key, TimePoint now) {
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.slots.find(key);
  if (found == shard.slots.end()) return nullptr;
  EntryPtr entry = UseOf(shard, found->second, now);
  if (entry == nullptr && found->second.flight == nullptr) shard.slots.erase(found);
  return entry;
}

AnswerCache::Begun AnswerCache::Begin(const CacheKey& key, const Topic& topic, TimePoint now,
                                      bool flies) {
  if (!flies) return {.entry = Find(key, now)};
  const std::uint64_t generation = topic.generation.load();
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  Known& known = *shard.slots.try_emplace(key).first;
  Slot& slot = known.second;
  Begun begun{.entry = UseOf(shard, slot, now)};
  if (begun.entry != nullptr && begun.entry->IsFresh(now)) return begun;
  begun.leads = slot.flight == nullptr || slot.flight->generation() != generation;
  if (begun.leads) {
    if (slot.flight != nullptr) slot.flight->LeaveSlot();
    slot.flight = std::make_shared<OwnFlight>(shard, known, generation);
  }
  begun.flight = slot.flight;
  return begun;
}

std::size_t AnswerCache::Put(const CacheKey& key, EntryPtr entry) {
  constexpr int kTakenAlong = 4;
  constexpr std::size_t kFew = 8;  // are not worth a look
  if (entry == nullptr) return 0;
  const std::size_t size = entry->answer->bytes() + key.text.size() + kOverhead;
  const std::size_t most = max_bytes_ / kShards;
  const TimePoint now = entry->since;
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  // Asked before a change that is over: what is there may be newer. Asked under the lock: who
  // invalidates later finds it here, and then it is no longer valid.
  if (!entry->IsValid()) return 0;
  Known& known = *shard.slots.try_emplace(key).first;
  Slot& slot = known.second;
  // Also when the new one is not kept: it is nearer to the truth.
  if (slot.entry != nullptr) DropEntry(shard, slot);
  if (size > most) {
    if (slot.flight == nullptr) shard.slots.erase(shard.slots.find(key));
    return 0;
  }
  shard.order.push_front(&known);
  slot.place = shard.order.begin();
  slot.entry = std::move(entry);
  slot.size = size;
  shard.bytes += size;
  bytes_ += size;
  ++entries_;
  std::size_t gone = 0;
  for (; shard.bytes > most; ++gone) DropOldest(shard);
  const auto useless = [&] { return !shard.order.back()->second.entry->IsOfUse(now); };
  for (int i = 0; i < kTakenAlong && shard.order.size() > kFew && useless(); ++i) {
    DropOldest(shard);
  }
  return gone;
}

}  // namespace switchyard::policies
