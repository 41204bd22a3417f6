#include "policies/lib/per.h"

#include <algorithm>

namespace switchyard::policies {
namespace {

void AddPrincipal(StoreKey& key, const Counted& call) { key.Add(call.issuer).Add(call.subject); }

void AddClient(StoreKey& key, const Counted& call) {
  key.Add(call.client).Add(call.client.empty() ? call.client_name : "");
}

}  // namespace

std::string WordsOf(const std::vector<Per>& per, std::string_view between) {
  std::vector<std::string_view> words;
  words.reserve(per.size());
  for (const Per one : per) words.push_back(kPerWords.at(static_cast<std::size_t>(one)));
  return fmt::format("{}", fmt::join(words, between));
}

std::optional<std::vector<Per>> PerOf(const std::vector<std::string>& words, std::string& unknown) {
  std::vector<Per> per;
  for (const std::string& word : words) {
    const auto found = std::ranges::find(kPerWords, word);
    if (found == kPerWords.end()) {
      unknown = word;
      return std::nullopt;
    }
    per.push_back(static_cast<Per>(found - kPerWords.begin()));
  }
  std::ranges::sort(per);
  const auto twice = std::ranges::unique(per);
  per.erase(twice.begin(), twice.end());
  return per;
}

void AddTo(StoreKey& key, Per per, const Counted& call) {
  switch (per) {
    case Per::kPrincipal: return AddPrincipal(key, call);
    case Per::kClient: return AddClient(key, call);
    case Per::kSession:
      if (!call.session.empty()) {
        key.Add(call.session);
        return;
      }
      AddPrincipal(key, call);
      return AddClient(key, call);
    case Per::kEndpoint: key.Add(call.endpoint); return;
    case Per::kServer: key.Add(call.server); return;
    case Per::kTool: key.Add(call.server).Add(call.method).Add(call.listed); return;
  }
}

bool IsLimitName(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

}  // namespace switchyard::policies
