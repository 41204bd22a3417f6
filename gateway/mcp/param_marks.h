// `x-mcp-header` in a tool's inputSchema: the marks of the arguments that clients mirror in
// Mcp-Param-* headers (specification 2026-07-28, basic/transports/streamable-http). Read once, when
// the tool gets its Definition. Pure functions.
//
// Legal: a non-empty HTTP token, unique in the schema whatever its case, on a property of type
// integer, string or boolean that is reached from the root through `properties` only. A tool with
// another one must not be offered.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::mcp {

struct ParamMark {
  std::string header;             // as the schema writes it: what follows Mcp-Param-
  std::vector<std::string> path;  // of property names from the root
};

struct ParamMarks {
  std::vector<ParamMark> legal;        // in the order of the schema
  std::optional<std::string> problem;  // why the first of the others is illegal
};

// The text must be valid JSON.
ParamMarks FindParamMarks(std::string_view input_schema);

// The schema without its marks.
std::string WithoutParamMarks(std::string_view input_schema);

// Raw JSON of what `arguments` (a raw JSON object or "") have there; "" = nothing. Of a key that
// stands there twice the last counts, as it does for whoever reads them.
std::string_view MarkedArgument(const ParamMark& mark, std::string_view arguments);

}  // namespace switchyard::mcp
