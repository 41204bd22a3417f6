#include "downstream/param_headers.h"

#include <algorithm>
#include <optional>

#include <boost/algorithm/string/predicate.hpp>

#include "mcp/header_value.h"
#include "mcp/param_marks.h"

namespace switchyard::downstream {
namespace {

void AppendLine(std::string& lines, std::string_view header, std::string_view value) {
  lines.append("Mcp-Param-").append(header).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string ParamHeaders(const Definition& tool, std::string_view arguments) {
  std::string lines;
  for (const mcp::ParamMark& mark : tool.param_marks) {
    const std::optional<std::string> value =
        mcp::HeaderValueFor(mcp::MarkedArgument(mark, arguments));
    if (value) AppendLine(lines, mark.header, *value);
  }
  return lines;
}

std::string OtherParamHeaders(const Definition& tool, const HeaderParams& sent) {
  std::string lines;
  for (const auto& [name, value] : sent.sent) {
    const bool ours = std::ranges::any_of(tool.param_marks, [&name](const mcp::ParamMark& mark) {
      return boost::algorithm::iequals(mark.header, name);
    });
    const bool fits = lines.size() + name.size() + value.size() < kMaxForwarded;
    if (!ours && fits) AppendLine(lines, name, value);
  }
  return lines;
}

}  // namespace switchyard::downstream
