#include "core/key_ring.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "base/base64url.h"
#include "base/digest.h"

namespace switchyard {
namespace {

std::optional<std::string> FromHex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = HexValue(text[i]), low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  return text;
}

// Another purpose than the key's own: what names it must not help to find it. The words are those
// of the first place that had keys, and stand in its files.
std::string IdOf(const Sealer::Key& key) {
  const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size());
  return Sha256("switchyard vault key id\n" + std::string(bytes)).substr(0, 16);
}

// 0, 1, 2 ...: that of the examples in the documentation, which everybody knows.
bool IsOfExamples(const Sealer::Key& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] != i) return false;
  }
  return true;
}

}  // namespace

std::optional<Sealer::Key> ReadRingKey(std::string_view text) {
  text = Trimmed(text);
  Sealer::Key key{};
  std::optional<std::string> bytes;
  if (text.size() == 2 * key.size()) {
    bytes = FromHex(text);
  } else {
    if (text.ends_with('=')) text.remove_suffix(1);
    std::string spelled(text);
    std::ranges::replace(spelled, '+', '-');
    std::ranges::replace(spelled, '/', '_');
    bytes = DecodeBase64Url(spelled);
  }
  if (!bytes || bytes->size() != key.size()) return std::nullopt;
  std::memcpy(key.data(), bytes->data(), key.size());
  if (IsOfExamples(key)) return std::nullopt;
  return key;
}

Result<KeyRing> KeyRing::Read(std::string_view path, const std::vector<config::Secret>& texts) {
  std::vector<Key> keys;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::optional<Sealer::Key> key = ReadRingKey(texts[i].Reveal());
    const std::string which = std::string(path) + "[" + std::to_string(i) + "]";
    if (!key) {
      return Failure(Code::kInvalid, Origin::kGateway,
                     which +
                         ": must be 32 random bytes as base64 or 64 hexadecimal digits; make one "
                         "with `openssl rand -base64 32`");
    }
    keys.push_back({.id = IdOf(*key), .sealer = Sealer(*key)});
    for (std::size_t j = 0; j < i; ++j) {
      if (keys[j].id != keys[i].id) continue;
      return Failure(Code::kInvalid, Origin::kGateway, which + ": is the same key as another one");
    }
  }
  if (keys.empty()) {
    return Failure(Code::kInvalid, Origin::kGateway,
                   std::string(path) + ": needs at least one key");
  }
  return KeyRing(std::move(keys));
}

bool KeyRing::Has(std::string_view id) const {
  return std::ranges::any_of(keys_, [id](const Key& key) { return key.id == id; });
}

std::optional<std::string> KeyRing::Open(std::string_view id, std::string_view purpose,
                                         std::string_view sealed) const {
  for (const Key& key : keys_) {
    if (key.id == id) return key.sealer.Open(purpose, sealed);
  }
  return std::nullopt;
}

}  // namespace switchyard
