#include "mcp/header_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "mcp/json_string.h"
#include "mcp/json_tokens.h"

namespace switchyard::mcp {
namespace {

constexpr std::string_view kBegin = "=?base64?";
constexpr std::string_view kEnd = "?=";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr double kLargestExact = 9007199254740991.0;  // 2^53 - 1

constexpr std::array<std::int8_t, 256> kDigits = [] {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return digits;
}();

bool IsPrintable(char c) { return c >= 0x20 && c <= 0x7E; }

bool LooksEncoded(std::string_view text) {
  return text.size() >= kBegin.size() + kEnd.size() && text.starts_with(kBegin) &&
         text.ends_with(kEnd);
}

std::string EncodeBase64(std::string_view text) {
  std::string out;
  out.reserve((text.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
    };
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += i + 1 < text.size() ? kAlphabet[group >> 6 & 63] : '=';
    out += i + 2 < text.size() ? kAlphabet[group & 63] : '=';
  }
  return out;
}

// Standard alphabet, padded, and canonical: one text, one encoding.
std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const std::int8_t digit = kDigits[static_cast<unsigned char>(c)];
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count);
    bits &= (1u << count) - 1;
  }
  return bits == 0 ? std::optional(std::move(out)) : std::nullopt;
}

// A JSON number as a double, when it is an integer that a double holds exactly.
std::optional<double> ExactInteger(std::string_view raw) {
  double value = 0;
  if (!IsJsonNumber(raw)) return std::nullopt;
  const auto [end, problem] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (problem != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  if (std::trunc(value) != value || std::abs(value) > kLargestExact) return std::nullopt;
  return value;
}

}  // namespace

std::string EncodeHeaderValue(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), IsPrintable) && !text.starts_with(' ') &&
                     !text.ends_with(' ') && !LooksEncoded(text);
  if (plain) return std::string(text);
  return std::string(kBegin).append(EncodeBase64(text)).append(kEnd);
}

std::optional<std::string> DecodeHeaderValue(std::string_view value) {
  constexpr std::string_view kOptionalSpace = " \t";
  const std::size_t first = value.find_first_not_of(kOptionalSpace);
  if (first == std::string_view::npos) return std::string();
  value = value.substr(first, value.find_last_not_of(kOptionalSpace) + 1 - first);
  if (!LooksEncoded(value)) {
    if (!std::all_of(value.begin(), value.end(), IsPrintable)) return std::nullopt;
    return std::string(value);
  }
  value.remove_prefix(kBegin.size());
  value.remove_suffix(kEnd.size());
  std::optional<std::string> text = DecodeBase64(value);
  if (text && !IsUtf8(*text)) return std::nullopt;
  return text;
}

std::optional<std::string> HeaderValueFor(std::string_view raw_json) {
  if (raw_json.starts_with('"')) {
    const std::optional<std::string> text = Unquote(raw_json);
    return text ? std::optional(EncodeHeaderValue(*text)) : std::nullopt;
  }
  if (raw_json == "true" || raw_json == "false") return std::string(raw_json);
  const std::optional<double> integer = ExactInteger(raw_json);
  if (!integer) return std::nullopt;
  return std::to_string(static_cast<std::int64_t>(*integer));
}

bool HeaderMatches(std::string_view value, std::string_view raw_json) {
  const std::optional<std::string> text = DecodeHeaderValue(value);
  if (!text) return false;
  if (raw_json.starts_with('"')) return text == Unquote(raw_json);
  if (*text == raw_json)
    return raw_json == "true" || raw_json == "false" || IsJsonInteger(raw_json);
  const std::optional<double> wanted = ExactInteger(raw_json);
  return wanted && ExactInteger(*text) == wanted;
}

}  // namespace switchyard::mcp
