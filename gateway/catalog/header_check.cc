#include "catalog/header_check.h"

#include <string>
#include <string_view>

#include <boost/algorithm/string/predicate.hpp>

#include "mcp/error_map.h"
#include "mcp/header_value.h"
#include "mcp/param_marks.h"

namespace switchyard::catalog {
namespace {

std::unexpected<Error> Mismatch(std::string_view header, std::string_view what) {
  return Failure(Error{.code = Code::kInvalid,
                       .origin = Origin::kClient,
                       .message = std::string("header Mcp-Param-").append(header).append(what),
                       .rpc_code = mcp::kHeaderMismatch});
}

struct Sent {
  const std::string* value = nullptr;  // null = not at all
  int count = 0;
};

Sent FindSent(const Call& call, std::string_view name) {
  Sent found;
  for (const auto& [sent, value] : call.header_params.sent) {
    if (!boost::algorithm::iequals(sent, name)) continue;
    if (found.count++ == 0) found.value = &value;
  }
  return found;
}

Result<void> CheckOne(const Call& call, std::string_view name, std::string_view argument) {
  const auto [sent, count] = FindSent(call, name);
  if (count > 1) return Mismatch(name, " is there more than once");
  const bool due = !argument.empty() && argument != "null";
  if (!due) {
    if (sent != nullptr) return Mismatch(name, " mirrors an argument that is not there");
    return {};
  }
  // What no header can carry is the server's to judge.
  if (sent == nullptr && !mcp::HeaderValueFor(argument)) return {};
  if (sent == nullptr) return Mismatch(name, " is missing");
  if (!mcp::HeaderMatches(*sent, argument)) return Mismatch(name, " differs from the body");
  return {};
}

}  // namespace

Result<void> CheckHeaderParams(const Call& call) {
  const std::string_view arguments = call.message.Get(mcp::Key::kArguments);
  for (const mcp::ParamMark& mark : call.target.definition->param_marks) {
    Result<void> checked = CheckOne(call, mark.header, mcp::MarkedArgument(mark, arguments));
    if (!checked) return checked;
  }
  return {};
}

}  // namespace switchyard::catalog
