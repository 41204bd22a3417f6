// Tokens that were verified, by their SHA-256 and until they expire: a call of the same caller
// costs one digest. Never the token itself, so that a core dump holds none. One a worker, used by
// its thread alone: no lock. Bounded by entries and by bytes; what was not asked for longest goes
// first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <unordered_map>

#include "auth/claims.h"
#include "base/digest.h"

namespace switchyard::auth {

class TokenCache {
 public:
  using IdentityPtr = std::shared_ptr<const Identity>;
  // Counts up whenever keys or rules change, which drops everything.
  using Generation = std::uint64_t;

  struct Bounds {
    std::size_t entries = 4096;
    std::size_t bytes = std::size_t{8} << 20;
  };

  explicit TokenCache(Bounds bounds) : bounds_(bounds) {}

  // null: not known, or over.
  IdentityPtr Find(const Sha256Digest& token, Generation generation, WallTime now);
  // What has expired or is larger than the bounds is not kept. `generation` is that of the keys
  // and rules that it was verified with.
  void Put(const Sha256Digest& token, IdentityPtr identity, Generation generation, WallTime now);

  std::size_t size() const { return index_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Sha256Digest token;
    IdentityPtr identity;
    std::size_t bytes;
  };
  using Entries = std::list<Entry>;  // the last one used in front
  struct DigestHash {                // its bytes are as good as random
    std::size_t operator()(const Sha256Digest& digest) const {
      std::size_t hash;
      std::memcpy(&hash, digest.data(), sizeof(hash));
      return hash;
    }
  };

  bool MoveTo(Generation generation);  // false: it is older than what is kept
  void Erase(Entries::iterator entry);

  const Bounds bounds_;
  Entries entries_;
  std::unordered_map<Sha256Digest, Entries::iterator, DigestHash> index_;
  std::size_t bytes_ = 0;
  Generation generation_ = 0;
};

}  // namespace switchyard::auth
