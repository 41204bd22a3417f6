#include "edge/abilities.h"

#include <boost/json.hpp>

namespace switchyard::edge {
namespace {

namespace json = boost::json;

json::object ParseObject(std::string_view raw) {
  boost::system::error_code error;
  json::value value = json::parse(raw, error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object();
}

const json::object* Member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

}  // namespace

std::string ToModernCapabilities(std::string_view legacy, mcp::Version version) {
  const json::object declared = ParseObject(legacy);
  const bool newest = version >= mcp::Version::k2025_11_25;
  json::object modern;
  if (Member(declared, "roots") != nullptr) modern["roots"] = json::object();
  if (const json::object* sampling = Member(declared, "sampling")) {
    json::object& own = modern["sampling"].emplace_object();
    for (const char* part : {"context", "tools"}) {
      if (newest && Member(*sampling, part) != nullptr) own[part] = json::object();
    }
  }
  const json::object* elicitation = Member(declared, "elicitation");
  if (elicitation != nullptr && version >= mcp::Version::k2025_06_18) {
    json::object& own = modern["elicitation"].emplace_object();
    const bool url = newest && Member(*elicitation, "url") != nullptr;
    if (!url || Member(*elicitation, "form") != nullptr) own["form"] = json::object();
    if (url) own["url"] = json::object();
  }
  return json::serialize(modern);
}

}  // namespace switchyard::edge
