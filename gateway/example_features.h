// What the example server offers: its tools, its prompt, its resources, as plain functions from a
// request to a result. Only example_server.cc uses this; ids, eras and batches are its business.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/clock.h"

namespace switchyard::example {

namespace json = boost::json;
using Text = std::string_view;

inline constexpr Text kModern = "2026-07-28";
inline constexpr int kInvalidParams = -32602;

struct RpcError {
  int code;
  std::string message;
  json::object data = {};
};
// No object: the answer comes later.
using Outcome = std::expected<std::optional<json::object>, RpcError>;

std::unexpected<RpcError> Refuse(int code, std::string message, json::object data = {});

// The revision one request is served by. Modern requests bring theirs along, so both eras may
// alternate on one pipe.
struct Face {
  Text version;
  bool modern() const { return version == kModern; }
  bool since(Text revision) const { return version >= revision; }  // revisions are dates
};

const json::string* StringAt(const json::object& object, Text key);
// The object under the key; empty when absent, nullptr when it is something else.
const json::object* ObjectAt(const json::object& object, Text key);

json::object TextContent(Text text);
json::object ToolError(Text text);

// Lists, without what the client's revision does not know. One page: every cursor but "" is
// refused.
Outcome ListTools(const json::object& params, Face face);
Outcome ListPrompts(const json::object& params, Face face);
Outcome ListResources(const json::object& params, Face face);
Outcome ListTemplates(const json::object& params, Face face);

// Tools. Bad arguments are tool errors, which a model can read and mend.
json::object Echo(const json::object& arguments);
json::object Add(const json::object& arguments, Face face);
json::object TimeNow(const json::object& arguments, const Clock& clock, Face face);
struct CountPlan {
  std::int64_t to;
  Duration interval;
};
std::expected<CountPlan, Text> PlanCount(const json::object& arguments);

Outcome GetPrompt(const json::object& params);
Outcome ReadResource(const json::object& params, Face face);
Outcome Complete(const json::object& params);

}  // namespace switchyard::example
