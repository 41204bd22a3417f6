#include "catalog/header_check.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/algorithm/string/predicate.hpp>

#include "catalog/header_params.h"
#include "catalog/scan.h"
#include "mcp/error_map.h"
#include "mcp/header_value.h"

namespace switchyard::catalog {
namespace {

constexpr std::string_view kMark = "x-mcp-header";
constexpr int kMaxDepth = 32;

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

// `arguments`: the raw object that the schema describes, "" = absent.
Result<void> Walk(const Call& call, std::string_view schema, std::string_view arguments,
                  int depth) {
  const std::optional<Fields> fields = MembersOf(schema);
  const Field* properties = fields ? Find(*fields, "properties") : nullptr;
  const std::optional<Fields> list =
      properties != nullptr ? MembersOf(properties->value) : std::nullopt;
  if (!list || depth == kMaxDepth) return {};
  const std::optional<Fields> given = MembersOf(arguments);
  for (const Field& property : *list) {
    const Field* argument = given ? Find(*given, property.key) : nullptr;
    const std::string_view value = argument != nullptr ? argument->value : std::string_view();
    const std::optional<Fields> own = MembersOf(property.value);
    const Field* mark = own ? Find(*own, kMark) : nullptr;
    const std::optional<std::string> name = mark ? mcp::Unquote(mark->value) : std::nullopt;
    Result<void> checked =
        name ? CheckOne(call, *name, value) : Walk(call, property.value, value, depth + 1);
    if (!checked) return checked;
  }
  return {};
}

}  // namespace

Result<void> CheckHeaderParams(const Call& call) {
  const std::string& tool = call.target.definition->json;
  if (!MayHaveHeaderParams(tool)) return {};
  const std::optional<Fields> fields = MembersOf(tool);
  const Field* schema = fields ? Find(*fields, "inputSchema") : nullptr;
  if (schema == nullptr) return {};
  return Walk(call, schema->value, call.message.Get(mcp::Key::kArguments), 0);
}

}  // namespace switchyard::catalog
