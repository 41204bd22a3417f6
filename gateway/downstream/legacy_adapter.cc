#include "downstream/legacy_adapter.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/legacy_convert.h"
#include "mcp/error_map.h"

namespace switchyard::downstream {
namespace {

constexpr Duration kEndSessionTime = std::chrono::seconds(2);
// What servers built on the SDKs' examples say, with status 400, to a session they do not know.
constexpr int kSdkBadSession = -32000;

Error NoSuchMethod(const Call& call) {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kServer,
               .message = "unknown method: " + std::string(call.message.method_name()),
               .rpc_code = mcp::kMethodNotFound};
}

}  // namespace

LegacyAdapter::LegacyAdapter(std::shared_ptr<Channel> channel, LinkPtr link)
    : Face(std::move(channel), std::move(link)),
      listens_(std::make_shared<LegacyListens>(shared_channel(),
                                               std::make_shared<const Link>(this->link()))) {}

Task<Face::Outcome> LegacyAdapter::Handle(Call& call) {
  const mcp::MethodInfo& method = call.method();
  if (method.route == mcp::Route::kNotification) co_return Outcome{.reply = EmptyReply()};
  if (method.method == mcp::Method::kDiscover) {
    co_return Outcome{.reply =
                          ReplyWith(mcp::Message::FromResult(call.message.id(), DiscoverResult()))};
  }
  if (method.method == mcp::Method::kListen) {
    Result<ReplyPtr> listening = co_await listens_->Open(call);
    co_return Outcome{.reply = std::move(listening)};
  }
  if (method.eras != mcp::Eras::kBoth || method.route == mcp::Route::kUnknown) {
    co_return Outcome{.reply = Failure(NoSuchMethod(call))};
  }
  if (!call.log_level.empty()) co_await RaiseLogLevel(call.log_level, call.deadline);
  Composed composed = ComposeLegacy(call, channel().NextId(), link());
  Outcome outcome = co_await Send(call, std::move(composed), true);
  co_return outcome;
}

// 404 says the session is gone; the request was not looked at. A 400 may come from a server that
// now speaks the modern era only.
Task<bool> LegacyAdapter::IsStale(const HttpFacts& facts, Result<ReplyPtr>& reply) {
  const bool has_session = !link().session_id.empty();
  if (facts.status == 404) co_return has_session;
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
  if (!answer) {
    spdlog::debug("server {}: logging/setLevel: {}", channel().server(), answer.error().message);
  }
}

void LegacyAdapter::Unsolicited(mcp::Message message) {
  if (message.kind() == mcp::Kind::kRequest) {
    Channel::Answer(shared_channel(), message, LegacyHeaders(link()));
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
  return ToModernResponse(std::move(response), call.message.method());
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
