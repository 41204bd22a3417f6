#include "edge/questions.h"

#include <utility>

#include <boost/json.hpp>

#include "mcp/json_string.h"
#include "mcp/method.h"
#include "mcp/raw_object.h"

namespace switchyard::edge {
namespace {

namespace json = boost::json;

constexpr std::string_view kCancelled = R"({"action":"cancel"})";

std::unexpected<Error> Broken(std::string message) {
  return Failure(Code::kProtocol, Origin::kServer, std::move(message));
}

// `missing` as Askable says it.
std::unexpected<Error> Undeclared(const std::string& method, std::string_view missing) {
  if (missing == Askable::kNobody) return Broken("the server asks for an unknown input");
  return Broken("the server asks " + method + ", for which this client did not declare " +
                std::string(missing));
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

// What clients of this revision have words for, whatever they declared.
Askable Within(mcp::Version version, Askable can) {
  can.url = can.url && version >= mcp::Version::k2025_11_25;
  can.form = can.form && version >= mcp::Version::k2025_06_18;
  return can;
}

// True: `params` was changed. What needs no change goes on byte for byte.
bool Elicit(json::object& params, mcp::Version version, const std::function<std::string()>& mint_id,
            Question& question) {
  if (TextOf(params, "mode") == "url") {
    question.url = TextOf(params, "url");
    question.elicitation_id = mint_id();
    params["elicitationId"] = question.elicitation_id;
    return true;
  }
  if (version >= mcp::Version::k2025_11_25) return false;
  params.erase("mode");
  if (!ToOlderSchema(params)) question.answer = kCancelled;
  return true;
}

Result<Question> QuestionOf(const std::string& key, const std::string& request, const Askable& can,
                            mcp::Version version, const std::function<std::string()>& mint_id) {
  const mcp::RawObject members = mcp::RawObject::Parse(request);
  Question question;
  question.key = key;
  question.method = members.GetString("method");
  question.params = members.Get("params");
  if (!question.params.starts_with('{')) question.params = "{}";
  boost::system::error_code error;
  json::value params =
      json::parse(question.params, error, {}, {.max_depth = mcp::Message::kMaxDepth});
  if (error) return Broken("the server's input request cannot be read");
  const mcp::Method method = mcp::FindMethod(question.method).method;
  const std::string missing = can.Missing(method, params.get_object());
  if (!missing.empty()) return Undeclared(question.method, missing);
  if (method == mcp::Method::kElicitation &&
      Elicit(params.get_object(), version, mint_id, question)) {
    question.params = json::serialize(params);
  }
  return question;
}

}  // namespace

Result<std::vector<Question>> QuestionsOf(const mcp::Message& input_required, const Askable& can,
                                          mcp::Version version,
                                          const std::function<std::string()>& mint_id) {
  std::vector<Question> questions;
  const std::string raw(input_required.Get(mcp::Key::kInputRequests));
  if (raw.empty()) return questions;
  if (!raw.starts_with('{')) return Broken("the server's inputRequests is no object");
  const mcp::RawObject requests = mcp::RawObject::Parse(raw);
  if (requests.members().size() > kMaxQuestions) {
    return Broken("the server asks more than " + std::to_string(kMaxQuestions) +
                  " questions at once");
  }
  const Askable askable = Within(version, can);
  for (const auto& [key, request] : requests.members()) {
    Result<Question> question = QuestionOf(key, request, askable, version, mint_id);
    if (!question) return std::unexpected(std::move(question.error()));
    questions.push_back(std::move(*question));
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
