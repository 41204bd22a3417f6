#include "policies/lib/budget_money.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "mcp/scan.h"

namespace switchyard::policies {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What stands before an exponent: the digits without their dot, and how many were behind it.
struct Digits {
  std::int64_t number = 0;
  std::int64_t behind = 0;
  bool more = false;  // digits beyond those of `number`, not all of them 0
  std::size_t read = 0;
  bool any = false;
};

Digits ReadDigits(std::string_view text) {
  constexpr std::int64_t kFull = kMostMicros / 10 - 1;
  Digits digits;
  bool dot = false;
  for (; digits.read < text.size(); ++digits.read) {
    const char c = text[digits.read];
    if (c == '.' && !dot && digits.any) {
      dot = true;
      continue;
    }
    if (!IsDigit(c)) break;
    digits.any = true;
    if (digits.number > kFull) {
      digits.more |= c != '0';
      if (!dot) --digits.behind;
      continue;
    }
    digits.number = digits.number * 10 + (c - '0');
    if (dot) ++digits.behind;
  }
  if (digits.read > 0 && text[digits.read - 1] == '.') digits.any = false;
  return digits;
}

// digits * 10^power in millionths.
std::optional<std::int64_t> Scaled(const Digits& digits, std::int64_t power) {
  std::int64_t micros = digits.number;
  bool rest = digits.more;
  std::int64_t shift = std::clamp<std::int64_t>(power - digits.behind + 6, -40, 40);
  if (micros == 0) return rest ? 1 : 0;
  for (; shift > 0; --shift) {
    if (micros > kMostMicros / 10) return std::nullopt;
    micros *= 10;
  }
  for (; shift < 0 && (micros != 0 || !rest); ++shift) {
    rest |= micros % 10 != 0;
    micros /= 10;
  }
  micros += rest ? 1 : 0;
  if (micros > kMostMicros) return std::nullopt;
  return micros;
}

}  // namespace

std::optional<std::int64_t> ParseMicros(std::string_view text) {
  const Digits digits = ReadDigits(text);
  if (!digits.any || digits.read != text.size() || digits.more || digits.behind > 6) {
    return std::nullopt;
  }
  return Scaled(digits, 0);
}

std::optional<std::int64_t> ReadMicros(std::string_view raw_json) {
  if (raw_json.size() > 1 && raw_json.front() == '"' && raw_json.back() == '"') {
    raw_json = raw_json.substr(1, raw_json.size() - 2);
  }
  const Digits digits = ReadDigits(raw_json);
  if (!digits.any) return std::nullopt;
  std::string_view rest = raw_json.substr(digits.read);
  std::int64_t power = 0;
  if (!rest.empty() && (rest.front() == 'e' || rest.front() == 'E')) {
    rest.remove_prefix(1);
    const bool plus = rest.starts_with('+');
    if (plus) rest.remove_prefix(1);
    if (plus && rest.starts_with('-')) return std::nullopt;
    const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), power);
    if (fault != std::errc() || power > 1000 || power < -1000) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  return rest.empty() ? Scaled(digits, power) : std::nullopt;
}

std::optional<std::int64_t> MicrosIn(std::string_view object, std::string_view key) {
  if (!mcp::IsObject(object)) return std::nullopt;
  const std::optional<mcp::Fields> members = mcp::MembersOf(object);
  const mcp::Field* found = members ? mcp::Find(*members, key) : nullptr;
  return found != nullptr ? ReadMicros(found->value) : std::nullopt;
}

std::string MicrosText(std::int64_t micros) {
  const char* const sign = micros < 0 ? "-" : "";
  const std::int64_t size = micros < 0 ? -micros : micros;
  std::string text = fmt::format("{}{}.{:06}", sign, size / kMillion, size % kMillion);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::int64_t ShareOf(std::int64_t a, std::int64_t b, std::int64_t by) {
  if (a == 0 || b == 0) return 0;  // most often: a division of this width is slow
  const auto wide = static_cast<__int128>(a) * b;
  const __int128 share = (wide + by - 1) / by;
  return static_cast<std::int64_t>(std::min<__int128>(share, kMostMicros));
}

}  // namespace switchyard::policies
