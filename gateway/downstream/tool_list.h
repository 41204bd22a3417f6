// Cleaning of tools/list results on their way up. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::downstream {

// The array of tools (raw JSON) without `execution`, which no modern client knows; nullopt: as it
// is.
std::optional<std::string> WithoutExecution(std::string_view tools);

// The tool of this name in the array (raw JSON), verbatim.
std::optional<std::string> ToolNamed(std::string_view tools, std::string_view name);

}  // namespace switchyard::downstream
