#include "core/lent_tokens.h"

#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/wipe.h"

namespace switchyard {

struct LentTokens::Token::Shelf {
  mutable std::mutex mutex;
  // Those that are expired are on their way out, on another thread.
  std::unordered_map<std::string, std::weak_ptr<const Token>> by_credential;  // guarded by mutex
};

LentTokens::Token::Token(std::string credential, std::string_view text)
    : credential_(std::move(credential)), text_(text) {}

LentTokens::Token::~Token() {
  Wipe(text_);
  const std::lock_guard lock(shelf_->mutex);
  const auto found = shelf_->by_credential.find(credential_);
  // Another request may have lent it anew meanwhile.
  if (found != shelf_->by_credential.end() && found->second.expired()) {
    shelf_->by_credential.erase(found);
  }
}

LentTokens::LentTokens()
    : wanting_(std::make_shared<std::atomic<int>>(0)), shelf_(std::make_shared<Token::Shelf>()) {}

std::shared_ptr<const void> LentTokens::Want() {
  wanting_->fetch_add(1);
  return {static_cast<const void*>(this), [count = wanting_](const void*) { count->fetch_sub(1); }};
}

LentTokens::TokenPtr LentTokens::Lend(const std::string& credential, std::string_view token) {
  const std::lock_guard lock(shelf_->mutex);
  std::weak_ptr<const Token>& place = shelf_->by_credential[credential];
  TokenPtr lent = place.lock();
  if (lent != nullptr) return lent;
  auto made = std::make_shared<Token>(credential, token);
  made->shelf_ = shelf_;
  place = made;
  return made;
}

LentTokens::TokenPtr LentTokens::Find(const std::string& credential) const {
  const std::lock_guard lock(shelf_->mutex);
  const auto found = shelf_->by_credential.find(credential);
  return found == shelf_->by_credential.end() ? nullptr : found->second.lock();
}

std::size_t LentTokens::size() const {
  const std::lock_guard lock(shelf_->mutex);
  return shelf_->by_credential.size();
}

}  // namespace switchyard
