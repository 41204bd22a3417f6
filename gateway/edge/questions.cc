#include "edge/questions.h"

#include <utility>

#include <boost/json.hpp>

namespace switchyard::edge {
namespace {

namespace json = boost::json;

constexpr std::string_view kCancelled = R"({"action":"cancel"})";

std::unexpected<Error> Broken(std::string message) {
  return Failure(Code::kProtocol, Origin::kServer, std::move(message));
}

std::unexpected<Error> Undeclared(std::string_view what) {
  return Broken("the server asks for " + std::string(what) +
                ", which this client did not declare as a capability");
}

std::string TextOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// 2025-06-18 knows strings with enum and enumNames, and defaults of booleans only. False: it has no
// words for this property.
bool ToOlderProperty(json::object& property) {
  const std::string type = TextOf(property, "type");
  if (type == "array") return false;
  if (type != "boolean") property.erase("default");
  const json::value* titled = property.if_contains("oneOf");
  if (titled == nullptr) return true;
  if (!titled->is_array()) return false;
  json::array values, names;
  for (const json::value& choice : titled->get_array()) {
    const json::object* object = choice.if_object();
    if (object == nullptr || !object->contains("const")) return false;
    values.push_back(object->at("const"));
    const std::string title = TextOf(*object, "title");
    names.emplace_back(title.empty() ? TextOf(*object, "const") : title);
  }
  property.erase("oneOf");
  property["enum"] = std::move(values);
  property["enumNames"] = std::move(names);
  return true;
}

bool ToOlderSchema(json::object& params) {
  json::value* schema = params.if_contains("requestedSchema");
  if (schema == nullptr || !schema->is_object()) return true;
  json::value* properties = schema->get_object().if_contains("properties");
  if (properties == nullptr || !properties->is_object()) return true;
  for (auto& [name, property] : properties->get_object()) {
    if (property.is_object() && !ToOlderProperty(property.get_object())) return false;
  }
  return true;
}

Result<void> Elicit(json::object& params, const Abilities& can, mcp::Version version,
                    const std::function<std::string()>& mint_id, Question& question) {
  const std::string mode = TextOf(params, "mode");
  const bool newest = version >= mcp::Version::k2025_11_25;
  if (mode == "url") {
    if (!can.url || !newest) return Undeclared("elicitation by url");
    question.url = TextOf(params, "url");
    question.elicitation_id = mint_id();
    params["elicitationId"] = question.elicitation_id;
    return {};
  }
  if (!mode.empty() && mode != "form") return Broken("the server elicits in an unknown mode");
  if (!can.form || version < mcp::Version::k2025_06_18) return Undeclared("elicitation");
  if (newest) return {};
  params.erase("mode");
  if (!ToOlderSchema(params)) question.answer = kCancelled;
  return {};
}

// "This server" would be the gateway: its client must not hand it what other servers said.
Result<void> Sample(json::object& params, const Abilities& can) {
  if (!can.sampling) return Undeclared("sampling");
  if ((params.contains("tools") || params.contains("toolChoice")) && !can.sampling_tools) {
    return Undeclared("sampling with tools");
  }
  if (params.contains("includeContext")) params["includeContext"] = "none";
  return {};
}

}  // namespace

Result<std::vector<Question>> QuestionsOf(const mcp::Message& input_required, const Abilities& can,
                                          mcp::Version version,
                                          const std::function<std::string()>& mint_id) {
  std::vector<Question> questions;
  const std::string_view raw = input_required.Get(mcp::Key::kInputRequests);
  if (raw.empty()) return questions;
  boost::system::error_code error;
  json::value all = json::parse(raw, error);
  if (error || !all.is_object()) return Broken("the server's inputRequests is no object");
  if (all.get_object().size() > kMaxQuestions) {
    return Broken("the server asks more than " + std::to_string(kMaxQuestions) +
                  " questions at once");
  }
  for (auto& [key, value] : all.get_object()) {
    if (!value.is_object()) return Broken("the server's input request is no object");
    json::object& request = value.get_object();
    Question question;
    question.key = key;
    question.method = TextOf(request, "method");
    json::object params;
    if (json::value* own = request.if_contains("params"); own != nullptr && own->is_object()) {
      params = std::move(own->get_object());
    }
    Result<void> fits = Broken("the server asks for an unknown input");
    if (question.method == "elicitation/create") {
      fits = Elicit(params, can, version, mint_id, question);
    } else if (question.method == "sampling/createMessage") {
      fits = Sample(params, can);
    } else if (question.method == "roots/list") {
      fits = can.roots ? Result<void>() : Undeclared("roots");
    }
    if (!fits) return std::unexpected(std::move(fits.error()));
    question.params = json::serialize(params);
    questions.push_back(std::move(question));
  }
  return questions;
}

Result<std::string> AnswerOf(const Question& question, const mcp::Message& response) {
  if (response.kind() == mcp::Kind::kResult) return std::string(response.result());
  if (question.method == "elicitation/create") return std::string(kCancelled);
  boost::system::error_code error;
  const json::value value = json::parse(response.error(), error);
  std::string reason;
  if (!error && value.is_object()) reason = TextOf(value.get_object(), "message");
  return Failure(Error{.code = Code::kProtocol,
                       .origin = Origin::kClient,
                       .message = "the client answered " + question.method + " with an error" +
                                  (reason.empty() ? reason : ": " + reason),
                       .rpc_code = response.error_code()});
}

}  // namespace switchyard::edge
