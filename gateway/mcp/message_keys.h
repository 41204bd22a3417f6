// The names of the members that the gateway reads, found by hash. Constant tables.
#pragma once

#include <optional>
#include <string_view>

#include "mcp/message.h"

namespace switchyard::mcp {

// Members of the message itself.
enum class TopKey : std::uint8_t { kJsonRpc, kId, kMethod, kParams, kResult, kError, kCount };

std::optional<TopKey> FindTopKey(std::string_view name);
std::optional<Key> FindKey(std::string_view name);
std::optional<MetaKey> FindMetaKey(std::string_view name);

std::string_view ToString(TopKey key);
std::string_view ToString(Key key);
std::string_view ToString(MetaKey key);

// `name` as a reader that ignores case compares it (Go's encoding/json: ASCII letters, and the two
// other letters whose simple fold is ASCII). "" when it is longer than any name here.
std::string FoldKey(std::string_view name);
// Whether such a reader takes the two for one, however long they are.
bool AreFoldedAlike(std::string_view one, std::string_view other);
// Whether a folded name is that of a known member of the message, or of params and result.
bool IsFoldedTopKey(std::string_view folded);
bool IsFoldedKey(std::string_view folded);

}  // namespace switchyard::mcp
