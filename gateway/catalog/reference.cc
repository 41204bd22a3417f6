#include "catalog/reference.h"

#include <utility>

#include <boost/json.hpp>

#include "mcp/message_keys.h"
#include "mcp/scan.h"

namespace switchyard::catalog {

std::optional<Reference> ParseReference(std::string_view raw) {
  const std::optional<mcp::Fields> fields = mcp::MembersOf(raw);
  if (!fields || !mcp::DuplicateKey(*fields).empty()) return std::nullopt;
  for (const mcp::Field& field : *fields) {
    const std::string folded = mcp::FoldKey(field.key);
    const bool known = folded == "type" || folded == "name" || folded == "uri";
    if (known && folded != field.key) return std::nullopt;
  }
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(raw, error);
  if (error || !value.is_object()) return std::nullopt;
  Reference reference{.prompt = false, .key = {}, .object = std::move(value.as_object())};
  const boost::json::value* type = reference.object.if_contains("type");
  if (type == nullptr || !type->is_string()) return std::nullopt;
  reference.prompt = type->as_string() == "ref/prompt";
  const boost::json::value* key = reference.object.if_contains(reference.prompt ? "name" : "uri");
  if (key == nullptr || !key->is_string()) return std::nullopt;
  reference.key = std::string(key->as_string());
  return reference;
}

void RenameReference(Call& call, Reference& reference, std::string_view name) {
  reference.object[reference.prompt ? "name" : "uri"] = name;
  call.message.edits().Replace(call.message.member(mcp::Key::kRef).value,
                               boost::json::serialize(reference.object));
}

}  // namespace switchyard::catalog
