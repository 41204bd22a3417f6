#include "policies/lib/json_schema/ecma_regex.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>
#include <re2/re2.h>
#include <utility>

#include <fmt/format.h>

namespace switchyard::json_schema {
namespace {

// What a pattern may take of memory: program and the cache of its states.
constexpr std::int64_t kMaxMemory = 1 << 20;

// ECMA-262's \s and its complement as the inside of a class; RE2's \s is ASCII alone.
constexpr std::string_view kSpace =
    R"(\t\n\x{b}\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view kNoSpace =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";
constexpr std::string_view kAny = R"([\x{0}-\x{10ffff}])";
constexpr std::string_view kNone = R"([^\x{0}-\x{10ffff}])";

// General categories have long names, too.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kCategories = {{
    {"Letter", "L"},
    {"Lowercase_Letter", "Ll"},
    {"Uppercase_Letter", "Lu"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Separator", "Z"},
    {"Other", "C"},
}};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  std::expected<std::string, std::string> Run() {
    while (at_ < in_.size() && problem_.empty()) Next();
    if (!problem_.empty()) return std::unexpected(problem_);
    return std::move(out_);
  }

 private:
  bool Here(std::string_view text) const { return in_.substr(at_).starts_with(text); }
  void Take(std::string_view given, std::string_view made) {
    at_ += given.size();
    out_ += made;
  }

  void Next() {
    const char c = in_[at_];
    if (c == '\\') return Escape(false);
    if (c == '[') return Class();
    if (c == '.') return Take(".", R"([^\n\r\x{2028}\x{2029}])");
    if (Here("(?=") || Here("(?!") || Here("(?<=") || Here("(?<!")) {
      problem_ = kLooksAround;
      return;
    }
    if (Here("(?<")) {
      const std::size_t end = in_.find('>', at_);
      if (end == std::string_view::npos) {
        problem_ = "a group's name does not end";
        return;
      }
      return Take(in_.substr(at_, end + 1 - at_), "(");
    }
    Take(in_.substr(at_, 1), in_.substr(at_, 1));
  }

  void Class() {
    if (Here("[^]")) return Take("[^]", kAny);
    if (Here("[]")) return Take("[]", kNone);
    Here("[^") ? Take("[^", "[^") : Take("[", "[");
    while (at_ < in_.size() && in_[at_] != ']' && problem_.empty()) {
      if (in_[at_] == '\\') {
        Escape(true);
      } else if (in_[at_] == '[') {  // would begin a POSIX class
        Take("[", R"(\[)");
      } else {
        Take(in_.substr(at_, 1), in_.substr(at_, 1));
      }
    }
    if (at_ == in_.size()) {
      problem_ = "a class does not end";
    } else if (problem_.empty()) {
      Take("]", "]");
    }
  }

  void Escape(bool in_class) {
    if (at_ + 1 == in_.size()) {
      problem_ = "it ends with a backslash";
      return;
    }
    const char c = in_[at_ + 1];
    const std::string_view whole = in_.substr(at_, 2);
    const auto space = [&](std::string_view inside) {
      Take(whole, in_class ? std::string(inside) : fmt::format("[{}]", inside));
    };
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 'n':
      case 'r':
      case 't':
      case 'f': return Take(whole, whole);
      case 's': return space(kSpace);
      case 'S': return space(kNoSpace);
      case 'v': return Take(whole, R"(\x{b})");
      case 'b': return Take(whole, in_class ? R"(\x{8})" : R"(\b)");
      case 'B':
        if (!in_class) return Take(whole, whole);
        break;
      case 'c': return Control();
      case 'x': return Hex(2, 2);
      case 'u': return Unicode();
      case 'p':
      case 'P': return Property(c);
      case '0':
        if (at_ + 2 == in_.size() || !IsDigit(in_[at_ + 2])) return Take(whole, R"(\x{0})");
        break;
      default: break;
    }
    if (IsDigit(c) || (c == 'k' && !in_class)) {
      problem_ = kRefersBack;
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0) {
      problem_ = fmt::format("it has the unknown escape {}", whole);
    } else {
      Take(whole, c == '_' ? "_" : whole);
    }
  }

  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  void Control() {
    const char letter = at_ + 2 < in_.size() ? in_[at_ + 2] : '\0';
    if (std::isalpha(static_cast<unsigned char>(letter)) == 0) {
      problem_ = "it has the unknown escape \\c";
      return;
    }
    Take(in_.substr(at_, 3), fmt::format("\\x{{{:x}}}", letter & 0x1F));
  }

  std::optional<unsigned> HexAt(std::size_t at, std::size_t digits) const {
    if (digits == 0 || at + digits > in_.size()) return std::nullopt;
    unsigned code = 0;
    const char* const end = in_.data() + at + digits;
    const auto [stopped, error] = std::from_chars(in_.data() + at, end, code, 16);
    if (error != std::errc() || stopped != end) return std::nullopt;
    return code;
  }

  // The escape's digits stand `before` bytes behind at_.
  void Hex(std::size_t before, std::size_t digits, std::size_t behind = 0) {
    const std::optional<unsigned> code = HexAt(at_ + before, digits);
    if (!code || *code > 0x10FFFF) {
      problem_ = "it has a broken escape";
      return;
    }
    Take(in_.substr(at_, before + digits + behind), fmt::format("\\x{{{:x}}}", *code));
  }

  void Unicode() {
    if (Here("\\u{")) {
      const std::size_t end = std::min(in_.find('}', at_), in_.size());
      return Hex(3, end - at_ - 3, 1);
    }
    const std::optional<unsigned> high = HexAt(at_ + 2, 4), low = HexAt(at_ + 8, 4);
    const bool pair = high && low && in_.substr(at_ + 6).starts_with("\\u") &&
                      (*high & 0xFC00) == 0xD800 && (*low & 0xFC00) == 0xDC00;
    if (!pair) return Hex(2, 4);
    const unsigned code = 0x10000 + ((*high & 0x3FF) << 10) + (*low & 0x3FF);
    Take(in_.substr(at_, 12), fmt::format("\\x{{{:x}}}", code));
  }

  void Property(char c) {
    const std::size_t end = in_.find('}', at_);
    if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || end == std::string_view::npos) {
      problem_ = "it has a broken escape";
      return;
    }
    std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    for (const std::string_view kind : {"Script=", "sc=", "General_Category=", "gc="}) {
      if (name.starts_with(kind)) name.remove_prefix(kind.size());
    }
    const auto known =
        std::ranges::find(kCategories, name, &std::pair<std::string_view, std::string_view>::first);
    if (known != kCategories.end()) name = known->second;
    Take(in_.substr(at_, end + 1 - at_), fmt::format("\\{}{{{}}}", c, name));
  }

  const std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  std::string problem_;
};

}  // namespace

std::expected<std::string, std::string> ToRe2(std::string_view pattern) {
  return Translator(pattern).Run();
}

std::expected<std::shared_ptr<const re2::RE2>, std::string> CompilePattern(
    std::string_view pattern) {
  if (pattern.size() > kMaxPattern) {
    return std::unexpected(fmt::format("it has more than {} bytes", kMaxPattern));
  }
  const std::expected<std::string, std::string> text = ToRe2(pattern);
  if (!text) return std::unexpected(text.error());
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMaxMemory);
  auto compiled = std::make_shared<const re2::RE2>(*text, options);
  if (!compiled->ok()) return std::unexpected(compiled->error());
  return compiled;
}

bool Finds(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

}  // namespace switchyard::json_schema
