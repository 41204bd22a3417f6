#include "mcp/json_tokens.h"

#include <array>
#include <bitset>
#include <utility>

#include <simdjson.h>

namespace switchyard::mcp {
namespace {

using Parser = simdjson::internal::dom_parser_implementation;

// What a thread keeps between messages is about four times this.
constexpr std::size_t kKeptCapacity = std::size_t{256} << 10;

std::unique_ptr<Parser> MakeParser(std::size_t capacity) {
  std::unique_ptr<Parser> parser;
  const auto failed = simdjson::get_active_implementation()->create_dom_parser_implementation(
      capacity, /*max_depth=*/1, parser);
  return failed ? nullptr : std::move(parser);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::size_t SkipDigits(std::string_view text, std::size_t at) {
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at;
}

// The end of the integer at the start of `raw`, 0 = none.
std::size_t IntegerEnd(std::string_view raw) {
  const std::size_t first = raw.starts_with('-') ? 1 : 0;
  if (first == raw.size() || !IsDigit(raw[first])) return 0;
  return raw[first] == '0' ? first + 1 : SkipDigits(raw, first);
}

bool IsScalar(std::string_view raw, bool check_escapes) {
  switch (raw.front()) {
    case '"': return !check_escapes || HasValidEscapes(raw);
    case 't': return raw == "true";
    case 'f': return raw == "false";
    case 'n': return raw == "null";
    default: return IsJsonNumber(raw);
  }
}

// The grammar as a machine: what may come next.
enum class Want : std::uint8_t { kValue, kValueOrEnd, kKey, kKeyOrEnd, kCommaOrEnd };

}  // namespace

JsonTokens::JsonTokens(JsonTokens&&) noexcept = default;
JsonTokens::~JsonTokens() = default;

std::expected<JsonTokens, std::string_view> JsonTokens::Find(std::string_view text) {
  using simdjson::error_code;
  static thread_local const std::unique_ptr<Parser> kept = MakeParser(kKeptCapacity);
  JsonTokens tokens;
  Parser* parser = kept.get();
  if (text.size() > kKeptCapacity) {
    tokens.big_ = MakeParser(text.size());
    parser = tokens.big_.get();
  }
  if (parser == nullptr) return std::unexpected("out of memory");
  const error_code error = parser->stage1(reinterpret_cast<const std::uint8_t*>(text.data()),
                                          text.size(), simdjson::stage1_mode::regular);
  switch (error) {
    case error_code::SUCCESS: break;
    case error_code::UTF8_ERROR: return std::unexpected("invalid UTF-8");
    case error_code::UNCLOSED_STRING: return std::unexpected("a string does not end");
    case error_code::UNESCAPED_CHARS: return std::unexpected("a control character in a string");
    case error_code::EMPTY: return std::unexpected("no content");
    default: return std::unexpected("unreadable");
  }
  tokens.text_ = text.data();
  tokens.begins_ = parser->structural_indexes.get();
  tokens.size_ = parser->n_structural_indexes;
  return tokens;
}

std::size_t JsonTokens::Skip(std::size_t i, int max_depth) const {
  // +1 opens, -1 closes, 2 may not start a value.
  static constexpr auto kStep = [] {
    std::array<signed char, 256> steps{};
    steps['{'] = steps['['] = 1;
    steps['}'] = steps[']'] = -1;
    steps[':'] = steps[','] = 2;
    return steps;
  }();
  if (i >= size_) return 0;
  const signed char first = kStep[static_cast<unsigned char>(at(i))];
  if (first == 0) return i + 1;
  if (first != 1) return 0;
  int depth = 1;
  while (++i < size_) {
    const signed char step = kStep[static_cast<unsigned char>(at(i))];
    if (step == 1 && ++depth > max_depth) return 0;
    if (step == -1 && --depth == 0) return i + 1;
  }
  return 0;
}

std::size_t JsonTokens::FindFault(std::size_t max_depth, bool& depth_exceeded) const {
  static constexpr std::size_t kDepthLimit = 1024;
  std::bitset<kDepthLimit> in_object;
  std::size_t depth = 0;
  depth_exceeded = false;
  const bool check_escapes =
      std::string_view(text_, begins_[size_]).find('\\') != std::string_view::npos;
  Want want = Want::kValue;
  for (std::size_t i = 0; i < size_; ++i) {
    const char c = at(i);
    const bool ends = (c == '}' || c == ']') && want != Want::kValue && want != Want::kKey;
    if (ends) {
      if (depth == 0 || in_object[depth - 1] != (c == '}')) return begin(i);
      --depth;
      want = Want::kCommaOrEnd;
    } else if (want == Want::kCommaOrEnd) {
      if (c != ',' || depth == 0) return begin(i);
      want = in_object[depth - 1] ? Want::kKey : Want::kValue;
    } else if (want == Want::kKey || want == Want::kKeyOrEnd) {
      if (c != '"' || i + 1 == size_ || at(i + 1) != ':') return begin(i);
      const std::uint32_t end = EndBefore(i + 1);
      if (check_escapes && !HasValidEscapes({text_ + begin(i), end - begin(i)})) return begin(i);
      ++i;
      want = Want::kValue;
    } else if (c == '{' || c == '[') {
      depth_exceeded = depth == std::min(max_depth, kDepthLimit);
      if (depth_exceeded) return begin(i);
      in_object[depth++] = c == '{';
      want = c == '{' ? Want::kKeyOrEnd : Want::kValueOrEnd;
    } else {
      const std::string_view raw(text_ + begin(i), EndBefore(i + 1) - begin(i));
      if (!IsScalar(raw, check_escapes)) return begin(i);
      want = Want::kCommaOrEnd;
    }
  }
  return depth == 0 && want == Want::kCommaOrEnd ? kNoFault : begins_[size_];
}

bool IsJsonInteger(std::string_view raw) { return !raw.empty() && IntegerEnd(raw) == raw.size(); }

bool IsJsonNumber(std::string_view raw) {
  std::size_t at = IntegerEnd(raw);
  if (at == 0) return false;
  if (at < raw.size() && raw[at] == '.') {
    const std::size_t end = SkipDigits(raw, at + 1);
    if (end == at + 1) return false;
    at = end;
  }
  if (at < raw.size() && (raw[at] == 'e' || raw[at] == 'E')) {
    ++at;
    if (at < raw.size() && (raw[at] == '+' || raw[at] == '-')) ++at;
    const std::size_t end = SkipDigits(raw, at);
    if (end == at) return false;
    at = end;
  }
  return at == raw.size();
}

bool HasValidEscapes(std::string_view raw) {
  for (std::size_t at = raw.find('\\'); at != std::string_view::npos; at = raw.find('\\', at)) {
    if (at + 1 >= raw.size()) return false;
    const char c = raw[at + 1];
    if (std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos) {
      at += 2;
      continue;
    }
    if (c != 'u' || raw.size() - at < 6) return false;
    for (std::size_t i = 2; i < 6; ++i) {
      if (!IsHex(raw[at + i])) return false;
    }
    at += 6;
  }
  return true;
}

}  // namespace switchyard::mcp
