// A JSON-RPC batch cut into its messages. Only 2025-03-26 has them (basic/index of that revision).
// Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace switchyard::edge {

inline constexpr std::size_t kMaxBatch = 64;

bool IsBatch(std::string_view body);

// The text of each element, at least one; what they say is not looked at. The Error has a JSON-RPC
// code: not JSON, nothing in it, too many.
Result<std::vector<std::string>> SplitBatch(const std::string& body);

}  // namespace switchyard::edge
