#include "core/askable.h"

#include <boost/json.hpp>

namespace switchyard {
namespace {

const boost::json::object* ObjectIn(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

bool MentionsAny(std::string_view capabilities) {
  return capabilities.contains("\"elicitation\"") || capabilities.contains("\"sampling\"") ||
         capabilities.contains("\"roots\"");
}

// "" = it has none that is text; without one an elicitation means a form.
std::string_view ModeOf(const boost::json::object& params) {
  const boost::json::value* mode = params.if_contains("mode");
  if (mode == nullptr) return "form";
  return mode->is_string() ? std::string_view(mode->as_string()) : std::string_view();
}

}  // namespace

Askable Askable::Of(std::string_view capabilities) {
  Askable askable;
  if (capabilities.size() <= 2 || !MentionsAny(capabilities)) return askable;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(capabilities, error);
  const boost::json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return askable;
  if (const boost::json::object* elicitation = ObjectIn(*object, "elicitation")) {
    askable.url = ObjectIn(*elicitation, "url") != nullptr;
    askable.form = ObjectIn(*elicitation, "form") != nullptr || !askable.url;
  }
  if (const boost::json::object* sampling = ObjectIn(*object, "sampling")) {
    askable.sampling = true;
    askable.sampling_tools = ObjectIn(*sampling, "tools") != nullptr;
  }
  askable.roots = ObjectIn(*object, "roots") != nullptr;
  return askable;
}

Askable Askable::Of(const Call& call) {
  return call.client == nullptr ? Askable() : Of(call.client->capabilities);
}

Askable Askable::All() {
  return {.form = true, .url = true, .sampling = true, .sampling_tools = true, .roots = true};
}

std::string Askable::ToLegacy() const {
  boost::json::object capabilities;
  if (form || url) {
    boost::json::object modes;
    if (form) modes["form"] = boost::json::object();
    if (url) modes["url"] = boost::json::object();
    capabilities["elicitation"] = std::move(modes);
  }
  if (sampling) {
    boost::json::object more;
    if (sampling_tools) more["tools"] = boost::json::object();
    capabilities["sampling"] = std::move(more);
  }
  if (roots) capabilities["roots"] = boost::json::object();
  return boost::json::serialize(capabilities);
}

std::string Askable::Missing(mcp::Method method, const boost::json::object& params) const {
  switch (method) {
    case mcp::Method::kElicitation:
      if (ModeOf(params) == "url") return url ? "" : R"({"elicitation":{"url":{}}})";
      if (ModeOf(params) != "form") return std::string(kNobody);
      return form ? "" : R"({"elicitation":{"form":{}}})";
    case mcp::Method::kSampling:
      if (!sampling) return R"({"sampling":{}})";
      if (sampling_tools) return "";
      return params.contains("tools") || params.contains("toolChoice")
                 ? R"({"sampling":{"tools":{}}})"
                 : "";
    case mcp::Method::kRootsList: return roots ? "" : R"({"roots":{}})";
    default: return std::string(kNobody);
  }
}

bool MayAskForInput(mcp::Method method) {
  return method == mcp::Method::kToolsCall || method == mcp::Method::kPromptsGet ||
         method == mcp::Method::kResourcesRead;
}

bool IsInteractive(const Call& call) {
  if (!MayAskForInput(call.message.method())) return false;
  if (call.message.Has(mcp::Key::kRequestState) || call.message.Has(mcp::Key::kInputResponses)) {
    return true;
  }
  return Askable::Of(call).any();
}

}  // namespace switchyard
