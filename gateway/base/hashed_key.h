// A text with its hash, for who looks for the same key more than once: in shards, in maps, again.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/string_hash.h"

namespace switchyard {

// Borrows the text.
struct HashedKey {
  explicit HashedKey(std::string_view key) : text(key), hash(Hash()(key)) {}

  std::string_view text;
  std::size_t hash;

  friend bool operator==(const HashedKey& a, std::string_view b) { return a.text == b; }

  // For unordered containers of std::string that are asked with either.
  struct Hash : StringHash {
    using StringHash::operator();
    std::size_t operator()(const HashedKey& key) const { return key.hash; }
  };
};

}  // namespace switchyard
