#include "downstream/param_headers.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <boost/algorithm/string/predicate.hpp>

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

std::string OtherParamHeaders(std::string_view tool, const HeaderParams& sent) {
  std::string lines;
  if (sent.sent.empty()) return lines;
  const std::vector<std::string> marked = mcp::MarkedHeaders(tool);
  for (const auto& [name, value] : sent.sent) {
    const std::string header = "Mcp-Param-" + name;
    const bool ours = std::ranges::any_of(marked, [&header](const std::string& mark) {
      return boost::algorithm::iequals(mark, header);
    });
    const bool fits = lines.size() + header.size() + value.size() < kMaxForwarded;
    if (!ours && fits) lines.append(header).append(": ").append(value).append("\r\n");
  }
  return lines;
}

}  // namespace switchyard::downstream
