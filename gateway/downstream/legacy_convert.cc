#include "downstream/legacy_convert.h"

#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "downstream/tool_list.h"
#include "mcp/error_map.h"
#include "mcp/meta.h"
#include "mcp/tasks.h"

namespace switchyard::downstream {
namespace {

bool IsCacheable(mcp::Method method) {
  switch (method) {
    case mcp::Method::kDiscover:
    case mcp::Method::kToolsList:
    case mcp::Method::kPromptsList:
    case mcp::Method::kResourcesList:
    case mcp::Method::kTemplatesList:
    case mcp::Method::kResourcesRead: return true;
    default: return false;
  }
}

// 0: stays.
int ModernCode(int code, bool keeps_spec_codes) {
  if (code == mcp::kLegacyResourceNotFound) return mcp::kInvalidParams;
  if (code < -32099 || code > -32020) return 0;
  // What a modern server says of the client's capabilities is the client's business; what it says
  // of our headers and our version is not.
  if (keeps_spec_codes && code == mcp::kMissingCapability) return 0;
  return mcp::kInternalError;
}

}  // namespace

std::string ModernCapabilities(std::string_view raw) {
  const bool tasks = raw.contains("\"tasks\"") || raw.contains(mcp::kTasksExtension);
  if (!tasks) return std::string(raw);
  mcp::RawObject capabilities = mcp::RawObject::Parse(raw);
  capabilities.Erase("tasks");
  // TASKX: within initialize the extension means nothing.
  mcp::RawObject extensions = mcp::RawObject::Parse(capabilities.Get("extensions"));
  extensions.Erase(mcp::kTasksExtension);
  if (capabilities.Has("extensions")) capabilities.Set("extensions", extensions.ToText());
  const std::string kept = capabilities.ToText();
  return mcp::OffersLegacyTasks(raw) ? mcp::WithTasks(kept) : kept;
}

void CompleteResult(mcp::Message& response, mcp::Method method) {
  std::optional<mcp::CacheHint> hint;
  if (IsCacheable(method)) hint.emplace();
  mcp::AddResultType(response, response.edits(), hint);
}

mcp::Message ToModernResponse(mcp::Message response, mcp::Method method, Execution execution) {
  if (response.kind() == mcp::Kind::kError) return ToModernError(std::move(response), false);
  CompleteResult(response, method);
  if (method == mcp::Method::kToolsList && execution == Execution::kDropped) {
    std::optional<std::string> tools = WithoutExecution(response.Get(mcp::Key::kTools));
    if (tools) {
      response.edits().Replace(response.member(mcp::Key::kTools).value, std::move(*tools));
    }
  }
  return response;
}

mcp::Message ToModernError(mcp::Message response, bool keeps_spec_codes) {
  // Who can be sent to a URL got that as a question (dialogue.h); this client cannot.
  if (!keeps_spec_codes && response.error_code() == mcp::kUrlElicitationRequired) {
    return mcp::Message::MakeError(response.id(), mcp::kMissingCapability,
                                   "the server needs to send the user to a URL",
                                   R"({"requiredCapabilities":{"elicitation":{"url":{}}}})");
  }
  const int code = ModernCode(response.error_code(), keeps_spec_codes);
  if (code == 0) return response;
  boost::system::error_code failed;
  const boost::json::value error = boost::json::parse(response.error(), failed);
  std::string message = "error of the server";
  std::string data;
  if (!failed && error.is_object()) {
    const boost::json::value* text = error.as_object().if_contains("message");
    if (text != nullptr && text->is_string()) message = text->as_string();
    const boost::json::value* more = error.as_object().if_contains("data");
    if (more != nullptr) data = boost::json::serialize(*more);
  }
  if (code == mcp::kInternalError) {
    data = R"({"code":)" + std::to_string(response.error_code()) +
           (data.empty() ? "" : R"(,"data":)" + data) + "}";
  }
  return mcp::Message::MakeError(response.id(), code, message, data);
}

}  // namespace switchyard::downstream
