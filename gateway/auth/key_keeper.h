// Keeps what LiveKeys there are: one for each issuer and way to its keys, shared by all endpoints,
// and kept across a reload that does not change it. Lets them do what is due.
//
// Thread-safe. Who uses keys holds them; those that nobody holds any more are gone.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "auth/authenticator.h"
#include "auth/live_keys.h"

namespace switchyard::auth {

class KeyKeeper {
 public:
  explicit KeyKeeper(LiveKeys::Means means) : means_(std::move(means)) {}

  // A ProviderOf. Nothing is fetched before Tick().
  Result<std::shared_ptr<KeyProvider>> ProviderFor(const config::Issuer& issuer);

  // About once a second.
  void Tick();
  // What could not be fetched is due again.
  void Retry();

 private:
  std::vector<std::shared_ptr<LiveKeys>> Held();

  const LiveKeys::Means means_;

  std::mutex mutex_;
  std::vector<std::weak_ptr<LiveKeys>> all_;  // guarded by mutex_
};

}  // namespace switchyard::auth
