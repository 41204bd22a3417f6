#include "policies/lib/kept_results.h"

#include <iterator>
#include <utility>

namespace switchyard {

KeptResults::Kept KeptResults::Put(std::shared_ptr<const KeptResult> result, TimePoint now) {
  constexpr std::size_t kOfAnEntry = 512;
  const std::size_t bytes = kOfAnEntry + result->pages.memory();
  if (bytes > max_bytes_) return {};
  std::string digest = result->pages.Digest() + "\n" + result->tool + "\n" + result->owner;
  Kept kept;
  const std::lock_guard lock(mutex_);
  if (const auto same = by_digest_.find(digest); same != by_digest_.end()) {
    Touch(same->second);
    same->second->until = now + keep_;
    kept.number = same->second->number;
    return kept;
  }
  kept.dropped = MakeRoom(bytes, result->owner, now);
  Owner& owner = owners_[result->owner];
  owner.numbers.push_front(++last_);
  owner.bytes += bytes;
  entries_.push_front({.number = last_,
                       .until = now + keep_,
                       .bytes = bytes,
                       .digest = digest,
                       .result = std::move(result),
                       .place = owner.numbers.begin()});
  by_number_[last_] = entries_.begin();
  by_digest_[std::move(digest)] = entries_.begin();
  bytes_ += bytes;
  kept.number = last_;
  return kept;
}

std::size_t KeptResults::MakeRoom(std::size_t bytes, const std::string& owner, TimePoint now) {
  constexpr std::size_t kShares = 4;
  std::size_t dropped = 0;
  while (!entries_.empty()) {
    const auto oldest = std::prev(entries_.end());
    if (oldest->until <= now) {
      Erase(oldest);
      continue;
    }
    if (bytes_ + bytes <= max_bytes_) break;
    const auto own = owners_.find(owner);
    const bool greedy = own != owners_.end() && own->second.bytes + bytes > max_bytes_ / kShares;
    Erase(greedy ? by_number_.at(own->second.numbers.back()) : oldest);
    ++dropped;
  }
  return dropped;
}

std::shared_ptr<const KeptResult> KeptResults::Find(std::uint64_t number, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) return nullptr;
  const Entries::iterator entry = found->second;
  if (entry->until <= now) {
    Erase(entry);
    return nullptr;
  }
  Touch(entry);
  return entry->result;
}

std::size_t KeptResults::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void KeptResults::Touch(Entries::iterator entry) {
  entries_.splice(entries_.begin(), entries_, entry);
  Numbers& numbers = owners_.at(entry->result->owner).numbers;
  numbers.splice(numbers.begin(), numbers, entry->place);
}

void KeptResults::Erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  const auto owner = owners_.find(entry->result->owner);
  owner->second.bytes -= entry->bytes;
  owner->second.numbers.erase(entry->place);
  if (owner->second.numbers.empty()) owners_.erase(owner);
  by_number_.erase(entry->number);
  by_digest_.erase(entry->digest);
  entries_.erase(entry);
}

}  // namespace switchyard
