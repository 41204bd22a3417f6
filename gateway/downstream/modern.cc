#include "downstream/modern.h"

#include <utility>

#include "downstream/askable.h"
#include "downstream/legacy_convert.h"
#include "downstream/modern_asks.h"

namespace switchyard::downstream {
namespace {

// basic/index: codes that implementations of the legacy era made up; no modern server sends them.
constexpr int kNewestLegacyCode = -32000;
constexpr int kOldestLegacyCode = -32019;

}  // namespace

Task<Face::Outcome> Modern::Handle(Call& call) {
  const mcp::MethodInfo& method = call.method();
  if (method.route == mcp::Route::kNotification) co_return Outcome{.reply = EmptyReply()};
  if (parking_ != nullptr && call.message.Has(mcp::Key::kRequestState)) {
    Outcome outcome = co_await Retry(call);
    co_return outcome;
  }
  Outcome outcome = co_await Send(call, ComposeModern(call, channel().NextId(), http()), false);
  co_return outcome;
}

// A call that brings back what the server gave with its questions.
Task<Face::Outcome> Modern::Retry(Call& call) {
  Composed composed = ComposeModern(call, channel().NextId(), http());
  Result<void> restored =
      RestoreState(call, channel().server(), *parking_, channel().deps().clock.WallNow(), composed);
  if (!restored) co_return Outcome{.reply = Failure(std::move(restored.error()))};
  Outcome outcome = co_await Send(call, std::move(composed), false);
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
  } else if (type != "input_required" || !MayAskForInput(method)) {
    return Broken(std::string(call.method().name) + ": unknown resultType " +
                  std::string(response.Get(mcp::Key::kResultType).substr(0, 60)));
  } else if (parking_ != nullptr) {
    return PassInputRequired(call, std::move(response), channel().server(), *parking_,
                             channel().deps().clock.WallNow());
  }
  if (method == mcp::Method::kListen) Retag(call, response);
  return response;
}

bool Modern::Retag(const Call& call, mcp::Message& message) const {
  const mcp::Member tag = message.member(mcp::MetaKey::kSubscriptionId);
  if (tag.present()) message.edits().Replace(tag.value, std::string(call.message.id()));
  return tag.present();
}

}  // namespace switchyard::downstream
