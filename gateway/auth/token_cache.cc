#include "auth/token_cache.h"

#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace switchyard::auth {
namespace {

// About what an entry takes of memory.
std::size_t SizeOf(const Identity& identity) {
  constexpr std::size_t kOverhead = 512;
  std::size_t size = kOverhead + identity.issuer.size() + identity.subject.size() +
                     identity.client.size() + identity.claims.size();
  const auto add = [&size](const std::vector<std::string>& names) {
    for (const std::string& name : names) size += sizeof(std::string) + name.size();
  };
  for (const auto* names :
       {&identity.scopes, &identity.roles, &identity.groups, &identity.capabilities}) {
    add(*names);
  }
  if (identity.caller == nullptr) return size;
  size *= 2;  // it says the same once more
  for (const auto& [name, texts] : identity.caller->claims) {
    size += sizeof(std::string) + name.size();
    add(texts);
  }
  return size;
}

}  // namespace

TokenCache::IdentityPtr TokenCache::Find(const Sha256Digest& token, Generation generation,
                                         WallTime now) {
  if (!MoveTo(generation)) return nullptr;
  const auto found = index_.find(token);
  if (found == index_.end()) return nullptr;
  const Entries::iterator entry = found->second;
  if (now >= entry->identity->expires) {
    Erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->identity;
}

void TokenCache::Put(const Sha256Digest& token, IdentityPtr identity, Generation generation,
                     WallTime now) {
  if (!MoveTo(generation)) return;
  const std::size_t size = SizeOf(*identity);
  if (now >= identity->expires || size > bounds_.bytes || bounds_.entries == 0) return;
  if (const auto found = index_.find(token); found != index_.end()) Erase(found->second);
  while (entries_.size() >= bounds_.entries || bytes_ + size > bounds_.bytes) {
    Erase(std::prev(entries_.end()));
  }
  entries_.push_front({.token = token, .identity = std::move(identity), .bytes = size});
  index_.emplace(token, entries_.begin());
  bytes_ += size;
}

bool TokenCache::MoveTo(Generation generation) {
  if (generation == generation_) return true;
  if (generation < generation_) return false;
  generation_ = generation;
  index_.clear();
  entries_.clear();
  bytes_ = 0;
  return true;
}

void TokenCache::Erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  index_.erase(entry->token);
  entries_.erase(entry);
}

}  // namespace switchyard::auth
