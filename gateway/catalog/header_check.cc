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

const std::string* Sent(const Call& call, std::string_view name) {
  for (const auto& [sent, value] : call.header_params.sent) {
    if (boost::algorithm::iequals(sent, name)) return &value;
  }
  return nullptr;
}

Result<void> CheckOne(const Call& call, std::string_view name, std::string_view argument) {
  const std::string* sent = Sent(call, name);
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
