#include "downstream/modern.h"

#include <utility>

#include "core/askable.h"
#include "downstream/compose.h"
#include "downstream/legacy_convert.h"
#include "downstream/modern_asks.h"
#include "downstream/tool_list.h"
#include "mcp/error_map.h"
#include "mcp/meta.h"
#include "mcp/raw_object.h"
#include "mcp/tasks.h"

namespace switchyard::downstream {
namespace {

// basic/index: codes that implementations of the legacy era made up; no modern server sends them.
constexpr int kNewestLegacyCode = -32000;
constexpr int kOldestLegacyCode = -32019;

constexpr std::string_view kListTools = "tools/list";
constexpr int kMaxPages = 1000;  // of a list that is looked through for one tool

}  // namespace

Task<Face::Outcome> Modern::Handle(Call& call) {
  const mcp::MethodInfo& method = call.method();
  if (method.route == mcp::Route::kNotification) co_return Outcome{.reply = EmptyReply()};
  if (parking_ != nullptr && call.message.Has(mcp::Key::kRequestState)) {
    Outcome outcome = co_await Retry(call);
    co_return outcome;
  }
  Outcome outcome = co_await Send(call, ComposeModern(call, channel().NextId(), http()), false);
  const bool calls = method.method == mcp::Method::kToolsCall;
  if (calls && outcome.refused_with == mcp::kHeaderMismatch) {
    // The headers were made as an older schema of the tool wanted them (SH: refresh, retry once).
    const std::optional<Definition> fresh = co_await FreshTool(call);
    if (!fresh) co_return outcome;
    const Definition* known = std::exchange(call.target.definition, &*fresh);
    Composed again = ComposeModern(call, channel().NextId(), true);
    call.target.definition = known;
    outcome = co_await Send(call, std::move(again), false);
    outcome.lists_are_stale = true;
  }
  co_return outcome;
}

// A call that brings back what the server gave with its questions.
Task<Face::Outcome> Modern::Retry(Call& call) {
  Composed composed = ComposeModern(call, channel().NextId(), http());
  Result<std::optional<UsedStates::Use>> use =
      RestoreState(call, channel().server(), *parking_, channel().deps().clock, composed);
  if (!use) co_return Outcome{.reply = Failure(std::move(use.error()))};
  Outcome outcome = co_await Send(call, std::move(composed), false);
  if (outcome.reply && use->has_value()) {
    outcome.reply = WithUse(std::move(*outcome.reply), std::move(**use));
  }
  co_return outcome;
}

// The tool of `call` as the server lists it now; nullopt: it cannot be had, or reads the same.
Task<std::optional<Definition>> Modern::FreshTool(Call& call) {
  const std::string headers =
      VersionHeader(mcp::kModern) + "Mcp-Method: " + std::string(kListTools) + "\r\n";
  const std::string meta =
      R"({"_meta":)" + mcp::ModernRequestMeta({.client_info = GatewayInfo()}, "");
  std::string params = meta + "}";
  for (int page = 0; page < kMaxPages; ++page) {
    Result<mcp::Message> answer = co_await channel().Ask(
        {.method = kListTools, .params = params, .headers = headers, .deadline = call.deadline});
    if (!answer || answer->kind() != mcp::Kind::kResult) co_return std::nullopt;
    std::optional<std::string> tool = ToolNamed(answer->Get(mcp::Key::kTools), call.target.name);
    if (tool) {
      const Definition* known = call.target.definition;
      if (known != nullptr && known->json == *tool) co_return std::nullopt;
      const std::string schema(mcp::RawObject::Parse(*tool).Get("inputSchema"));
      co_return Definition{.kind = ItemKind::kTool,
                           .server = channel().server(),
                           .name = call.target.name,
                           .exposed = call.target.name,
                           .json = std::move(*tool),
                           .annotations = {},
                           .param_marks = mcp::FindParamMarks(schema).legal};
    }
    const std::string_view cursor = answer->Get(mcp::Key::kNextCursor);
    if (cursor.empty() || cursor == "null") co_return std::nullopt;
    params = meta + R"(,"cursor":)" + std::string(cursor) + "}";
  }
  co_return std::nullopt;
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
  if (call.message.method() != mcp::Method::kListen || !Retag(call, message)) return false;
  if (message.method() != mcp::Method::kTaskChanged || !Asks(message)) return true;
  // Whoever cannot be asked hears why when it asks for the task.
  return PassQuestions(call, channel().server(), message).has_value();
}

bool Modern::Asks(const mcp::Message& task) const {
  return parking_ != nullptr && task.Has(mcp::Key::kInputRequests);
}

// What a task wants to know is asked as in the middle of a call. Read anew: whoever waits for the
// task in the client's stead must see what the client would.
Result<mcp::Message> Modern::PassTask(const Call& call, mcp::Message& task) const {
  Result<void> passed = PassQuestions(call, channel().server(), task);
  if (!passed) {
    // A legacy client reads no questions in a task's state, and must be able to poll and cancel it.
    // Who puts them to it looks at what it declared once more.
    const bool unread = call.client != nullptr && !mcp::IsModern(call.client->version);
    if (unread && passed.error().rpc_code == mcp::kMissingCapability) return std::move(task);
    return Failure(std::move(passed.error()));
  }
  return mcp::Message::Parse(task.ToText(), mcp::Check::kEnvelope);
}

Result<mcp::Message> Modern::Convert(const Call& call, mcp::Message response) {
  if (response.kind() == mcp::Kind::kError) return ToModernError(std::move(response), true);
  const mcp::Method method = call.message.method();
  const std::string type = response.GetString(mcp::Key::kResultType);
  // Early servers leave it out; that reads as complete.
  if (!response.Has(mcp::Key::kResultType) || type == "complete") {
    CompleteResult(response, method);
    if (method == mcp::Method::kTasksGet && Asks(response)) return PassTask(call, response);
  } else if (type == "task" && MayBeTask(call)) {
    return response;
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
