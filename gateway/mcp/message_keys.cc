#include "mcp/message_keys.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace switchyard::mcp {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(TopKey::kCount)> kTopNames = {
    "jsonrpc", "id", "method", "params", "result", "error"};

constexpr std::array<std::string_view, static_cast<std::size_t>(Key::kCount)> kNames = {
    "name",
    "uri",
    "arguments",
    "_meta",
    "cursor",
    "ref",
    "task",
    "taskId",
    "level",
    "protocolVersion",
    "capabilities",
    "clientInfo",
    "notifications",
    "requestId",
    "progressToken",
    "progress",
    "requestState",
    "inputResponses",
    "inputRequests",
    "resultType",
    "ttlMs",
    "cacheScope",
    "isError",
    "content",
    "structuredContent",
    "nextCursor",
    "tools",
    "prompts",
    "resources",
    "resourceTemplates",
    "contents",
    "serverInfo",
    "instructions",
    "supportedVersions",
    "reason",
    "context"};

constexpr std::array<std::string_view, static_cast<std::size_t>(MetaKey::kCount)> kMetaNames = {
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/logLevel",
    "progressToken",
    "io.modelcontextprotocol/subscriptionId",
    "io.modelcontextprotocol/serverInfo",
    "traceparent"};

std::string Fold(std::string_view name) {
  std::string folded;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view rest = name.substr(i);
    if (rest.starts_with("\xC5\xBF")) {  // U+017F, long s
      folded += 's';
      i += 1;
    } else if (rest.starts_with("\xE2\x84\xAA")) {  // U+212A, kelvin sign
      folded += 'k';
      i += 2;
    } else {
      const char c = name[i];
      folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
  }
  return folded;
}

constexpr std::size_t kLongestName = 64;

constexpr std::size_t Hash(std::string_view name) {
  const auto byte = [name](std::size_t i) { return static_cast<unsigned char>(name[i]); };
  return name.size() * 7 + byte(0) * 3u + byte(name.size() - 1) * 5u + byte(name.size() / 2) * 11u;
}

// Open addressing; a table never fills, so a miss ends at an empty slot.
template <std::size_t N>
struct Table {
  static constexpr std::size_t kSlots = N * 4 > 128 ? 256 : 128;
  const std::array<std::string_view, N>& names;
  std::array<std::uint8_t, kSlots> slots{};  // index + 1

  constexpr explicit Table(const std::array<std::string_view, N>& table) : names(table) {
    for (std::size_t i = 0; i < N; ++i) {
      std::size_t slot = Hash(names[i]) % kSlots;
      while (slots[slot] != 0) slot = (slot + 1) % kSlots;
      slots[slot] = static_cast<std::uint8_t>(i + 1);
    }
  }

  template <class E>
  std::optional<E> Find(std::string_view name) const {
    if (name.empty()) return std::nullopt;
    for (std::size_t slot = Hash(name) % kSlots; slots[slot] != 0; slot = (slot + 1) % kSlots) {
      const std::size_t index = slots[slot] - 1u;
      if (names[index] == name) return static_cast<E>(index);
    }
    return std::nullopt;
  }
};

constexpr Table kTopTable(kTopNames);
constexpr Table kTable(kNames);
constexpr Table kMetaTable(kMetaNames);

template <std::size_t N>
bool AnyFoldsTo(const std::array<std::string_view, N>& names, std::string_view folded) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return FoldKey(name) == folded; });
}

}  // namespace

std::optional<TopKey> FindTopKey(std::string_view name) { return kTopTable.Find<TopKey>(name); }
std::optional<Key> FindKey(std::string_view name) { return kTable.Find<Key>(name); }
std::optional<MetaKey> FindMetaKey(std::string_view name) { return kMetaTable.Find<MetaKey>(name); }

std::string_view ToString(TopKey key) { return kTopNames[static_cast<std::size_t>(key)]; }
std::string_view ToString(Key key) { return kNames[static_cast<std::size_t>(key)]; }
std::string_view ToString(MetaKey key) { return kMetaNames[static_cast<std::size_t>(key)]; }

std::string FoldKey(std::string_view name) {
  return name.size() > kLongestName ? std::string() : Fold(name);
}

bool AreFoldedAlike(std::string_view one, std::string_view other) {
  return one == other || Fold(one) == Fold(other);
}

bool IsFoldedTopKey(std::string_view folded) { return AnyFoldsTo(kTopNames, folded); }
bool IsFoldedKey(std::string_view folded) { return AnyFoldsTo(kNames, folded); }

}  // namespace switchyard::mcp
