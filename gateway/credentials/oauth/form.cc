#include "credentials/oauth/form.h"

#include <algorithm>

#include <openssl/evp.h>

#include "base/ascii.h"
#include "base/wipe.h"

namespace switchyard::credentials::oauth {
namespace {

constexpr std::size_t kMostFields = 64;

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void AppendEncoded(std::string& to, std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      to.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    to.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
  }
}

std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());  // what it grew out of would stay behind
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded.push_back(' ');
    } else if (text[i] != '%') {
      decoded.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]), low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  encoded.reserve(3 * text.size());
  AppendEncoded(encoded, text);
  return encoded;
}

std::string ToForm(const Fields& fields) {
  std::size_t most = 0;
  for (const auto& [name, value] : fields) most += 3 * (name.size() + value.size()) + 2;
  std::string text;
  text.reserve(most);
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text.push_back('&');
    AppendEncoded(text, name);
    text.push_back('=');
    AppendEncoded(text, value);
  }
  return text;
}

void Wipe(Fields& fields) {
  for (auto& [name, value] : fields) switchyard::Wipe(value);
}

std::optional<Fields> ReadForm(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    if (one.empty()) continue;
    const std::size_t equals = std::min(one.find('='), one.size());
    std::optional<std::string> name = Decode(one.substr(0, equals));
    std::optional<std::string> value =
        Decode(equals == one.size() ? std::string_view() : one.substr(equals + 1));
    if (!name || !value || fields.size() == kMostFields || Find(fields, *name)) return std::nullopt;
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

std::optional<std::string_view> Find(const Fields& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Fields::value_type::first);
  if (found == fields.end()) return std::nullopt;
  return found->second;
}

std::string BasicCredentials(std::string_view id, std::string_view secret) {
  const std::string both = PercentEncode(id) + ":" + PercentEncode(secret);
  std::string encoded(4 * ((both.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(both.data()),
                                   static_cast<int>(both.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return "Basic " + encoded;
}

}  // namespace switchyard::credentials::oauth
