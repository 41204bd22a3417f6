#include "edge/modern.h"

#include <utility>

#include "edge/client_words.h"
#include "edge/http_sink.h"
#include "edge/refusals.h"
#include "mcp/error_map.h"
#include "mcp/header_value.h"
#include "mcp/tasks.h"

namespace switchyard::edge {
namespace {

Error UnsupportedVersion(std::string_view requested) {
  return Invalid(mcp::kUnsupportedVersion,
                 "unsupported protocol version: " + std::string(requested),
                 R"({"supported":["2026-07-28"],"requested":)" + mcp::Quote(requested) + "}");
}

// Order as the conformance suite wants it: header present, metadata complete, the two equal, the
// version known, then the mirrored method and name.
Result<void> CheckHeaders(const Exchange& exchange, const mcp::Message& message) {
  const http::RequestParser& request = exchange.request();
  const std::string_view header = request.Get(http::Field::kMcpProtocolVersion);
  if (header.empty()) {
    return Failure(Invalid(mcp::kHeaderMismatch, "header MCP-Protocol-Version is missing"));
  }
  if (!message.Has(mcp::MetaKey::kProtocolVersion) ||
      !message.Has(mcp::MetaKey::kClientCapabilities)) {
    return {};  // MakeModernCall names what is missing
  }
  if (header != message.GetString(mcp::MetaKey::kProtocolVersion)) {
    return Failure(
        Invalid(mcp::kHeaderMismatch, "header MCP-Protocol-Version is " + std::string(header) +
                                          ", the body says " +
                                          message.GetString(mcp::MetaKey::kProtocolVersion)));
  }
  if (mcp::ParseVersion(header) != mcp::kModern) return Failure(UnsupportedVersion(header));
  if (message.kind() != mcp::Kind::kRequest) return {};
  if (request.Get(http::Field::kMcpMethod) != message.method_name()) {
    return Failure(Invalid(mcp::kHeaderMismatch,
                           "header Mcp-Method must be " + std::string(message.method_name()) +
                               ", got " + std::string(request.Get(http::Field::kMcpMethod))));
  }
  return {};
}

Result<void> CheckName(const Exchange& exchange, const mcp::Message& message) {
  const http::RequestParser& request = exchange.request();
  mcp::Key key;
  switch (mcp::Info(message.method()).key) {
    case mcp::TargetKey::kNone: return {};
    case mcp::TargetKey::kName: key = mcp::Key::kName; break;
    case mcp::TargetKey::kUri: key = mcp::Key::kUri; break;
    case mcp::TargetKey::kTaskId: key = mcp::Key::kTaskId; break;
  }
  if (!request.Has(http::Field::kMcpName)) {
    return Failure(Invalid(mcp::kHeaderMismatch, "header Mcp-Name is missing"));
  }
  const std::optional<std::string> decoded =
      mcp::DecodeHeaderValue(request.Get(http::Field::kMcpName));
  if (!decoded || *decoded != message.GetString(key)) {
    return Failure(Invalid(mcp::kHeaderMismatch, "header Mcp-Name differs from the body"));
  }
  return {};
}

// Which of them mirror what only the tool's schema says.
HeaderParams HeaderParamsOf(const http::RequestParser& request) {
  constexpr std::string_view kPrefix = "mcp-param-";
  HeaderParams params{.expected = true, .sent = {}};
  for (const http::Header& header : request.headers()) {
    const bool ours = header.name.size() > kPrefix.size() &&
                      http::EqualsIgnoreCase(header.name.substr(0, kPrefix.size()), kPrefix);
    if (ours) params.sent.emplace_back(header.name.substr(kPrefix.size()), header.value);
  }
  return params;
}

// Clients repeat the same words about themselves with every request.
std::shared_ptr<const Client> ClientOf(const mcp::Message& message) {
  thread_local std::shared_ptr<const Client> last;
  const std::string_view capabilities = message.Get(mcp::MetaKey::kClientCapabilities);
  const std::string_view info = message.Get(mcp::MetaKey::kClientInfo);
  if (last != nullptr && last->capabilities == capabilities && last->info == info) return last;
  auto client = std::make_shared<Client>();
  client->capabilities = std::string(capabilities);
  client->info = std::string(info);
  if (!info.empty()) client->name = ClientName(info);
  if (mcp::DeclaresTasks(capabilities)) client->tasks = Tasks::kAccepted;
  last = client;
  return client;
}

// A reply that is there already.
class Given final : public Service {
 public:
  explicit Given(Result<ReplyPtr> reply) : reply_(std::move(reply)) {}
  Task<Result<ReplyPtr>> Handle(Call&) override { co_return std::move(reply_); }

 private:
  Result<ReplyPtr> reply_;
};

// A stream that lasts counts, for its caller where the policies know one: so they come first.
Task<void> ServeListen(Exchange& exchange, Call& call, Service& service, Sessions& sessions) {
  Result<ReplyPtr> reply = co_await service.Handle(call);
  if (reply) {
    Result<Quota::Permit> permit = sessions.PermitStream(OwnerOf(*call.caller), call.endpoint);
    if (!permit) {
      reply->reset();
      co_await RespondBusy(exchange, permit.error(), std::string(call.message.id()));
      co_return;
    }
    reply = HoldUntilEnd(std::move(*reply), std::move(*permit));
  }
  Given given(std::move(reply));
  HttpSink sink(exchange);
  exchange.Lasts();
  try {
    co_await Answer(given, call, sink);
  } catch (const boost::system::system_error&) {
    if (!exchange.over()) throw;
  }
  if (!exchange.over() || exchange.failed()) co_return;
  // SUB: a listen ends with its result. Whoever listens again is asked for what is good now.
  co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
  const std::string id(call.message.id());
  co_await sink.Finish(
      mcp::Message::FromResult(
          id, R"({"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":)" +
                  id + "}}"),
      nullptr);
}

}  // namespace

bool IsModernRequest(const mcp::Message& message, std::string_view version_header) {
  if (message.Has(mcp::MetaKey::kProtocolVersion) ||
      message.Has(mcp::MetaKey::kClientCapabilities) || message.Has(mcp::MetaKey::kClientInfo)) {
    return true;
  }
  if (message.method() == mcp::Method::kInitialize) return false;
  const std::optional<mcp::Version> version = mcp::ParseVersion(version_header);
  return version && mcp::IsModern(*version);
}

Result<Call> MakeModernCall(mcp::Message message, std::string_view endpoint) {
  for (const auto& [key, name] :
       {std::pair{mcp::MetaKey::kProtocolVersion, "io.modelcontextprotocol/protocolVersion"},
        std::pair{mcp::MetaKey::kClientCapabilities,
                  "io.modelcontextprotocol/clientCapabilities"}}) {
    if (!message.Has(key)) {
      return Failure(Invalid(mcp::kInvalidParams, std::string("params._meta lacks ") + name));
    }
  }
  if (!message.Get(mcp::MetaKey::kClientCapabilities).starts_with('{')) {
    return Failure(Invalid(mcp::kInvalidParams,
                           "io.modelcontextprotocol/clientCapabilities must be an object"));
  }
  const std::string version = message.GetString(mcp::MetaKey::kProtocolVersion);
  if (mcp::ParseVersion(version) != mcp::kModern) return Failure(UnsupportedVersion(version));
  const mcp::MethodInfo& method = mcp::Info(message.method());
  if (message.kind() == mcp::Kind::kRequest &&
      (method.route == mcp::Route::kUnknown || method.route == mcp::Route::kNotification ||
       !method.SpokenIn(mcp::kModern))) {
    return Failure(
        Invalid(mcp::kMethodNotFound, "unknown method: " + std::string(message.method_name())));
  }
  Call call;
  call.client = ClientOf(message);
  call.endpoint = endpoint;
  call.progress_token = ProgressToken(message);
  call.log_level = message.GetString(mcp::MetaKey::kLogLevel);
  if (!call.log_level.empty() && !LogRank(call.log_level)) {
    return Failure(UnknownLogLevel(call.log_level));
  }
  call.message = std::move(message);
  return call;
}

Task<void> ServeModern(Exchange& exchange, mcp::Message message, std::string_view endpoint,
                       Service& service, Sessions& sessions) {
  const std::string raw_id(message.id());
  if (message.is_response()) {
    co_await RespondError(exchange, 400, "",
                          Invalid(mcp::kInvalidRequest, "clients send no responses"));
    co_return;
  }
  if (message.kind() == mcp::Kind::kNotification) {
    co_await exchange.Respond(202);
    co_return;
  }
  Result<void> checked = CheckHeaders(exchange, message);
  if (!checked) {
    co_await RespondError(exchange, 400, raw_id, checked.error());
    co_return;
  }
  Result<void> named = CheckName(exchange, message);
  Result<Call> call = MakeModernCall(std::move(message), endpoint);
  if (!call) {
    const bool unknown = call.error().rpc_code == mcp::kMethodNotFound;
    co_await RespondError(exchange, unknown ? 404 : 400, raw_id, call.error());
    co_return;
  }
  if (!named) {
    co_await RespondError(exchange, 400, raw_id, named.error());
    co_return;
  }
  call->caller = exchange.caller();
  if (call->message.method() == mcp::Method::kToolsCall) {
    call->header_params = HeaderParamsOf(exchange.request());
  }
  if (call->method().route == mcp::Route::kListen) {
    co_await ServeListen(exchange, *call, service, sessions);
    co_return;
  }
  HttpSink sink(exchange);
  co_await Answer(service, *call, sink);
  exchange.set_done_at(call->done_at);
}

}  // namespace switchyard::edge
