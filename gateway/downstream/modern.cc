#include "downstream/modern.h"

#include <utility>

#include "downstream/legacy_convert.h"
#include "mcp/tasks.h"

namespace switchyard::downstream {
namespace {

// basic/index: codes that implementations of the legacy era made up; no modern server sends them.
constexpr int kNewestLegacyCode = -32000;
constexpr int kOldestLegacyCode = -32019;

// MRTR = basic/patterns/mrtr.
bool MayAskForInput(mcp::Method method) {
  return method == mcp::Method::kToolsCall || method == mcp::Method::kPromptsGet ||
         method == mcp::Method::kResourcesRead;
}

}  // namespace

Task<Face::Outcome> Modern::Handle(Call& call) {
  const mcp::MethodInfo& method = call.method();
  if (method.route == mcp::Route::kNotification) co_return Outcome{.reply = EmptyReply()};
  Outcome outcome = co_await Send(call, ComposeModern(call, channel().NextId(), http()), false);
  co_return outcome;
}

// What no modern endpoint answers a modern request: the address now belongs to something else.
Task<bool> Modern::IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) {
  if (!reply) co_return facts.status == 400 || facts.status == 404 || facts.status == 405;
  if (facts.status != 400) co_return false;
  const int code = co_await PeekErrorCode(reply);
  co_return code <= kNewestLegacyCode&& code >= kOldestLegacyCode;
}

void Modern::Unsolicited(mcp::Message message) {
  // A modern server asks nothing and says everything on the stream of some request.
  if (message.kind() == mcp::Kind::kRequest) Channel::Answer(shared_channel(), message, {});
}

bool Modern::Passes(const Call& call, mcp::Message& message) {
  switch (message.method()) {
    case mcp::Method::kProgress: return !call.progress_token.empty();
    case mcp::Method::kLogMessage: return WantsLog(call.log_level, message);
    default: break;
  }
  return call.message.method() == mcp::Method::kListen && Retag(call, message);
}

Result<mcp::Message> Modern::Convert(const Call& call, mcp::Message response) {
  if (response.kind() == mcp::Kind::kError) return ToModernError(std::move(response), true);
  const mcp::Method method = call.message.method();
  const std::string type = response.GetString(mcp::Key::kResultType);
  // Early servers leave it out; that reads as complete.
  if (!response.Has(mcp::Key::kResultType) || type == "complete") {
    CompleteResult(response, method);
  } else if (type == "task" && MayBeTask(call)) {
    return response;
  } else if (type != "input_required" || !MayAskForInput(method)) {
    return Broken(std::string(call.method().name) + ": unknown resultType " +
                  std::string(response.Get(mcp::Key::kResultType).substr(0, 60)));
  }
  if (method == mcp::Method::kListen) Retag(call, response);
  return response;
}

// TASKX: only of a call whose client can take it. Of a server that does not offer tasks nobody
// would know how to ask for it.
bool Modern::MayBeTask(const Call& call) const {
  return call.message.method() == mcp::Method::kToolsCall && call.client != nullptr &&
         call.client->tasks != Tasks::kNone && mcp::DeclaresTasks(link().facts.capabilities);
}

bool Modern::Retag(const Call& call, mcp::Message& message) const {
  const mcp::Member tag = message.member(mcp::MetaKey::kSubscriptionId);
  if (tag.present()) message.edits().Replace(tag.value, std::string(call.message.id()));
  return tag.present();
}

}  // namespace switchyard::downstream
