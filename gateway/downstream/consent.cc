#include "downstream/consent.h"

#include <string>

#include "core/askable.h"
#include "downstream/authorized.h"
#include "mcp/error_map.h"
#include "mcp/json_string.h"
#include "mcp/raw_object.h"

namespace switchyard::downstream {
namespace {

constexpr const char* kQuestion = "switchyard_connect";  // its key among inputRequests

// A person can be shown the page, and the call can come again as it is: what answers a question of
// the server itself would be lost on the way.
bool MayAsk(const Call& call) {
  return MayAskForInput(call.message.method()) && call.depth == 0 && call.client != nullptr &&
         call.client->tasks != Tasks::kWanted && Askable::Of(call).url &&
         !call.message.Has(mcp::Key::kRequestState);
}

ReplyPtr Question(const Call& call, const Error& error) {
  const std::string text =
      std::string(call.target.server) +
      " wants to know who asks. Connect your account there: open the page and go on from it. Only "
      "do so if it was you who asked for this.";
  std::string result = R"({"resultType":"input_required","inputRequests":{")";
  result.append(kQuestion).append(R"(":{"method":"elicitation/create","params":{"mode":"url",)");
  result.append(R"("message":)").append(mcp::Quote(text)).append(R"(,"url":)");
  result.append(mcp::Quote(error.visit)).append("}}}}");
  return ReplyWith(mcp::Message::FromResult(call.message.id(), std::move(result)));
}

// In words where nothing else can be done: the address is put into them where the error becomes a
// message (mcp/error_map.cc), for whoever reads a log on the way would be the first to press the
// button.
Result<ReplyPtr> Refused(const Call& call, Error error) {
  if (error.visit.empty()) return Failure(std::move(error));
  if (MayAsk(call)) return Question(call, error);
  if (call.message.method() != mcp::Method::kToolsCall) return Failure(std::move(error));
  return ReplyWith(mcp::ToolErrorMessage(call.message.id(), error));
}

// What the user did with our question; "" = it was none.
std::string TakeAnswer(Call& call) {
  if (!call.message.Has(mcp::Key::kInputResponses)) return "";
  mcp::RawObject answers = mcp::RawObject::Parse(call.message.Get(mcp::Key::kInputResponses));
  if (!answers.Has(kQuestion)) return "";
  std::string action = mcp::RawObject::Parse(answers.Get(kQuestion)).GetString("action");
  answers.Erase(kQuestion);
  const mcp::Message copy = call.message.Clone();
  mcp::Edits edits = copy.edits();
  const mcp::Member member = call.message.member(mcp::Key::kInputResponses);
  if (answers.empty()) {
    edits.RemoveMember(call.message.bytes(), member);
  } else {
    edits.Replace(member.value, answers.ToText());
  }
  Result<mcp::Message> message =
      mcp::Message::Parse(edits.Apply(call.message.bytes()), mcp::Check::kEnvelope);
  if (message) call.message = std::move(*message);
  return action.empty() ? "cancel" : action;
}

}  // namespace

// Only chooses: what the gateway asks itself costs no frame.
Task<Result<ReplyPtr>> Consent::Handle(Call& call) {
  const bool concerns = call.method().IsForServer() && !call.forsaken;
  return concerns ? Granted(call) : inner_->Handle(call);
}

Task<Result<ReplyPtr>> Consent::Granted(Call& call) {
  const std::string action = TakeAnswer(call);
  // Asked first: a legacy server would be given a session for nothing.
  Result<credentials::GrantPtr> grant =
      co_await GrantOf(source_, call.caller, false, {}, deps_, call.deadline);
  if (!grant && !action.empty() && action != "accept") {
    co_return Failure(Error{.code = Code::kForbidden,
                            .origin = Origin::kClient,
                            .message = "server " + std::string(call.target.server) +
                                       ": the user did not connect an account there",
                            .for_agent = true});
  }
  if (!grant) co_return Refused(call, std::move(grant.error()));
  Result<ReplyPtr> reply = co_await inner_->Handle(call);
  if (!reply && !reply.error().visit.empty()) co_return Refused(call, std::move(reply.error()));
  co_return reply;
}

}  // namespace switchyard::downstream
