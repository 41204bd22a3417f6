// Where an endpoint is served: "/mcp" for the one without a name, "/mcp/NAME" for the others.
#pragma once

#include <string>
#include <string_view>

namespace switchyard::config {

inline std::string PathOfEndpoint(std::string_view name) {
  return name.empty() ? "/mcp" : std::string("/mcp/").append(name);
}

}  // namespace switchyard::config
