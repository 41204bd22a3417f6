#include "policies/lib/json_schema/formats.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "policies/lib/json_schema/ecma_regex.h"

namespace switchyard::json_schema {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return (c & 0x80) == 0 && std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool IsHex(char c) { return (c & 0x80) == 0 && std::isxdigit(static_cast<unsigned char>(c)) != 0; }

// Reads forward; every question moves on only when it is answered with yes.
class Text {
 public:
  explicit Text(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Take(char c, char other = '\0') {
    if (rest_.empty() || (rest_.front() != c && (other == '\0' || rest_.front() != other)))
      return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<int> Number(std::size_t digits) {
    if (rest_.size() < digits || !std::all_of(rest_.begin(), rest_.begin() + digits, IsDigit)) {
      return std::nullopt;
    }
    int number = 0;
    for (std::size_t i = 0; i < digits; ++i) number = number * 10 + (rest_[i] - '0');
    rest_.remove_prefix(digits);
    return number;
  }
  std::size_t Digits() {
    const auto end = std::ranges::find_if_not(rest_, IsDigit);
    const auto count = static_cast<std::size_t>(end - rest_.begin());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

int DaysIn(int month, int year) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

bool TakeDate(Text& text) {
  const auto year = text.Number(4);
  if (!year || !text.Take('-')) return false;
  const auto month = text.Number(2);
  if (!month || *month < 1 || *month > 12 || !text.Take('-')) return false;
  const auto day = text.Number(2);
  return day && *day >= 1 && *day <= DaysIn(*month, *year);
}

// Minutes east of UTC.
std::optional<int> TakeOffset(Text& text) {
  if (text.Take('Z', 'z')) return 0;
  const bool west = text.Take('-');
  if (!west && !text.Take('+')) return std::nullopt;
  const auto hours = text.Number(2);
  if (!hours || *hours > 23 || !text.Take(':')) return std::nullopt;
  const auto minutes = text.Number(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const int offset = *hours * 60 + *minutes;
  return west ? -offset : offset;
}

bool TakeTime(Text& text) {
  const auto hour = text.Number(2);
  if (!hour || *hour > 23 || !text.Take(':')) return false;
  const auto minute = text.Number(2);
  if (!minute || *minute > 59 || !text.Take(':')) return false;
  const auto second = text.Number(2);
  if (!second || *second > 60) return false;
  if (text.Take('.') && text.Digits() == 0) return false;
  const auto offset = TakeOffset(text);
  if (!offset) return false;
  constexpr int kDay = 24 * 60;
  // A leap second is the last one of a day in UTC.
  return *second < 60 || (*hour * 60 + *minute - *offset + 2 * kDay) % kDay == kDay - 1;
}

bool IsDate(std::string_view raw) {
  Text text(raw);
  return TakeDate(text) && text.AtEnd();
}
bool IsTime(std::string_view raw) {
  Text text(raw);
  return TakeTime(text) && text.AtEnd();
}
bool IsDateTime(std::string_view raw) {
  Text text(raw);
  return TakeDate(text) && text.Take('T', 't') && TakeTime(text) && text.AtEnd();
}

// Numbers with the units given, in their order, without a gap between the first and the last.
bool TakeUnits(Text& text, std::string_view units) {
  std::size_t next = 0;
  bool any = false;
  while (!text.AtEnd()) {
    Text ahead = text;
    if (ahead.Digits() == 0) break;
    std::size_t unit = next;
    while (unit < units.size() && !ahead.Take(units[unit])) ++unit;
    if (unit == units.size() || (any && unit != next)) return false;
    next = unit + 1;
    any = true;
    text = ahead;
  }
  return any;
}

bool IsDuration(std::string_view raw) {
  Text text(raw);
  if (!text.Take('P')) return false;
  if (raw.ends_with('W')) return TakeUnits(text, "W") && text.AtEnd();
  const bool date = TakeUnits(text, "YMD");
  if (!text.Take('T')) return date && text.AtEnd();
  return TakeUnits(text, "HMS") && text.AtEnd();
}

bool IsHostname(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::string_view label = text.substr(0, text.find('.'));
    const bool good = !label.empty() && label.size() <= 63 && label.front() != '-' &&
                      label.back() != '-' &&
                      std::ranges::all_of(label, [](char c) { return IsAlnum(c) || c == '-'; });
    if (!good) return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

bool IsIpv4(std::string_view text) {
  int parts = 0;
  while (true) {
    const std::string_view part = text.substr(0, text.find('.'));
    if (part.empty() || part.size() > 3 || !std::ranges::all_of(part, IsDigit)) return false;
    if (part.size() > 1 && part.front() == '0') return false;
    if (part.size() == 3 && part > "255") return false;
    ++parts;
    if (part.size() == text.size()) return parts == 4;
    text.remove_prefix(part.size() + 1);
  }
}

bool IsIpv6(std::string_view text) {
  if (text.size() > 45 || text.contains('%')) return false;
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(std::string(text), error);
  return !error;
}

bool IsEmail(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  if (domain.starts_with("[IPv6:") && domain.ends_with("]")) {
    return IsIpv6(domain.substr(6, domain.size() - 7));
  }
  const bool literal = domain.starts_with('[') && domain.ends_with(']');
  if (!(literal ? IsIpv4(domain.substr(1, domain.size() - 2)) : IsHostname(domain))) return false;
  if (local.size() > 2 && local.starts_with('"') && local.ends_with('"')) {
    return std::ranges::all_of(local, [](char c) { return c >= ' ' && c < 0x7F; });
  }
  const bool dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
  return !dots && std::ranges::all_of(local, [](char c) {
    return IsAlnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").contains(c);
  });
}

// What the URL library lets pass: a port that is none, a second @.
bool HasSoundAuthority(std::string_view text) {
  const std::size_t slashes = text.find("//");
  if (slashes == std::string_view::npos || text.find_first_of("/?#") != slashes) return true;
  std::string_view authority = text.substr(slashes + 2);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  const std::size_t at = authority.find('@');
  if (at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.contains('@')) return false;
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return colon == std::string_view::npos ||
         std::ranges::all_of(authority.substr(colon + 1), IsDigit);
}

bool IsUri(std::string_view text) {
  return boost::urls::parse_uri(text).has_value() && HasSoundAuthority(text);
}
bool IsUriReference(std::string_view text) {
  return boost::urls::parse_uri_reference(text).has_value() && HasSoundAuthority(text);
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !IsHex(text[i])) return false;
  }
  return true;
}

bool IsJsonPointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t i = text.find('~'); i != std::string_view::npos; i = text.find('~', i + 1)) {
    if (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')) return false;
  }
  return true;
}

bool IsRelativeJsonPointer(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, IsDigit);
  const auto digits = static_cast<std::size_t>(end - text.begin());
  if (digits == 0 || (digits > 1 && text.front() == '0')) return false;
  const std::string_view rest = text.substr(digits);
  return rest == "#" || IsJsonPointer(rest);
}

bool IsRegex(std::string_view text) {
  if (text.size() > kMaxPattern) return true;
  const auto compiled = CompilePattern(text);
  // What only RE2 has no words for is a regular expression all the same.
  return compiled || compiled.error() == kLooksAround || compiled.error() == kRefersBack;
}

}  // namespace

FormatCheck FindFormat(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, FormatCheck>, 15> kFormats = {{
      {"date", &IsDate},
      {"date-time", &IsDateTime},
      {"duration", &IsDuration},
      {"email", &IsEmail},
      {"hostname", &IsHostname},
      {"ipv4", &IsIpv4},
      {"ipv6", &IsIpv6},
      {"json-pointer", &IsJsonPointer},
      {"regex", &IsRegex},
      {"relative-json-pointer", &IsRelativeJsonPointer},
      {"time", &IsTime},
      {"uri", &IsUri},
      {"uri-reference", &IsUriReference},
      {"url", &IsUri},
      {"uuid", &IsUuid},
  }};
  const auto found =
      std::ranges::find(kFormats, name, &std::pair<std::string_view, FormatCheck>::first);
  return found == kFormats.end() ? nullptr : found->second;
}

}  // namespace switchyard::json_schema
