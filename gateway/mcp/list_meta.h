// What the gateway says of a list in its `_meta`: for those who write it and the subcommands that
// read it.
#pragma once

#include <string_view>

namespace switchyard::mcp {

inline constexpr std::string_view kListServers = "switchyard/servers";  // of each item, in order
// Servers that are not in it.
inline constexpr std::string_view kListMissing = "switchyard/missing";
// What circuit breakers refuse at present.
inline constexpr std::string_view kListOutages = "switchyard/outages";

}  // namespace switchyard::mcp
