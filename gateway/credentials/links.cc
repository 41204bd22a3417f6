#include "credentials/links.h"

#include <algorithm>

#include "base/token.h"
#include "credentials/oauth/challenge.h"

namespace switchyard::credentials {

void Links::Sweep() {
  const TimePoint now = clock_.Now();
  std::vector<std::string> over;
  for (const auto& [token, offer] : offers_) {
    if (offer.until <= now) over.push_back(token);
  }
  for (const std::string& token : over) Drop(token);
  if (offers_.size() < kMost) return;
  const auto oldest =
      std::ranges::min_element(offers_, {}, [](const auto& named) { return named.second.until; });
  Drop(std::string(oldest->first));
}

std::string Links::UrlFor(const std::string& server, const Whose& whose,
                          const std::vector<std::string>& scopes) {
  const auto known = current_.find({server, whose});
  Offer* offer = known == current_.end() ? nullptr : Find(known->second);
  const TimePoint now = clock_.Now();
  if (offer == nullptr) {
    if (offers_.size() >= kMost) Sweep();
    std::string token = RandomToken();
    current_[{server, whose}] = token;
    offer = &offers_[token];
    *offer = {
        .token = std::move(token), .server = server, .whose = whose, .made = now, .until = now};
  }
  offer->scopes = oauth::UnionOf(std::move(offer->scopes), scopes);
  offer->until = std::min(now + kLife, offer->made + kLongest);
  return base_ + "/connect/" + offer->token;
}

Offer* Links::Find(std::string_view token) {
  const auto found = offers_.find(token);
  if (found == offers_.end()) return nullptr;
  if (found->second.until > clock_.Now()) return &found->second;
  Drop(std::string(token));
  return nullptr;
}

Offer* Links::ByState(std::string_view state) {
  if (state.empty()) return nullptr;
  for (const auto& [token, offer] : offers_) {
    if (offer.attempt && offer.attempt->state == state) return Find(token);
  }
  return nullptr;
}

Offer* Links::BySignIn(std::string_view state) {
  if (state.empty()) return nullptr;
  for (const auto& [token, offer] : offers_) {
    if (offer.sign_in && offer.sign_in->sent.state == state) return Find(token);
  }
  return nullptr;
}

void Links::Drop(std::string_view token) {
  const auto found = offers_.find(token);
  if (found == offers_.end()) return;
  current_.erase({found->second.server, found->second.whose});
  offers_.erase(found);
}

void Links::DropOf(const std::string& server, const Whose& whose) {
  const auto known = current_.find({server, whose});
  if (known != current_.end()) Drop(std::string(known->second));
}

}  // namespace switchyard::credentials
