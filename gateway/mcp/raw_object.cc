#include "mcp/raw_object.h"

#include <optional>

#include "mcp/json_string.h"
#include "mcp/json_tokens.h"

namespace switchyard::mcp {
namespace {

constexpr int kMaxDepth = 1024;

}  // namespace

RawObject RawObject::Parse(std::string_view raw) {
  RawObject object;
  if (!raw.starts_with('{')) return object;
  const std::string text(raw);  // the tokens want a readable byte behind it
  const auto tokens = JsonTokens::Find(text);
  if (!tokens) return object;
  const auto piece = [&](std::size_t from, std::size_t to) {
    const std::uint32_t begin = tokens->begin(from);
    return std::string_view(text).substr(begin, tokens->EndBefore(to) - begin);
  };
  std::size_t i = 1;
  if (tokens->size() == 2 && tokens->at(1) == '}') return object;
  for (bool more = true; more;) {
    if (i + 2 >= tokens->size() || tokens->at(i) != '"') return {};
    const std::size_t next = tokens->at(i + 1) == ':' ? tokens->Skip(i + 2, kMaxDepth) : 0;
    if (next == 0 || next >= tokens->size()) return {};
    const std::optional<std::string> key = Unquote(piece(i, i + 1));
    if (!key) return {};
    if (!object.Has(*key)) object.members_.emplace_back(*key, piece(i + 2, next));
    more = tokens->at(next) == ',';
    i = more ? next + 1 : next;
  }
  return tokens->at(i) == '}' && i + 1 == tokens->size() ? std::move(object) : RawObject();
}

const std::string* RawObject::Find(std::string_view key) const {
  for (const auto& [name, value] : members_) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string_view RawObject::Get(std::string_view key) const& {
  const std::string* value = Find(key);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

std::string RawObject::GetString(std::string_view key) const {
  return Unquote(Get(key)).value_or("");
}

void RawObject::Set(std::string_view key, std::string_view raw) {
  for (auto& [name, value] : members_) {
    if (name != key) continue;
    value = raw;
    return;
  }
  members_.emplace_back(key, raw);
}

void RawObject::SetString(std::string_view key, std::string_view text) { Set(key, Quote(text)); }

void RawObject::Erase(std::string_view key) {
  std::erase_if(members_, [key](const auto& member) { return member.first == key; });
}

std::string RawObject::ToText() const {
  std::string text = "{";
  for (const auto& [name, value] : members_) {
    if (text.size() > 1) text += ',';
    text.append(Quote(name)).append(":").append(value);
  }
  return text += '}';
}

}  // namespace switchyard::mcp
