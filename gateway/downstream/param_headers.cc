#include "downstream/param_headers.h"

#include <optional>

#include "mcp/header_value.h"
#include "mcp/param_marks.h"

namespace switchyard::downstream {

std::string ParamHeaders(std::string_view tool, std::string_view arguments) {
  std::string lines;
  for (const mcp::MarkedArgument& marked : mcp::MarkedArguments(tool, arguments)) {
    const std::optional<std::string> value = mcp::HeaderValueFor(marked.value);
    if (value) lines.append(marked.header).append(": ").append(*value).append("\r\n");
  }
  return lines;
}

}  // namespace switchyard::downstream
