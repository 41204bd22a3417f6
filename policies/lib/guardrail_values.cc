#include "policies/lib/guardrail_values.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/ascii.h"
#include "base/base64url.h"
#include "mcp/scan.h"
#include "policies/lib/guardrail_chars.h"

namespace switchyard::policies::guardrail {
namespace {

// First digits (a range, by as many digits as it is written with) and lengths (bits).
struct Network {
  std::uint32_t from, to;
  std::uint8_t digits;
  std::uint32_t lengths;
};
constexpr std::uint32_t Bit(unsigned length) { return 1U << length; }
constexpr std::array<Network, 16> kNetworks = {{
    {4, 4, 1, Bit(16) | Bit(19)},  // Visa
    {51, 55, 2, Bit(16)},          // Mastercard
    {2221, 2720, 4, Bit(16)},      // Mastercard
    {34, 34, 2, Bit(15)},          // American Express
    {37, 37, 2, Bit(15)},
    {6011, 6011, 4, Bit(16) | Bit(19)},  // Discover
    {644, 649, 3, Bit(16) | Bit(19)},
    {65, 65, 2, Bit(16) | Bit(19)},
    {3528, 3589, 4, Bit(16) | Bit(19)},  // JCB
    {300, 305, 3, Bit(14)},              // Diners Club
    {36, 36, 2, Bit(14)},
    {38, 39, 2, Bit(14)},
    {62, 62, 2, Bit(16) | Bit(17) | Bit(18) | Bit(19)},  // UnionPay
    {2200, 2204, 4, Bit(16)},                            // Mir
    {6304, 6304, 4, Bit(16)},                            // Maestro
    {6759, 6763, 4, Bit(16)},
}};

struct IbanLength {
  std::string_view country;
  std::uint8_t length;
};
constexpr std::array<IbanLength, 78> kIbans = {{
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20},
    {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27},
    {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18}, {"NO", 15},
    {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24},
    {"SC", 31}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23},
    {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
}};

// Endings of names, in lower case and without separators.
constexpr std::array<std::string_view, 18> kSecretEnds = {
    "password",   "passwd",        "passphrase", "pwd",         "secret",    "token",
    "apikey",     "accesskey",     "secretkey",  "privatekey",  "authkey",   "accountkey",
    "signingkey", "encryptionkey", "credential", "credentials", "apisecret", "masterkey"};
constexpr std::array<std::string_view, 4> kSecretNames = {"pass", "dbpass", "pw", "passcode"};
// Tokens that are no secrets.
constexpr std::array<std::string_view, 7> kOpenTokens = {
    "page", "next", "cursor", "continuation", "sync", "progress", "previous"};

// What stands for a secret in examples.
constexpr std::array<std::string_view, 14> kStandIns = {
    "example", "changeme", "change_me", "placeholder", "redacted",  "dummy", "xxxx",
    "****",    "your",     "insert",    "replace",     "undefined", "....",  "secret_here"};

std::optional<std::string> DecodeBase64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return DecodeBase64Url(url);
}

// Words and numbers joined by marks, as names of things are: my-service-token-2, settings.key.
bool ReadsAsName(std::string_view value) {
  std::size_t at = 0;
  while (at < value.size()) {
    if (Is(value[at], kUnderscore | kDash | kDot)) {
      ++at;
      continue;
    }
    const std::uint16_t kind = Is(value[at], kDigit) ? kDigit : kLetter;
    const std::size_t end = RunEnd(value, at, kind);
    const bool ends = end == value.size() || Is(value[end], kUnderscore | kDash | kDot);
    if (end == at || !ends) return false;
    at = end;
  }
  return true;
}

// The last two letters of all endings above: most names are none after one look.
bool EndsLikeASecret(std::string_view name) {
  constexpr std::string_view kEnds = "rd wd se et en ey al ls ss pw de";
  const std::string last = LowerAscii(name.substr(name.size() - 2));
  return kEnds.find(last) != std::string_view::npos && Is(name.back(), kLetter);
}

}  // namespace

bool PassesLuhn(std::string_view digits) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    unsigned digit = static_cast<unsigned>(digits[digits.size() - 1 - i] - '0');
    if (i % 2 == 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

bool IsCardNumber(std::string_view digits) {
  if (digits.size() < 14 || digits.size() > 19) return false;
  std::uint32_t first = 0;
  std::array<std::uint32_t, 5> beginnings{};
  for (std::size_t i = 0; i < 4; ++i) {
    first = first * 10 + static_cast<std::uint32_t>(digits[i] - '0');
    beginnings.at(i + 1) = first;
  }
  const bool known = std::ranges::any_of(kNetworks, [&](const Network& network) {
    const std::uint32_t begins = beginnings.at(network.digits);
    return begins >= network.from && begins <= network.to &&
           (network.lengths & Bit(static_cast<unsigned>(digits.size()))) != 0;
  });
  return known && PassesLuhn(digits) && Different(digits) > 1;
}

bool IsIban(std::string_view text) {
  if (text.size() < 15) return false;
  const auto row = std::ranges::find(kIbans, text.substr(0, 2), &IbanLength::country);
  if (row == kIbans.end() || row->length != text.size()) return false;
  unsigned rest = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[(i + 4) % text.size()];  // the first four go last
    if (Is(c, kDigit)) {
      rest = (rest * 10 + static_cast<unsigned>(c - '0')) % 97;
    } else if (Is(c, kUpper)) {
      rest = (rest * 100 + static_cast<unsigned>(c - 'A') + 10) % 97;
    } else {
      return false;
    }
  }
  return rest == 1;
}

bool IsJoseHeader(std::string_view part) {
  const std::optional<std::string> header = DecodeBase64Url(part);
  if (!header || !mcp::IsObject(*header)) return false;
  const std::optional<mcp::Fields> fields = mcp::MembersOf(*header);
  const mcp::Field* algorithm = fields ? mcp::Find(*fields, "alg") : nullptr;
  return algorithm != nullptr && mcp::IsString(algorithm->value);
}

bool IsBasicCredentials(std::string_view token) {
  const std::optional<std::string> text = DecodeBase64(token);
  if (!text) return false;
  const std::size_t colon = text->find(':');
  return colon != std::string::npos && colon != 0 && colon + 1 < text->size() &&
         std::ranges::all_of(*text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool IsSecretName(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  if (name.size() < 2 || name.size() > kLongest || !EndsLikeASecret(name)) return false;
  std::string plain = LowerAscii(name);
  std::erase_if(plain, [](char c) { return Is(c, kUnderscore | kDash | kDot | kSpaces); });
  if (std::ranges::find(kSecretNames, plain) != kSecretNames.end()) return true;
  const auto ends = [&plain](std::string_view end) { return plain.ends_with(end); };
  if (std::ranges::none_of(kSecretEnds, ends)) return false;
  return !plain.ends_with("token") || std::ranges::none_of(kOpenTokens, [&](std::string_view word) {
    return plain.substr(0, plain.size() - 5).ends_with(word);
  });
}

bool LooksSecret(std::string_view value) {
  constexpr std::size_t kLeast = 8, kMost = 4096;
  if (value.size() < kLeast || value.size() > kMost) return false;
  if (std::string_view("$<{[%*/~").find(value.front()) != std::string_view::npos) return false;
  std::uint16_t seen = 0;
  bool others = false;
  for (const char c : value) {
    const std::uint16_t sets = kSets[static_cast<unsigned char>(c)];
    seen |= sets;
    others |= (sets & (kWordByte | kDash | kDot)) == 0;
  }
  // Words alone, whatever joins them, are names of other things.
  if (!others && ((seen & kDigit) == 0 || ReadsAsName(value))) {
    const bool uuid = value.size() == 36 && value[8] == '-' && value[13] == '-';
    if (!uuid) return false;
  }
  if ((seen & (kDigit | kUpper)) == 0 && (seen & kLower) == 0) return false;
  if ((seen & kLetter) == 0) return false;  // times, dates, numbers
  if (value.find("://") != std::string_view::npos || value.find("  ") != std::string_view::npos) {
    return false;
  }
  if (std::ranges::count(value, ' ') > 3) return false;  // a sentence
  const std::string lower = LowerAscii(value);
  const auto within = [&lower](std::string_view word) { return lower.contains(word); };
  if (std::ranges::any_of(kStandIns, within)) return false;
  return EntropyOf(value) >= (value.size() < 16 ? 2.5 : 3.0);
}

double EntropyOf(std::string_view text) {
  std::array<std::uint32_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  const auto size = static_cast<double>(text.size());
  double bits = 0;
  for (const std::uint32_t count : counts) {
    if (count != 0) bits -= count / size * std::log2(count / size);
  }
  return bits;
}

}  // namespace switchyard::policies::guardrail
