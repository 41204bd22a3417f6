// The arguments that a tool's schema wants mirrored in Mcp-Param-* headers: those marked with
// "x-mcp-header" (basic/transports/streamable-http). Whether the marks are legal is the catalog's
// question: a tool with an illegal one is not offered. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace switchyard::mcp {

// Cheap: false means that the definition of a tool (its raw JSON) marks none.
bool MayMarkParams(std::string_view tool);

// "Mcp-Param-" and what the schema says, of each mark.
std::vector<std::string> MarkedHeaders(std::string_view tool);

struct MarkedArgument {
  std::string header;  // "Mcp-Param-" and what the schema says
  std::string value;   // raw JSON of the argument
};

// The marked ones among `arguments` (raw JSON object or ""), in the order of the schema.
std::vector<MarkedArgument> MarkedArguments(std::string_view tool, std::string_view arguments);

}  // namespace switchyard::mcp
