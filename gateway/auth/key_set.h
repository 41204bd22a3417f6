// The keys of one issuer. Immutable once made; safe from any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/algorithm.h"
#include "auth/key.h"
#include "auth/refusal.h"

namespace switchyard::auth {

class KeySet {
 public:
  KeySet() = default;  // fits nothing
  explicit KeySet(std::vector<Key> keys) : keys_(std::move(keys)) {}

  // The one key that a token asks for. A key that has no name itself (PEM) fits any name that no
  // other key has. Without a name (`id` is ""), or with several of that name, exactly one key must
  // be for the algorithm. It lives as long as the set.
  Verdict<const Key*> Find(Algorithm algorithm, std::string_view id) const;

  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<Key> keys_;
};

}  // namespace switchyard::auth
