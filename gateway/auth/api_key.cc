#include "auth/api_key.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

#include <boost/algorithm/hex.hpp>
#include <boost/crc.hpp>
#include <openssl/crypto.h>

#include "base/random.h"

namespace switchyard::auth {
namespace {

constexpr std::string_view kStart = "swy_";
constexpr std::size_t kPrefix = 8, kSecret = 32, kChecksum = 6;
constexpr std::size_t kSize = kStart.size() + kPrefix + 1 + kSecret + kChecksum;
constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigest = "sha256:";

bool IsDigits(std::string_view text) {
  return text.find_first_not_of(kDigits) == std::string_view::npos;
}

std::string RandomDigits(std::size_t count) {
  // A byte beyond the last multiple would make the first digits likelier than the others.
  constexpr std::size_t kFair = 256 / kDigits.size() * kDigits.size();
  std::string text;
  while (text.size() < count) {
    std::array<std::uint8_t, 64> bytes{};
    SecureRandom(bytes);
    for (const std::uint8_t byte : bytes) {
      if (byte < kFair && text.size() < count) text += kDigits[byte % kDigits.size()];
    }
  }
  return text;
}

// CRC-32, so that scanners need no more than that; 62^6 is more than 2^32.
std::string ChecksumOf(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  std::uint32_t rest = crc.checksum();
  std::string digits(kChecksum, '0');
  for (std::size_t i = kChecksum; i-- > 0; rest /= kDigits.size()) {
    digits[i] = kDigits[rest % kDigits.size()];
  }
  return digits;
}

std::string_view PrefixOf(std::string_view key) { return key.substr(kStart.size(), kPrefix); }

std::unexpected<Error> NotADigest(std::string_view why) {
  return Failure(
      Code::kInvalid, Origin::kGateway,
      "must be what `switchyard key new` printed, sha256:PREFIX:DIGEST; " + std::string(why));
}

}  // namespace

std::string ToText(const KeyDigest& key) {
  return std::string(kDigest) + key.prefix + ":" +
         boost::algorithm::hex_lower(std::string(key.digest.begin(), key.digest.end()));
}

Result<KeyDigest> ParseKeyDigest(std::string_view text) {
  if (LooksLikeApiKey(text)) return NotADigest("this is the key itself");
  if (!text.starts_with(kDigest)) return NotADigest("it does not start with sha256:");
  text.remove_prefix(kDigest.size());
  const std::string_view prefix = text.substr(0, kPrefix);
  if (prefix.size() < kPrefix || !IsDigits(prefix) || !text.substr(kPrefix).starts_with(':')) {
    return NotADigest("the prefix must have 8 letters and digits");
  }
  const std::string_view hex = text.substr(kPrefix + 1);
  KeyDigest key{.prefix = std::string(prefix), .digest = {}};
  if (hex.size() != 2 * key.digest.size() ||
      hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return NotADigest("the digest must have 64 digits, each 0 to 9 or a to f");
  }
  std::string bytes;
  boost::algorithm::unhex(hex.begin(), hex.end(), std::back_inserter(bytes));
  std::ranges::copy(bytes, key.digest.begin());
  return key;
}

NewKey MakeApiKey() {
  std::string text = std::string(kStart) + RandomDigits(kPrefix) + "_" + RandomDigits(kSecret);
  text += ChecksumOf(text);
  KeyDigest kept{.prefix = std::string(PrefixOf(text)), .digest = Sha256Bytes(text)};
  return {.text = std::move(text), .kept = std::move(kept)};
}

bool LooksLikeApiKey(std::string_view text) { return text.starts_with(kStart); }

std::string_view PrefixOfKey(std::string_view text) { return PrefixOf(text); }

bool IsApiKey(std::string_view text) {
  if (text.size() != kSize || !LooksLikeApiKey(text)) return false;
  const std::string_view secret = text.substr(kStart.size() + kPrefix + 1);
  return IsDigits(PrefixOf(text)) && text[kStart.size() + kPrefix] == '_' && IsDigits(secret) &&
         ChecksumOf(text.substr(0, kSize - kChecksum)) == secret.substr(kSecret);
}

Result<ApiKeys> ApiKeys::Make(std::vector<ApiKey> keys) {
  ApiKeys set;
  for (ApiKey& key : keys) {
    if (const auto other = set.by_prefix_.find(key.kept.prefix); other != set.by_prefix_.end()) {
      return Failure(Code::kInvalid, Origin::kGateway,
                     "api keys " + other->second.name + " and " + key.name +
                         " have the same prefix " + key.kept.prefix);
    }
    std::string prefix = key.kept.prefix;
    set.by_prefix_.emplace(std::move(prefix), std::move(key));
  }
  return set;
}

Verdict<const ApiKey*> ApiKeys::Find(std::string_view text, WallTime now) const {
  if (!IsApiKey(text)) {
    return Refuse(Reason::kMalformed, "not an api key: its form or its checksum is wrong");
  }
  const auto found = by_prefix_.find(PrefixOf(text));
  static constexpr Sha256Digest kNobody{};
  const Sha256Digest given = Sha256Bytes(text);
  const Sha256Digest& kept = found == by_prefix_.end() ? kNobody : found->second.kept.digest;
  const bool same = CRYPTO_memcmp(given.data(), kept.data(), given.size()) == 0;
  if (found == by_prefix_.end()) {
    return Refuse(Reason::kUnknownKey, "no api key with the prefix " + Shown(PrefixOf(text)));
  }
  const ApiKey& key = found->second;
  if (!same) return Refuse(Reason::kSignature, "another secret than that of api key " + key.name);
  if (key.expires && now >= *key.expires) {
    return Refuse(Reason::kExpired, "api key " + key.name + " has expired");
  }
  return &key;
}

}  // namespace switchyard::auth
