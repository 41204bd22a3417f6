#include "approvals/words.h"

#include <optional>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "mcp/json_string.h"

namespace switchyard::approvals {
namespace {

namespace json = boost::json;

json::object About(const Approval& approval, std::string_view status) {
  json::object out{{"status", status}};
  if (!approval.id.empty()) out["id"] = approval.id;
  if (approval.expires != WallTime()) out["expires"] = TimeText(approval.expires);
  return out;
}

std::string Sentence(const Answer& answer, std::string_view note) {
  const Approval& approval = answer.approval;
  const std::string tool = Readable(approval.request.exposed);
  const std::string before = note.empty() ? "" : std::string(note) + " ";
  switch (answer.verdict) {
    case Verdict::kPending:
      return fmt::format(
          "{}The call of {} has not run: it waits for a person's approval until {} (approval {}). "
          "Do something else, or repeat the identical call later: once it is approved it runs, "
          "once, and gives its result; other arguments need an approval of their own.",
          before, tool, TimeText(approval.expires), approval.id);
    case Verdict::kVoid:
      return fmt::format(
          "The call has not run: approval {} is void, for {}. Repeat the call without naming an "
          "approval to ask for a new one.",
          approval.id, WordsOf(answer.why));
    case Verdict::kFull:
      return fmt::format(
          "The call needs a person's approval and was not asked for: {}. Wait until some of them "
          "are decided, then repeat it.",
          answer.problem);
    default:
      return "The call needs a person's approval, which cannot be kept at present, so it has not "
             "run: try again later, or tell whoever runs this gateway.";
  }
}

}  // namespace

std::string_view StatusOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRun: return "approved";
    case Verdict::kPending: return "pending";
    case Verdict::kDenied: return "denied";
    case Verdict::kVoid: return "void";
    case Verdict::kFull: return "full";
    case Verdict::kFailed: return "unavailable";
  }
  return "pending";
}

std::string_view WordsOf(Why why) {
  switch (why) {
    case Why::kNone: break;
    case Why::kArguments: return "it was given for another call: edited arguments void it";
    case Why::kDefinition: return "the tool's definition has changed since it was asked for";
    case Why::kRule: return "the rule that asked for it has changed";
    case Why::kExpired: return "its time is over";
    case Why::kUsed: return "it was used, and is good for one call only";
    case Why::kUnknown: return "there is none of this id for this caller";
  }
  return "it is gone";
}

// That it is the client's own to wait keeps others from being asked in the server's stead
// (policies/fallback.cc).
mcp::Message ToldOf(std::string_view raw_id, const Answer& answer, std::string_view note) {
  const std::string about = json::serialize(About(answer.approval, StatusOf(answer.verdict)));
  return mcp::Message::FromResult(
      raw_id, fmt::format(R"({{"resultType":"complete","content":[{{"type":"text","text":{}}}],)"
                          R"("isError":true,"_meta":{{"switchyard/approval":{},)"
                          R"("switchyard/error":{{"origin":"client","code":"approval",)"
                          R"("retryable":true}}}}}})",
                          mcp::Quote(Sentence(answer, note)), about));
}

Error Denied(const Approval& approval) {
  const std::string because =
      approval.reason.empty() ? std::string() : ": " + Readable(approval.reason, 500);
  return {.code = Code::kForbidden,
          .message = fmt::format(
              "a person has denied the call of {}{}; it has not run, and the same call stays "
              "denied until {}",
              Readable(approval.request.exposed), because, TimeText(approval.expires)),
          .detail = fmt::format("approval {} denied by {}", approval.id, approval.by),
          .data = fmt::format(R"({{"origin":"gateway","code":"forbidden","retryable":false,)"
                              R"("approval":{}}})",
                              json::serialize(About(approval, "denied"))),
          .for_agent = true};
}

std::string QuestionOf(const Approval& approval) {
  const Request& request = approval.request;
  const std::string text = fmt::format(
      "Your agent wants to call {} (tool {} of server {}). A rule of this gateway ({}) wants a "
      "person to approve that. Its arguments:\n\n{}\n\nApprove this one call?",
      Readable(request.exposed), Readable(request.tool), request.server, request.rule,
      request.arguments);
  const json::object params{
      {"mode", "form"},
      {"message", text},
      {"requestedSchema",
       json::object{{"type", "object"},
                    {"properties",
                     json::object{{"approve", json::object{{"type", "boolean"},
                                                           {"title", "Approve"},
                                                           {"description",
                                                            "Yes: the call runs once, with these "
                                                            "arguments"}}}}},
                    {"required", json::array{"approve"}}}}};
  return json::serialize(params);
}

std::optional<bool> AnswerOf(std::string_view raw_result) {
  boost::system::error_code error;
  const json::value value = json::parse(raw_result, error);
  const json::object* result = error ? nullptr : value.if_object();
  const json::value* action = result != nullptr ? result->if_contains("action") : nullptr;
  if (action == nullptr || !action->is_string()) return std::nullopt;
  if (action->get_string() == "decline") return false;
  if (action->get_string() != "accept") return std::nullopt;
  const json::value* content = result->if_contains("content");
  const json::object* form = content != nullptr ? content->if_object() : nullptr;
  const json::value* approve = form != nullptr ? form->if_contains("approve") : nullptr;
  // A form that was sent without the word is no approval.
  return approve != nullptr && approve->is_bool() && approve->get_bool();
}

}  // namespace switchyard::approvals
