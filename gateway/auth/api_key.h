// Keys that the gateway gives out itself: `swy_PREFIX_SECRET`, of which only a digest is kept. The
// last six characters of SECRET are a checksum of all before, so that scanners of leaked secrets
// can tell such a key from a text that looks like one. Time is a parameter. Safe from any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/claims.h"
#include "auth/refusal.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/string_hash.h"
#include "core/principal.h"

namespace switchyard::auth {

// What is kept of a key. It has 190 random bits, so a plain digest cannot be undone by guessing.
struct KeyDigest {
  std::string prefix;  // 8 characters, by which it is found
  Sha256Digest digest;

  bool operator==(const KeyDigest&) const = default;
};

// `sha256:PREFIX:64 hexadecimal digits`: what stands in a configuration.
std::string ToText(const KeyDigest& key);
Result<KeyDigest> ParseKeyDigest(std::string_view text);

struct NewKey {
  std::string text;  // shown once
  KeyDigest kept;
};
// Throws when there is no randomness.
NewKey MakeApiKey();

// Whether a credential is meant as such a key, right or wrong.
bool LooksLikeApiKey(std::string_view text);
// Of such a text: the part by which it is found, which is no secret. Only of what IsApiKey().
std::string_view PrefixOfKey(std::string_view text);
// Whether it has the form and the checksum of one: what a scanner of secrets asks.
bool IsApiKey(std::string_view text);

struct ApiKey {
  std::string name;  // the subject of whoever uses it
  KeyDigest kept;
  std::optional<WallTime> expires;
  Caller caller = {};  // by whom calls with it are made
};

// Immutable. A lookup takes the same time for a prefix that is not there.
class ApiKeys {
 public:
  ApiKeys() = default;
  // No two of one prefix.
  static Result<ApiKeys> Make(std::vector<ApiKey> keys);

  // It lives as long as the set.
  Verdict<const ApiKey*> Find(std::string_view text, WallTime now) const;

  std::size_t size() const { return by_prefix_.size(); }

 private:
  std::unordered_map<std::string, ApiKey, StringHash, std::equal_to<>> by_prefix_;
};

}  // namespace switchyard::auth
