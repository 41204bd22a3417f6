#include "auth/claim_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include <boost/json/array.hpp>

namespace switchyard::auth {
namespace {

namespace json = boost::json;

struct Range {
  std::uint32_t first, last;
};
// Controls, and what is not seen or turns the direction of writing: a name with them reads in a log
// or on an approval page like that of somebody else.
constexpr std::array<Range, 9> kInvisible{{{0x00, 0x1F},
                                           {0x7F, 0x9F},
                                           {0xAD, 0xAD},
                                           {0x61C, 0x61C},
                                           {0x200B, 0x200F},
                                           {0x2028, 0x202E},
                                           {0x2060, 0x206F},
                                           {0xFEFF, 0xFEFF},
                                           {0xE0000, 0xE007F}}};

// Of text that is UTF-8, as the reader of the JSON has seen to.
std::uint32_t CodePointAt(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t first = byte(at);
  const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t point = size == 1 ? first : first & (0x7FU >> size);
  for (std::size_t i = 1; i < size && at + i < text.size(); ++i) {
    point = (point << 6) | (byte(at + i) & 0x3FU);
  }
  at += size;
  return point;
}

bool HasInvisible(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t point = CodePointAt(text, at);
    if (std::ranges::any_of(kInvisible,
                            [point](Range r) { return point >= r.first && point <= r.last; })) {
      return true;
    }
  }
  return false;
}

std::unexpected<Refusal> Wrong(std::string_view claim, std::string_view what) {
  return Refuse(Reason::kClaims, std::string(claim).append(" ").append(what));
}

bool IsScope(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
}

}  // namespace

const json::value* ClaimAt(const json::object& claims, std::string_view path) {
  if (const json::value* value = claims.if_contains(path)) return value;
  // The longest name first.
  for (std::size_t dot = path.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const json::value* outer = claims.if_contains(path.substr(0, dot));
    const json::object* object = outer == nullptr ? nullptr : outer->if_object();
    if (object == nullptr) continue;
    if (const json::value* value = ClaimAt(*object, path.substr(dot + 1))) return value;
  }
  return nullptr;
}

Verdict<std::string> NameIn(const json::value& value, std::string_view claim) {
  const json::string* text = value.if_string();
  if (text == nullptr) return Wrong(claim, "is not a text");
  if (text->empty()) return Wrong(claim, "is empty");
  if (text->size() > kMaxName) {
    return Refuse(Reason::kTooLarge, std::string(claim) + " has " + std::to_string(text->size()) +
                                         " bytes, at most " + std::to_string(kMaxName));
  }
  if (HasInvisible(*text)) return Wrong(claim, "has invisible characters");
  return std::string(*text);
}

Verdict<std::vector<std::string>> NamesIn(const json::value& value, std::string_view claim) {
  std::vector<std::string> names;
  const json::array* list = value.if_array();
  if (list == nullptr) {
    Verdict<std::string> name = NameIn(value, claim);
    if (!name) return std::unexpected(std::move(name.error()));
    names.push_back(std::move(*name));
    return names;
  }
  if (list->size() > kMaxNames) {
    return Refuse(Reason::kTooLarge, std::string(claim) + " has " + std::to_string(list->size()) +
                                         " entries, at most " + std::to_string(kMaxNames));
  }
  names.reserve(list->size());
  for (const json::value& one : *list) {
    Verdict<std::string> name = NameIn(one, "an entry of " + std::string(claim));
    if (!name) return std::unexpected(std::move(name.error()));
    names.push_back(std::move(*name));
  }
  return names;
}

Verdict<std::vector<std::string>> ScopesIn(const json::value& value, std::string_view claim) {
  std::vector<std::string> scopes;
  if (const json::string* text = value.if_string()) {
    std::string_view rest(*text);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      if (end > 0) scopes.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  } else if (const json::array* list = value.if_array()) {
    for (const json::value& one : *list) {
      if (!one.is_string()) return Wrong(claim, "has an entry that is not a text");
      scopes.emplace_back(one.get_string());
    }
  } else {
    return Wrong(claim, "is neither a text nor an array");
  }
  if (scopes.size() > kMaxNames) {
    return Refuse(Reason::kTooLarge, std::string(claim) + " has " + std::to_string(scopes.size()) +
                                         " entries, at most " + std::to_string(kMaxNames));
  }
  if (!std::ranges::all_of(scopes, IsScope)) return Wrong(claim, "has what is not a scope");
  std::vector<std::string> once;
  for (std::string& scope : scopes) {
    if (std::ranges::find(once, scope) == once.end()) once.push_back(std::move(scope));
  }
  return once;
}

Verdict<std::optional<double>> SecondsIn(const json::object& claims, std::string_view claim) {
  const json::value* value = claims.if_contains(claim);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) return Wrong(claim, "is not a number");
  const auto seconds = value->to_number<double>();
  if (!std::isfinite(seconds)) return Wrong(claim, "is not a finite number");
  return seconds;
}

}  // namespace switchyard::auth
