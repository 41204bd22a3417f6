#include "downstream/legacy_adapter.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/dialogue.h"
#include "downstream/legacy_convert.h"
#include "mcp/error_map.h"
#include "mcp/tasks.h"

namespace switchyard::downstream {
namespace {

// How long a call waits for the stream on which its server might ask something.
constexpr Duration kStreamPatience = std::chrono::seconds(1);
constexpr Duration kEndSessionTime = std::chrono::seconds(2);

Error NoSuchMethod(const Call& call) {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kServer,
               .message = "unknown method: " + std::string(call.message.method_name()),
               .rpc_code = mcp::kMethodNotFound};
}

}  // namespace

LegacyAdapter::LegacyAdapter(std::shared_ptr<Channel> channel, LinkPtr link,
                             std::shared_ptr<Parks> parks, Askable declared,
                             std::shared_ptr<Turnstile> turns)
    : Face(std::move(channel), std::move(link)),
      listens_(std::make_shared<LegacyListens>(shared_channel(),
                                               std::make_shared<const Link>(this->link()))),
      dialogues_(parks == nullptr || !declared.any()
                     ? nullptr
                     : std::make_shared<Dialogues>(shared_channel(), LegacyHeaders(this->link()),
                                                   declared, std::move(parks), std::move(turns))),
      tasks_(mcp::DeclaresTasks(this->link().facts.capabilities)
                 ? std::make_shared<TaskAdapter>(shared_channel(), LegacyHeaders(this->link()))
                 : nullptr) {
  if (dialogues_ == nullptr) return;
  listens_->OnRequest(
      [dialogues = dialogues_](const mcp::Message& request) { dialogues->Asked(request); });
}

LegacyAdapter::~LegacyAdapter() {
  if (tasks_ != nullptr) tasks_->Retire();
}

void LegacyAdapter::Retire(const Error& why) {
  listens_->Retire(why);
  if (tasks_ != nullptr) tasks_->Retire();
}

Task<Face::Outcome> LegacyAdapter::Handle(Call& call) {
  const mcp::MethodInfo& method = call.method();
  if (method.route == mcp::Route::kNotification) co_return Outcome{.reply = EmptyReply()};
  if (method.method == mcp::Method::kDiscover) {
    co_return Outcome{.reply =
                          ReplyWith(mcp::Message::FromResult(call.message.id(), DiscoverResult()))};
  }
  if (method.method == mcp::Method::kListen) {
    Result<ReplyPtr> listening = co_await listens_->Open(call);
    const bool stale = !listening && listens_->stale();
    co_return Outcome{.reply = std::move(listening), .link_is_stale = stale};
  }
  if (method.route == mcp::Route::kTask && tasks_ != nullptr) {
    // The tasks hang on the adapter, which a replacement of the link must not end under them.
    const std::shared_ptr<Face> self = shared_from_this();
    Outcome outcome = co_await tasks_->Handle(call);
    co_return outcome;
  }
  if (method.eras != mcp::Eras::kBoth || method.route == mcp::Route::kUnknown) {
    co_return Outcome{.reply = Failure(NoSuchMethod(call))};
  }
  if (!call.log_level.empty()) co_await RaiseLogLevel(call.log_level, call.deadline);
  if (dialogues_ != nullptr && IsInteractive(call)) {
    Outcome conversed = co_await Converse(call);
    co_return conversed;
  }
  Composed composed = ComposeLegacy(call, channel().NextId(), link());
  Outcome outcome = co_await Send(call, std::move(composed), true);
  co_return outcome;
}

// The server may interrupt this call with questions to its client.
Task<Face::Outcome> LegacyAdapter::Converse(Call& call) {
  if (channel().transport().wants_headers() && !std::exchange(stream_tried_, true)) {
    co_await listens_->OpenStream(kStreamPatience);
  }
  const auto dialogue = std::make_shared<Dialogue>(shared_from_this(), dialogues_);
  Outcome outcome{.reply = std::make_unique<DialogueReply>(dialogue)};
  dialogue->Begin(call);
  const Dialogue::Start start = co_await dialogue->Started();
  outcome.link_is_stale = start == Dialogue::Start::kStale;
  if (start == Dialogue::Start::kFailed) outcome.reply = Failure(dialogue->TakeError());
  co_return outcome;
}

// 404 says the session is gone; the request was not looked at. A 404 without one and a 405 say that
// nobody takes a POST here any more: the server may speak HTTP+SSE now, as its home knows already.
// A 400 may come from a server that now speaks the modern era only.
Task<bool> LegacyAdapter::IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) {
  const bool has_session = !link().session_id.empty();
  if (facts.status == 404 && has_session) co_return true;
  if (!reply) co_return facts.status == 404 || facts.status == 405;
  if (facts.status != 400) co_return false;
  const int code = co_await PeekErrorCode(reply);
  const bool modern = code <= mcp::kHeaderMismatch && code >= mcp::kUnsupportedVersion;
  co_return modern || (has_session && code == kSdkBadSession);
}

std::string LegacyAdapter::DiscoverResult() const {
  const ServerFacts& facts = link().facts;
  std::string result = R"({"resultType":"complete","supportedVersions":[)" +
                       mcp::Quote(mcp::ToString(mcp::kModern)) + R"(],"capabilities":)" +
                       facts.capabilities;
  if (!facts.instructions.empty()) {
    result += R"(,"instructions":)" + mcp::Quote(facts.instructions);
  }
  result += R"(,"ttlMs":0,"cacheScope":"private")";
  if (!facts.info.empty()) {
    result += R"(,"_meta":{"io.modelcontextprotocol/serverInfo":)" + facts.info + "}";
  }
  return result + "}";
}

// The level belongs to the session: it is raised to the most verbose one anybody asked for, never
// lowered, and each call's messages are filtered by its own.
Task<void> LegacyAdapter::RaiseLogLevel(std::string level, Deadline deadline) {
  const int rank = LogRank(level);
  if (rank < 0 || !link().facts.capabilities.contains("\"logging\"")) co_return;
  int so_far = *link().log_rank;
  do {
    if (rank >= so_far) co_return;
  } while (!link().log_rank->compare_exchange_weak(so_far, rank));
  const std::string params = R"({"level":)" + mcp::Quote(level) + "}";
  const std::string headers = LegacyHeaders(link());
  Result<mcp::Message> answer =
      co_await channel().Ask({.method = mcp::Info(mcp::Method::kSetLevel).name,
                              .params = params,
                              .headers = headers,
                              .deadline = deadline});
  if (answer) co_return;
  spdlog::debug("server {}: logging/setLevel: {}", channel().server(), answer.error().message);
  // The next call tries again. Not after a deadline, which each call would wait for then: the
  // server was told.
  if (answer.error().code == Code::kDeadline) co_return;
  int ours = rank;
  link().log_rank->compare_exchange_strong(ours, so_far);
}

void LegacyAdapter::Unsolicited(mcp::Message message) {
  if (message.kind() == mcp::Kind::kRequest) {
    if (tasks_ != nullptr && tasks_->Asked(message)) return;
    if (dialogues_ != nullptr) return dialogues_->Asked(message);
    Channel::Answer(shared_channel(), message, LegacyHeaders(link()));
  } else if (dialogues_ != nullptr && message.method() == mcp::Method::kCancelled) {
    dialogues_->Withdrawn(message);
  } else {
    listens_->Dispatch(message);
  }
}

bool LegacyAdapter::Passes(const Call& call, mcp::Message& message) {
  switch (message.method()) {
    case mcp::Method::kProgress: return !call.progress_token.empty();
    case mcp::Method::kLogMessage: return WantsLog(call.log_level, message);
    default: listens_->Dispatch(message); return false;
  }
}

Result<mcp::Message> LegacyAdapter::Convert(const Call& call, mcp::Message response) {
  const bool created = response.kind() == mcp::Kind::kResult && response.Has(mcp::Key::kTask);
  if (created && BecomesTask(call)) {
    if (tasks_ != nullptr) tasks_->Created(response);
    return ToCreatedTask(response);
  }
  // Its era knows no types of results: a modern client, and we, would take another one for a
  // question or a task that nobody keeps.
  const std::string_view type = response.Get(mcp::Key::kResultType);
  if (!type.empty() && type != R"("complete")") {
    return Broken(std::string(call.method().name) + ": resultType " +
                  std::string(type.substr(0, 60)) + " is not of its era");
  }
  return ToModernResponse(std::move(response), call.message.method(),
                          tasks_ != nullptr ? Execution::kKept : Execution::kDropped);
}

Task<void> LegacyAdapter::Close() {
  if (link().session_id.empty()) co_return;
  const mcp::Pieces nothing;
  const std::string headers = LegacyHeaders(link());
  Outgoing out{.body = nothing,
               .id = {},
               .headers = headers,
               .deadline = Deadline::In(channel().deps().clock, kEndSessionTime)};
  Result<void> ended = co_await channel().transport().EndSession(out);
  if (!ended) {
    spdlog::debug("server {}: DELETE: {}", channel().server(), ended.error().message);
  }
}

}  // namespace switchyard::downstream
