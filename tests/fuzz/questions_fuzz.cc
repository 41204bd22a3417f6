// What servers ask clients. Lines: a digit (the client's revision), its capabilities (JSON), the
// server's inputRequests or a request's params (JSON).
// - a client is asked only what it declared and its revision knows, and no more than kMaxQuestions;
// - every question can be sent: a known method, and params that are an object;
// - a question of a legacy server names who asks and keeps the rest of its words.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "core/askable.h"
#include "downstream/questions.h"
#include "edge/abilities.h"
#include "edge/questions.h"
#include "fuzz/require.h"
#include "mcp/message.h"

namespace {

using namespace switchyard;
using fuzz::Require;
using mcp::Version;
namespace json = boost::json;

Askable AskableAt(const std::string& capabilities, Version version) {
  const std::string modern = edge::ToModernCapabilities(capabilities, version);
  const Askable can = Askable::Of(modern);
  Require(!can.form || version >= Version::k2025_06_18, "forms are of 2025-06-18");
  Require(!can.url || version >= Version::k2025_11_25, "pages are of 2025-11-25");
  Require(!can.sampling_tools || can.sampling, "tools of sampling need sampling");
  Require(Askable::Of(modern) == can, "stable");
  return can;
}

std::string TextAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

void CheckQuestion(const edge::Question& question, const Askable& can, Version version) {
  const std::optional<json::value> params = downstream::ParseDeep(question.params);
  if (!params) return;  // deeper than that reader goes
  Require(params->is_object(), "params are an object");
  const json::object& object = params->get_object();
  if (question.method == "roots/list") return Require(can.roots, "roots were declared");
  if (question.method == "sampling/createMessage") {
    Require(can.sampling, "sampling was declared");
    return Require(can.sampling_tools || !object.contains("tools"), "its tools, too");
  }
  Require(question.method == "elicitation/create", "a known method");
  if (TextAt(object, "mode") != "url") {
    Require(can.form, "forms were declared");
    return Require(version >= Version::k2025_11_25 || !object.contains("mode"), "in older words");
  }
  Require(can.url && version >= Version::k2025_11_25, "pages were declared");
  Require(TextAt(object, "elicitationId") == "minted", "with an id of ours");
}

void CheckModernServer(const std::string& raw, const Askable& can, Version version) {
  const Result<mcp::Message> message = mcp::Message::Parse(
      R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":)" + raw +
          "}}",
      mcp::Check::kFull);
  if (!message) return;
  const auto questions =
      edge::QuestionsOf(*message, can, version, [] { return std::string("minted"); });
  if (!questions) {
    Require(questions.error().code == Code::kProtocol, "the server's fault");
    return;
  }
  Require(questions->size() <= edge::kMaxQuestions, "within the bounds");
  for (const edge::Question& question : *questions) CheckQuestion(question, can, version);
}

void CheckLegacyServer(const std::string& raw) {
  const std::optional<json::value> value = downstream::ParseDeep(raw);
  if (!value || !value->is_object()) return;
  for (const mcp::Method method :
       {mcp::Method::kElicitation, mcp::Method::kSampling, mcp::Method::kRootsList}) {
    const json::object given = value->get_object();
    const json::object params =
        downstream::ParamsForClient(method, given, {.server = "a"}, /*from_legacy=*/true);
    Require(!params.contains("task"), "nothing without a modern form");
    if (method == mcp::Method::kElicitation) {
      Require(params.contains("mode") && !params.contains("elicitationId"), "in modern words");
      Require(TextAt(params, "message") == "[a] " + TextAt(given, "message"), "it says who asks");
    }
    if (method == mcp::Method::kSampling) {
      const std::string context = TextAt(params, "includeContext");
      Require(context.empty() || context == "none", "no context of other servers");
    }
    for (const auto& [key, member] : given) {
      const std::string_view name = key;
      const bool ours = name == "message" || name == "task" || name == "elicitationId" ||
                        name == "_meta" || name == "includeContext";
      if (!ours) Require(params.contains(name) && params.at(name) == member, "the rest stays");
    }
    const std::optional<json::value> entry =
        downstream::ParseDeep(downstream::InputRequest(method, params));
    Require(!entry || entry->at("method").is_string(), "an entry of inputRequests");
    static_cast<void>(downstream::IsAnswer(method, *value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  const std::string which = lines.Next(), capabilities = lines.Next(), raw = lines.Rest();
  const auto version = static_cast<Version>(which.empty() ? 0 : which[0] % 4);  // legacy ones
  const Askable can = AskableAt(capabilities, version);
  CheckModernServer(raw, can, version);
  CheckLegacyServer(raw);
  return 0;
}
