#include "policies/lib/result_block.h"

#include <array>
#include <cctype>
#include <cstddef>

#include <fmt/format.h>

#include "mcp/json_string.h"
#include "mcp/scan.h"

namespace switchyard {
namespace {

using mcp::Field;
using mcp::Fields;

// What stands beside a text in its block goes with its first page.
constexpr std::size_t kMaxBeside = 1024;
constexpr std::size_t kMaxWord = 80;

std::string Word(const Fields& fields, std::string_view key) {
  const Field* field = mcp::Find(fields, key);
  if (field == nullptr || !mcp::IsString(field->value)) return "";
  std::string word = TextOfString(field->value);
  if (word.size() <= kMaxWord) return word;
  std::size_t cut = kMaxWord;
  while (cut > 0 && (static_cast<unsigned char>(word[cut]) & 0xC0U) == 0x80U) --cut;
  return word.substr(0, cut) + "\u2026";
}

bool IsHalf(std::string_view escape, bool first) {
  if (escape.size() < 6 || !escape.starts_with("\\u") || (escape[2] | 0x20) != 'd') return false;
  const char digit = static_cast<char>(escape[3] | 0x20);
  const bool high = digit == '8' || digit == '9' || digit == 'a' || digit == 'b';
  return first ? high : digit >= 'c' && digit <= 'f';
}

std::size_t SkipSpace(std::string_view text, std::size_t at) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
    ++at;
  }
  return at;
}

}  // namespace

std::string_view TypeOf(std::string_view block) {
  const std::optional<Fields> fields = mcp::MembersOf(block);
  const Field* type = fields ? mcp::Find(*fields, "type") : nullptr;
  return type != nullptr ? type->value : std::string_view();
}

bool IsBinary(std::string_view block) {
  const std::string_view type = TypeOf(block);
  return type == R"("image")" || type == R"("audio")";
}

std::optional<BlockText> TextOf(std::string_view block) {
  const std::optional<Fields> fields = mcp::MembersOf(block);
  if (!fields || !mcp::DuplicateKey(*fields).empty()) return std::nullopt;
  const std::string type = Word(*fields, "type");
  std::optional<Fields> inner;
  if (type == "resource") {
    const Field* resource = mcp::Find(*fields, "resource");
    if (resource == nullptr || !mcp::IsObject(resource->value)) return std::nullopt;
    inner = mcp::MembersOf(resource->value);
    if (!inner || !mcp::DuplicateKey(*inner).empty()) return std::nullopt;
  } else if (type != "text") {
    return std::nullopt;
  }
  const Field* text = mcp::Find(inner ? *inner : *fields, "text");
  if (text == nullptr || !mcp::IsString(text->value)) return std::nullopt;
  if (block.size() - text->value.size() > kMaxBeside) return std::nullopt;
  return BlockText{.raw = text->value, .text = TextOfString(text->value)};
}

std::string WithText(std::string_view block, const BlockText& own, std::string_view text) {
  const auto at = static_cast<std::size_t>(own.raw.data() - block.data());
  return std::string(block.substr(0, at))
      .append(mcp::Quote(text))
      .append(block.substr(at + own.raw.size()));
}

std::string TextBlock(std::string_view text) {
  return R"({"type":"text","text":)" + mcp::Quote(text) + "}";
}

std::string Describe(std::string_view block) {
  const std::optional<Fields> fields = mcp::MembersOf(block);
  if (!fields) return "unreadable block";
  std::string words = Word(*fields, "type");
  if (words.empty()) words = "block";
  const Fields* holder = &*fields;
  std::optional<Fields> inner;
  const Field* resource = mcp::Find(*fields, "resource");
  if (resource != nullptr) inner = mcp::MembersOf(resource->value);
  if (inner) holder = &*inner;
  for (const std::string_view key : {"name", "uri", "mimeType"}) {
    if (const std::string word = Word(*holder, key); !word.empty()) words.append(", ").append(word);
  }
  std::size_t bytes = block.size();
  for (const std::string_view key : {"data", "blob"}) {
    // In base64.
    if (const Field* data = mcp::Find(*holder, key)) bytes = data->value.size() / 4 * 3;
  }
  return words.append(", ").append(ShortBytes(bytes));
}

std::string TextOfString(std::string_view raw) {
  if (std::optional<std::string> text = mcp::Unquote(raw)) return std::move(*text);
  std::string mended;
  for (std::size_t at = 0; at < raw.size();) {
    const std::string_view rest = raw.substr(at);
    std::size_t length = rest.front() == '\\' ? 2 : 1;
    const bool first = IsHalf(rest, true);
    if (first && IsHalf(rest.substr(6), false)) {
      length = 12;
    } else if (first || IsHalf(rest, false)) {
      mended += "\\ufffd";
      at += 6;
      continue;
    }
    mended.append(rest.substr(0, length));
    at += std::min(length, rest.size());
  }
  return mcp::Unquote(mended).value_or(std::string());
}

std::string ShortBytes(std::size_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  constexpr std::array<std::string_view, 3> kUnits = {"KiB", "MiB", "GiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

bool SameJson(std::string_view a, std::string_view b) {
  std::size_t i = SkipSpace(a, 0), j = SkipSpace(b, 0);
  bool in_string = false, escaped = false;
  while (i < a.size() && j < b.size()) {
    if (a[i] != b[j]) return false;
    const char c = a[i];
    if (in_string && !escaped && c == '"') {
      in_string = false;
    } else if (!in_string && c == '"') {
      in_string = true;
      escaped = false;
      ++i;
      ++j;
      continue;
    }
    escaped = in_string && !escaped && c == '\\';
    ++i;
    ++j;
    if (in_string) continue;
    i = SkipSpace(a, i);
    j = SkipSpace(b, j);
  }
  return i == a.size() && j == b.size();
}

}  // namespace switchyard
