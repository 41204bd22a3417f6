#include "edge/questions.h"

#include <utility>

#include <boost/json.hpp>

#include "mcp/json_string.h"
#include "mcp/json_tokens.h"

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

// True: `params` was changed. What needs no change goes on byte for byte.
Result<bool> Elicit(json::object& params, const Abilities& can, mcp::Version version,
                    const std::function<std::string()>& mint_id, Question& question) {
  const std::string mode = TextOf(params, "mode");
  const bool newest = version >= mcp::Version::k2025_11_25;
  if (mode == "url") {
    if (!can.url || !newest) return Undeclared("elicitation by url");
    question.url = TextOf(params, "url");
    question.elicitation_id = mint_id();
    params["elicitationId"] = question.elicitation_id;
    return true;
  }
  if (!mode.empty() && mode != "form") return Broken("the server elicits in an unknown mode");
  if (!can.form || version < mcp::Version::k2025_06_18) return Undeclared("elicitation");
  if (newest) return false;
  params.erase("mode");
  if (!ToOlderSchema(params)) question.answer = kCancelled;
  return true;
}

// "This server" would be the gateway: its client must not hand it what other servers said.
Result<bool> Sample(json::object& params, const Abilities& can) {
  if (!can.sampling) return Undeclared("sampling");
  if ((params.contains("tools") || params.contains("toolChoice")) && !can.sampling_tools) {
    return Undeclared("sampling with tools");
  }
  const std::string context = TextOf(params, "includeContext");
  if (context.empty() || context == "none") return false;
  params["includeContext"] = "none";
  return true;
}

// The members of an object, their values as they were written.
std::vector<std::pair<std::string, std::string>> RawMembers(const std::string& object) {
  std::vector<std::pair<std::string, std::string>> members;
  const auto tokens = mcp::JsonTokens::Find(object);
  bool too_deep = false;
  if (!tokens || tokens->at(0) != '{' ||
      tokens->FindFault(mcp::Message::kMaxDepth, too_deep) != mcp::JsonTokens::kNoFault) {
    return members;
  }
  const auto text = [&](std::size_t from, std::size_t to) {
    return object.substr(tokens->begin(from), tokens->EndBefore(to) - tokens->begin(from));
  };
  for (std::size_t i = 1; tokens->at(i) == '"';) {
    const std::size_t end = tokens->Skip(i + 2, mcp::Message::kMaxDepth);
    members.emplace_back(mcp::Unquote(text(i, i + 1)).value_or(""), text(i + 2, end));
    i = tokens->at(end) == ',' ? end + 1 : end;
  }
  return members;
}

Result<Question> QuestionOf(const std::string& key, const std::string& request,
                            const Abilities& can, mcp::Version version,
                            const std::function<std::string()>& mint_id) {
  Question question;
  question.key = key;
  question.params = "{}";
  for (auto& [name, value] : RawMembers(request)) {
    if (name == "method") question.method = mcp::Unquote(value).value_or("");
    if (name == "params" && value.starts_with('{')) question.params = std::move(value);
  }
  boost::system::error_code error;
  json::value params =
      json::parse(question.params, error, {}, {.max_depth = mcp::Message::kMaxDepth});
  if (error) return Broken("the server's input request cannot be read");
  Result<bool> changed = Broken("the server asks for an unknown input");
  if (question.method == "elicitation/create") {
    changed = Elicit(params.get_object(), can, version, mint_id, question);
  } else if (question.method == "sampling/createMessage") {
    changed = Sample(params.get_object(), can);
  } else if (question.method == "roots/list") {
    changed = can.roots ? Result<bool>(false) : Undeclared("roots");
  }
  if (!changed) return std::unexpected(std::move(changed.error()));
  if (*changed) question.params = json::serialize(params);
  return question;
}

}  // namespace

Result<std::vector<Question>> QuestionsOf(const mcp::Message& input_required, const Abilities& can,
                                          mcp::Version version,
                                          const std::function<std::string()>& mint_id) {
  std::vector<Question> questions;
  const std::string raw(input_required.Get(mcp::Key::kInputRequests));
  if (raw.empty()) return questions;
  if (!raw.starts_with('{')) return Broken("the server's inputRequests is no object");
  const auto requests = RawMembers(raw);
  if (requests.size() > kMaxQuestions) {
    return Broken("the server asks more than " + std::to_string(kMaxQuestions) +
                  " questions at once");
  }
  for (const auto& [key, request] : requests) {
    Result<Question> question = QuestionOf(key, request, can, version, mint_id);
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
