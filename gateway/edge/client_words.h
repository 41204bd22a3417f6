// What clients say of themselves and of what they want, checked. The same in both eras.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mcp/message.h"

namespace switchyard::edge {

// What an Implementation object calls itself, for logs: at most 64 bytes of valid UTF-8, "" = no
// name.
std::string ClientName(std::string_view raw_info);

// The raw progress token of a request, "" = none. Only strings and numbers are tokens.
std::string ProgressToken(const mcp::Message& request);

// The result of a tools/call that failed, JSON.
std::string ToolError(std::string_view text);

// Severity of a level of RFC 5424, 0 = debug; nullopt = no such level.
std::optional<int> LogRank(std::string_view level);
Error UnknownLogLevel(std::string_view level);

}  // namespace switchyard::edge
