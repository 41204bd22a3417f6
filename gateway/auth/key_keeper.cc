#include "auth/key_keeper.h"

#include <utility>

namespace switchyard::auth {

Result<std::shared_ptr<KeyProvider>> KeyKeeper::ProviderFor(const config::Issuer& issuer) {
  if (!issuer.fetched()) return FixedKeysOf(issuer);
  Result<AlgorithmSet> algorithms = AlgorithmsOf(issuer);
  if (!algorithms) return Failure(std::move(algorithms.error()));
  LiveKeys::Whose whose{
      .issuer = issuer.issuer, .jwks_url = issuer.jwks_url.Reveal(), .algorithms = *algorithms};
  const std::lock_guard lock(mutex_);
  std::erase_if(all_, [](const auto& one) { return one.expired(); });
  for (const std::weak_ptr<LiveKeys>& one : all_) {
    if (std::shared_ptr<LiveKeys> keys = one.lock(); keys && keys->whose() == whose) return keys;
  }
  auto made = std::make_shared<LiveKeys>(std::move(whose), means_);
  all_.push_back(made);
  return made;
}

std::vector<std::shared_ptr<LiveKeys>> KeyKeeper::Held() {
  std::vector<std::shared_ptr<LiveKeys>> keys;
  const std::lock_guard lock(mutex_);
  for (const std::weak_ptr<LiveKeys>& one : all_) {
    if (auto held = one.lock()) keys.push_back(std::move(held));
  }
  return keys;
}

void KeyKeeper::Tick() {
  for (const std::shared_ptr<LiveKeys>& one : Held()) one->Tick();
}

void KeyKeeper::Retry() {
  for (const std::shared_ptr<LiveKeys>& one : Held()) one->Retry();
}

}  // namespace switchyard::auth
