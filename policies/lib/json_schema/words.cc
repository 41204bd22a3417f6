#include "policies/lib/json_schema/words.h"

#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mcp/json_string.h"
#include "policies/lib/json_schema/problem.h"

namespace switchyard::json_schema {
namespace {

using Kind = JsonDoc::Kind;

constexpr std::size_t kListed = 8;

// No longer than `longest` bytes, and no code point in two.
std::string_view Cut(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string Join(const std::vector<std::string>& words, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last : std::string_view(", ");
    out += words[i];
  }
  return out;
}

std::string MembersOf(const JsonDoc& doc, std::uint32_t object) {
  std::string scratch;
  std::vector<std::string> names;
  const std::uint32_t count = doc[object].count;
  for (std::uint32_t i = object + 1; i < doc[object].after; i = doc[i + 1].after) {
    if (names.size() == kListed) {
      names.push_back(fmt::format("{} more", count - kListed));
      break;
    }
    names.push_back(Quoted(doc.Text(i, scratch), 40));
  }
  return fmt::format("an object with the member{} {}", count == 1 ? "" : "s", Join(names, " and "));
}

}  // namespace

std::string Quoted(std::string_view text, std::size_t longest) {
  const std::string_view cut = Cut(text, longest);
  return cut.size() == text.size() ? mcp::Quote(text) : mcp::Quote(std::string(cut) + "...");
}

std::string Describe(const JsonDoc& doc, std::uint32_t value) {
  std::string scratch;
  const std::uint32_t count = doc[value].count;
  switch (doc[value].kind) {
    case Kind::kNull: return "null";
    case Kind::kTrue: return "true";
    case Kind::kFalse: return "false";
    case Kind::kNumber: return fmt::format("the number {}", Cut(doc.Raw(value), 40));
    case Kind::kString: return "the string " + Quoted(doc.Text(value, scratch));
    case Kind::kArray:
      return count == 0 ? "an empty array"
                        : fmt::format("an array of {} item{}", count, count == 1 ? "" : "s");
    case Kind::kObject: return count == 0 ? "an empty object" : MembersOf(doc, value);
  }
  return {};
}

std::string TypeWords(std::uint8_t types) {
  constexpr std::array<std::pair<std::uint8_t, std::string_view>, 7> kWords = {{
      {kStringType, "a string"},
      {kIntegerType, "an integer"},
      {kNumberType, "a number"},
      {kBooleanType, "true or false"},
      {kArrayType, "an array"},
      {kObjectType, "an object"},
      {kNullType, "null"},
  }};
  std::vector<std::string> words;
  for (const auto& [bit, word] : kWords) {
    if ((types & bit) != 0) words.emplace_back(word);
  }
  return Join(words, " or ");
}

std::string ValueWords(const JsonDoc& schema, std::span<const std::uint32_t> values) {
  std::vector<std::string> words;
  for (const std::uint32_t value : values) {
    if (words.size() == 2 * kListed) {
      words.push_back(fmt::format("{} more", values.size() - words.size()));
      break;
    }
    const std::string_view raw = schema.Raw(value);
    words.push_back(raw.size() <= 60 ? std::string(raw) : std::string(Cut(raw, 60)) + "...");
  }
  if (words.size() == 1) return words.front();
  return words.empty() ? "nothing" : "one of " + Join(words, ", ");
}

std::string CountWords(const Bounds& bounds, std::string_view thing) {
  const auto things = [&](std::uint64_t count) {
    return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
  };
  if (bounds.min == bounds.max) return "exactly " + things(bounds.min);
  if (bounds.max == Bounds::kNoLimit) return "at least " + things(bounds.min);
  if (bounds.min == 0) return "at most " + things(bounds.max);
  return fmt::format("{} to {}", bounds.min, things(bounds.max));
}

std::string KnownNames(const ObjectRules& rules) {
  std::vector<std::string> names;
  std::size_t more = 0;
  for (const ObjectRules::Name& name : rules.names) {
    if (!name.property) continue;
    names.size() < 2 * kListed ? names.push_back(Quoted(name.key, 40)) : void(++more);
  }
  if (more > 0) names.push_back(fmt::format("{} more", more));
  return names.empty() ? "none" : Join(names, " and ");
}

std::string Problem::ToSentence(const std::string& whole) const {
  return fmt::format("{}: expected {}, got {}", pointer.empty() ? whole : pointer, expected, got);
}

}  // namespace switchyard::json_schema
