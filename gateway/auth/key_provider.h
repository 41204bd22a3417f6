// Where the keys of one issuer come from, for whoever verifies its tokens: a file that was read
// once (FixedKeys), or a URL whose keys change while the gateway runs (live_keys.h).
//
// The way of a token takes no lock: a worker keeps the set that Current() gave and asks for it
// again only when version() has changed, which is also when verified tokens that it keeps are to be
// forgotten (token_cache.h). All of it is safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "auth/key_set.h"
#include "base/deadline.h"
#include "base/task.h"

namespace switchyard::auth {

using KeysPtr = std::shared_ptr<const KeySet>;

class KeyProvider {
 public:
  virtual ~KeyProvider() = default;

  // Changes whenever Current() does: other keys, the first ones, or none any more. Never 0.
  virtual std::uint64_t version() const = 0;
  // Null: there are none (not yet, or too old to be trusted). A short lock: ask for version()
  // first.
  virtual KeysPtr Current() const = 0;

  // A token names a key that Current() does not have, or there are no keys at all. Waits, at most
  // until `deadline` and for no more than a few seconds, if newer keys may be had now. True:
  // Current() is another one than `seen`, look once more. False: refuse the token. Anybody can name
  // keys that do not exist, so mostly it is false at once. The provider outlives the task.
  virtual Task<bool> AwaitNewer(std::uint64_t seen, Deadline deadline) = 0;
};

// Keys that never change.
class FixedKeys final : public KeyProvider {
 public:
  explicit FixedKeys(KeysPtr keys) : keys_(std::move(keys)) {}

  std::uint64_t version() const override { return 1; }
  KeysPtr Current() const override { return keys_; }
  Task<bool> AwaitNewer(std::uint64_t /*seen*/, Deadline /*deadline*/) override { co_return false; }

 private:
  const KeysPtr keys_;
};

}  // namespace switchyard::auth
