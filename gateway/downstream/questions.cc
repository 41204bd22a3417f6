#include "downstream/questions.h"

#include "mcp/error_map.h"

namespace switchyard::downstream {
namespace {

constexpr std::size_t kMaxDepth = 256;
constexpr int kUserRejected = -1;  // client/sampling: the code of a rejection by the user

std::string_view TextIn(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->as_string())
                                                : std::string_view();
}

void CleanMeta(boost::json::object& params) {
  boost::json::value* meta = params.if_contains("_meta");
  if (meta == nullptr || !meta->is_object()) return;
  meta->as_object().erase("progressToken");  // ours would be none of the client's
  meta->as_object().erase("io.modelcontextprotocol/related-task");
  if (meta->as_object().empty()) params.erase("_meta");
}

void NameAsker(boost::json::object& params, Asker asker) {
  const std::string_view message = TextIn(params, "message");
  params["message"] = "[" + std::string(asker.server) + "] " + std::string(message);
}

}  // namespace

boost::json::object ParamsForClient(mcp::Method method, boost::json::object params, Asker asker,
                                    bool from_legacy) {
  if (from_legacy) {
    params.erase("task");
    CleanMeta(params);
  }
  if (method == mcp::Method::kElicitation) {
    if (!params.contains("mode")) params["mode"] = "form";
    if (from_legacy) params.erase("elicitationId");
    if (!asker.verbatim) NameAsker(params, asker);
  }
  // "This server" would be the gateway, and so everything behind it.
  if (method == mcp::Method::kSampling && !asker.verbatim && params.contains("includeContext")) {
    params["includeContext"] = "none";
  }
  return params;
}

std::string InputRequest(mcp::Method method, const boost::json::object& params) {
  std::string entry = R"({"method":)" + mcp::Quote(mcp::Info(method).name);
  if (!params.empty() || method != mcp::Method::kRootsList) {
    entry += R"(,"params":)" + boost::json::serialize(params);
  }
  return entry + "}";
}

std::optional<boost::json::value> ParseDeep(std::string_view raw) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(raw, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

bool IsAnswer(mcp::Method method, const boost::json::value& answer) {
  const boost::json::object* object = answer.if_object();
  if (object == nullptr) return false;
  const boost::json::value* meta = object->if_contains("_meta");
  if (meta != nullptr && !meta->is_object() && !meta->is_null()) return false;
  switch (method) {
    case mcp::Method::kElicitation: {
      const std::string_view action = TextIn(*object, "action");
      const boost::json::value* content = object->if_contains("content");
      const bool fits = content == nullptr || content->is_object() || content->is_null();
      return fits && (action == "accept" || action == "decline" || action == "cancel");
    }
    case mcp::Method::kSampling: {
      const boost::json::value* content = object->if_contains("content");
      return !TextIn(*object, "role").empty() && content != nullptr &&
             (content->is_object() || content->is_array());
    }
    case mcp::Method::kRootsList: {
      const boost::json::value* roots = object->if_contains("roots");
      return roots != nullptr && roots->is_array();
    }
    default: return false;
  }
}

mcp::Message NotOffered(std::string_view raw_id, mcp::Method method) {
  switch (method) {
    case mcp::Method::kElicitation:
      return mcp::Message::FromResult(raw_id, R"({"action":"decline"})");
    case mcp::Method::kRootsList: return mcp::Message::FromResult(raw_id, R"({"roots":[]})");
    default:
      return mcp::Message::MakeError(
          raw_id, mcp::kMethodNotFound,
          "the client of this call does not offer " + std::string(mcp::Info(method).name));
  }
}

mcp::Message NotAttributable(std::string_view raw_id) {
  return mcp::Message::MakeError(raw_id, mcp::kInvalidParams,
                                 "cannot tell which call of a client this belongs to");
}

mcp::Message NoAnswer(std::string_view raw_id, mcp::Method method) {
  if (method == mcp::Method::kElicitation) {
    return mcp::Message::FromResult(raw_id, R"({"action":"cancel"})");
  }
  return mcp::Message::MakeError(
      raw_id, method == mcp::Method::kSampling ? kUserRejected : mcp::kInternalError,
      "the client gave no answer");
}

}  // namespace switchyard::downstream
