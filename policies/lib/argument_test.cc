#include "policies/lib/argument_test.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <re2/re2.h>
#include <span>

#include <fmt/format.h>

#include "base/glob.h"
#include "mcp/json_string.h"
#include "mcp/json_tokens.h"
#include "mcp/message_keys.h"
#include "mcp/scan.h"

namespace switchyard::policies {
namespace {

constexpr std::size_t kDeepest = 64;

Holds Said(bool holds) { return holds ? Holds::kYes : Holds::kNo; }

std::optional<double> NumberOf(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A number as it is written, to the last digit: as a double 2^53 and 2^53 + 1 are one.
struct Decimal {
  bool negative = false;
  std::string digits = {};    // neither begins nor ends with a zero; "" = zero
  std::int64_t exponent = 0;  // of ten, behind the digits

  bool operator==(const Decimal&) const = default;
};

std::optional<Decimal> DecimalOf(std::string_view text) {
  if (!mcp::IsJsonNumber(text)) return std::nullopt;
  Decimal decimal{.negative = text.front() == '-'};
  if (decimal.negative) text.remove_prefix(1);
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  if (std::string_view power = text.substr(std::min(e + 1, text.size())); !power.empty()) {
    if (power.front() == '+') power.remove_prefix(1);
    constexpr std::int64_t kMost = 1'000'000'000;
    const auto [end, error] =
        std::from_chars(power.data(), power.data() + power.size(), decimal.exponent);
    if (error != std::errc() || decimal.exponent > kMost || decimal.exponent < -kMost) {
      return std::nullopt;
    }
  }
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = mantissa.find('.');
  decimal.digits = mantissa.substr(0, point);
  if (point != std::string_view::npos) {
    decimal.digits += mantissa.substr(point + 1);
    decimal.exponent -= static_cast<std::int64_t>(mantissa.size() - point - 1);
  }
  const std::size_t first = decimal.digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal{};
  const std::size_t last = decimal.digits.find_last_not_of('0');
  decimal.exponent += static_cast<std::int64_t>(decimal.digits.size() - last - 1);
  decimal.digits = decimal.digits.substr(first, last + 1 - first);
  return decimal;
}

// Of a string its text, of a number, true or false how it is written; nullopt: something else.
std::optional<std::string> TextOf(std::string_view raw) {
  if (mcp::IsString(raw)) return mcp::Unquote(raw);
  if (raw == "true" || raw == "false" || mcp::IsJsonNumber(raw)) return std::string(raw);
  return std::nullopt;
}

// One test over one JSON text.
class Judge {
 public:
  explicit Judge(const ArgumentTest& test) : test_(test) {}

  Holds At(std::string_view raw, std::span<const std::string> tokens) const {
    if (tokens.empty()) return Value(raw);
    if (mcp::IsObject(raw)) return InObject(raw, tokens);
    if (mcp::IsArray(raw)) return InArray(raw, tokens);
    return raw == "null" ? Absent() : Holds::kCannotTell;
  }

 private:
  Holds InObject(std::string_view raw, std::span<const std::string> tokens) const {
    const std::optional<mcp::Fields> fields = mcp::MembersOf(raw);
    if (!fields) return Holds::kCannotTell;
    if (tokens.front() == "*") {
      std::vector<std::string_view> values;
      for (const mcp::Field& field : *fields) values.push_back(field.value);
      return InEach(values, tokens);
    }
    const auto named = [&tokens](const mcp::Field& field) { return field.key == tokens.front(); };
    // Some servers take a key in whatever case, and of several the last.
    const auto like_it = [&tokens](const mcp::Field& field) {
      return mcp::AreFoldedAlike(field.key, tokens.front());
    };
    const auto count = std::ranges::count_if(*fields, like_it);
    if (count == 0) return Absent();
    if (count > 1 || std::ranges::none_of(*fields, named)) return Holds::kCannotTell;
    return At(std::ranges::find_if(*fields, named)->value, tokens.subspan(1));
  }

  Holds InArray(std::string_view raw, std::span<const std::string> tokens) const {
    const auto elements = mcp::ElementsOf(raw);
    if (!elements) return Holds::kCannotTell;
    const std::string& token = tokens.front();
    if (token == "*") return InEach(*elements, tokens);
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    const bool is_index = error == std::errc() && end == token.data() + token.size() &&
                          (token == "0" || !token.starts_with('0'));
    if (!is_index) return Holds::kCannotTell;
    if (index >= elements->size()) return Absent();
    return At((*elements)[index], tokens.subspan(1));
  }

  // All alike, or it cannot be told: then an allowing rule wants all, a denying one has enough.
  Holds InEach(const std::vector<std::string_view>& values,
               std::span<const std::string> tokens) const {
    if (values.empty()) return Absent();
    const Holds first = At(values.front(), tokens.subspan(1));
    const bool alike = std::ranges::all_of(
        values, [&](std::string_view value) { return At(value, tokens.subspan(1)) == first; });
    return alike ? first : Holds::kCannotTell;
  }

  Holds Absent() const { return Said(test_.present && !*test_.present); }

  Holds Value(std::string_view raw) const {
    if (test_.present && !*test_.present) return Holds::kNo;
    Holds holds = Holds::kYes;
    if (test_.min || test_.max) holds = Both(holds, InRange(raw));
    if (test_.globs.empty() && test_.one_of.empty() && test_.regex == nullptr) return holds;
    const std::optional<std::string> text = TextOf(raw);
    if (!text) return Both(holds, Holds::kCannotTell);
    if (!test_.globs.empty()) {
      holds = Both(holds, Said(std::ranges::any_of(test_.globs, [&text](const std::string& glob) {
                     return GlobMatches(glob, *text);
                   })));
    }
    if (!test_.one_of.empty()) holds = Both(holds, Said(IsOneOf(*text)));
    if (test_.regex != nullptr) {
      holds = Both(holds, Said(re2::RE2::FullMatch(*text, *test_.regex)));
    }
    return holds;
  }

  Holds InRange(std::string_view raw) const {
    const std::optional<double> number = mcp::IsJsonNumber(raw) ? NumberOf(raw) : std::nullopt;
    if (!number) return Holds::kCannotTell;
    return Said((!test_.min || *number >= *test_.min) && (!test_.max || *number <= *test_.max));
  }

  bool IsOneOf(const std::string& text) const {
    const std::optional<Decimal> number = DecimalOf(text);
    return std::ranges::any_of(test_.one_of, [&](const std::string& value) {
      return value == text || (number && DecimalOf(value) == number);
    });
  }

  const ArgumentTest& test_;
};

}  // namespace

Holds Both(Holds a, Holds b) {
  if (a == Holds::kNo || b == Holds::kNo) return Holds::kNo;
  return a == Holds::kYes ? b : a;
}

Holds ArgumentTest::Judge(std::string_view arguments) const {
  if (arguments.empty()) arguments = "{}";
  if (!mcp::IsObject(arguments)) return Holds::kCannotTell;
  return policies::Judge(*this).At(arguments, tokens);
}

std::string ArgumentTest::ToText() const {
  std::vector<std::string> said;
  const auto list = [](const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) {
      text += (text.empty() ? "" : " or ") + mcp::Quote(value);
    }
    return text;
  };
  if (!globs.empty()) said.push_back("like " + list(globs));
  if (!one_of.empty()) said.push_back("one of " + list(one_of));
  if (regex != nullptr)
    said.push_back("like the regular expression " + mcp::Quote(regex->pattern()));
  if (min) said.push_back(fmt::format("at least {}", *min));
  if (max) said.push_back(fmt::format("at most {}", *max));
  if (present) said.emplace_back(*present ? "there" : "not there");
  std::string text = at.empty() ? "the arguments are" : at + " is";
  for (const std::string& one : said) text += (&one == said.data() ? " " : " and ") + one;
  return text;
}

std::optional<std::vector<std::string>> PointerTokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (!pointer.empty() && pointer.front() != '/') return std::nullopt;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    const char c = pointer[i];
    if (c == '/') {
      tokens.emplace_back();
      continue;
    }
    if (c != '~') {
      tokens.back() += c;
      continue;
    }
    const char next = ++i < pointer.size() ? pointer[i] : '\0';
    if (next != '0' && next != '1') return std::nullopt;
    tokens.back() += next == '0' ? '~' : '/';
  }
  if (tokens.size() > kDeepest) return std::nullopt;
  return tokens;
}

}  // namespace switchyard::policies
