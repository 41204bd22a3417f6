// `x-mcp-header` annotations in a tool's inputSchema (specification 2026-07-28, transports/
// streamable-http): a tool with an illegal one must not be offered. Legal: a non-empty HTTP token,
// unique in the schema whatever its case, on a property of type integer, string or boolean that is
// reached from the root through `properties` only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::catalog {

// Why the annotations of this inputSchema are illegal; nullopt = they are fine or there are none.
// The text must be valid JSON.
std::optional<std::string> HeaderParamProblem(std::string_view input_schema);

// The schema without its (legal) annotations.
std::string WithoutHeaderParams(std::string_view input_schema);

// Cheap: false means that there is surely none.
bool MayHaveHeaderParams(std::string_view input_schema);

}  // namespace switchyard::catalog
