// What a legacy message means, whatever carries it: shared by the HTTP face and stdio.
#include <utility>

#include <boost/json.hpp>

#include "edge/abilities.h"
#include "edge/client_words.h"
#include "edge/legacy.h"
#include "edge/refusals.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

Error MethodNotFound(const mcp::Message& message) {
  return Error{.code = Code::kNotFound,
               .origin = Origin::kClient,
               .message = "unknown method: " + std::string(message.method_name()),
               .rpc_code = mcp::kMethodNotFound};
}

// server/discover's result as an InitializeResult.
std::string ToInitializeResult(std::string_view discovered, mcp::Version version) {
  boost::json::object discover = boost::json::parse(discovered).as_object();
  boost::json::object result = {
      {"protocolVersion", mcp::ToString(version)},
      {"capabilities", std::move(discover["capabilities"])},
      {"serverInfo", {{"name", "switchyard"}, {"version", SWITCHYARD_VERSION}}}};
  if (const auto* instructions = discover.if_contains("instructions")) {
    result["instructions"] = *instructions;
  }
  return boost::json::serialize(result);
}

// Of a server/discover: keeps how far it tells.
class FirstLook final : public News {
 public:
  std::optional<mcp::Message> Take() override { return std::nullopt; }
  void OnNews(std::function<void()> /*wake*/) override {}
  void Knows(const ListsKnown& lists) override { known_ = lists; }
  const ListsKnown& known() const { return known_; }

 private:
  ListsKnown known_;
};

}  // namespace

// L-LIFE: a version that we speak is echoed, else we offer our newest; never a modern one.
Task<Result<Initialized>> Initialize(const mcp::Message& request, const Caller& caller,
                                     std::string_view endpoint, Service& service,
                                     mcp::Version oldest) {
  const std::string asked = request.GetString(mcp::Key::kProtocolVersion);
  if (asked.empty() || !request.Has(mcp::Key::kCapabilities) ||
      !request.Has(mcp::Key::kClientInfo)) {
    co_return Failure(Invalid(mcp::kInvalidParams,
                              "initialize needs protocolVersion, capabilities and clientInfo"));
  }
  const std::optional<mcp::Version> known = mcp::ParseVersion(asked);
  Client client;
  client.version =
      known && *known <= mcp::kNewestLegacy && *known >= oldest ? *known : mcp::kNewestLegacy;
  client.capabilities = ToModernCapabilities(request.Get(mcp::Key::kCapabilities), client.version);
  client.info = std::string(request.Get(mcp::Key::kClientInfo));
  client.name = ClientName(client.info);

  Call call;
  call.message = mcp::Message::Make(request.id(), "server/discover", "{}");
  call.client = std::make_shared<const Client>(client);
  call.endpoint = endpoint;
  call.caller = caller;
  const auto look = std::make_shared<FirstLook>();
  call.news = look;
  Result<ReplyPtr> reply = co_await service.Handle(call);
  if (!reply) co_return Failure(std::move(reply.error()));
  Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
  if (!next) co_return Failure(std::move(next.error()));
  if (!next->has_value() || (*next)->kind() != mcp::Kind::kResult) {
    co_return Failure(Code::kInternal, Origin::kGateway, "server/discover gave no result");
  }
  mcp::Message response =
      mcp::Message::FromResult(request.id(), ToInitializeResult((*next)->result(), client.version));
  co_return Initialized{.client = std::move(client),
                        .response = std::move(response),
                        .owner = OwnerOf(*call.caller),
                        .lists = look->known()};
}

Result<LegacyCall> MakeLegacyCall(mcp::Message message, const Session& session,
                                  const Caller& caller) {
  LegacyCall made;
  if (message.method() == mcp::Method::kPing) {
    made.answer = mcp::Message::FromResult(message.id(), std::string("{}"));
    return made;
  }
  const mcp::MethodInfo& method = mcp::Info(message.method());
  if (!method.SpokenIn(session.client->version) || method.route == mcp::Route::kUnknown ||
      method.route == mcp::Route::kNotification || method.route == mcp::Route::kToClient ||
      (method.route == mcp::Route::kTask && session.client->version != mcp::Version::k2025_11_25)) {
    return Failure(MethodNotFound(message));
  }
  made.call.client = session.client;
  made.call.caller = caller;
  made.call.endpoint = session.endpoint;
  made.call.progress_token = ProgressToken(message);
  made.call.log_level = session.log_level;
  made.call.message = std::move(message);
  return made;
}

Call MakeStreamCall(const Session& session, const Caller& caller) {
  Call call;
  call.message =
      mcp::Message::Make("0", "subscriptions/listen",
                         R"({"notifications":{"toolsListChanged":true,"promptsListChanged":true,)"
                         R"("resourcesListChanged":true}})");
  call.client = session.client;
  call.endpoint = session.endpoint;
  call.caller = caller;
  return call;
}

}  // namespace switchyard::edge
