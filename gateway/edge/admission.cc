// Who is let in at an endpoint, and what the others are told (RFC 6750 section 3, RFC 9728).
#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "edge/endpoint.h"
#include "edge/http_sink.h"
#include "edge/refusals.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

using auth::Gate;
using auth::WallTime;

// A client waits for its issuer's keys no longer than this.
constexpr Duration kKeys = std::chrono::seconds(5);

auth::Evidence EvidenceOf(Exchange& exchange) {
  const http::RequestParser& request = exchange.request();
  auth::Evidence evidence{.certificate = exchange.certificate()};
  if (request.Has(http::Field::kAuthorization)) {
    evidence.authorization = request.Get(http::Field::kAuthorization);
  }
  return evidence;
}

std::string_view HostOf(const Exchange& exchange) {
  return exchange.request().Get(http::Field::kHost);
}

// The same for every bad credential: a precise answer would help to make a better one.
Error ErrorOf(const Gate::Refused& refused) {
  Error error{.code = Code::kUnauthenticated,
              .origin = Origin::kClient,
              .retryable = true,  // nothing ran
              .message = {},
              .rpc_code = mcp::kInvalidRequest};
  switch (refused.why) {
    case Gate::Turned::kMissing:
      error.message = "who calls? send a token: Authorization: Bearer TOKEN";
      break;
    case Gate::Turned::kMalformed:
      error.message = "Authorization is malformed, expected Bearer TOKEN";
      break;
    case Gate::Turned::kInvalid: error.message = "invalid token"; break;
    case Gate::Turned::kScopes:
      error.code = Code::kForbidden;
      error.message = "insufficient scope";
      break;
  }
  return error;
}

}  // namespace

// Decides at once unless keys have to be waited for: no frame of its own on the way of a call.
Task<void> Endpoint::Admit(Exchange& exchange, Connection& connection, Asked asked,
                           std::shared_ptr<Gate> gate) {
  Gate::Answer answer = gate->Ask(EvidenceOf(exchange), sessions_.clock().WallNow());
  if (!answer && answer.error().keys_may_come) {
    return AdmitLater(exchange, connection, std::move(asked), std::move(gate));
  }
  gate->Count(answer);
  if (!answer) {
    return TurnAway(exchange, PathTo(asked.name, asked.sse), std::move(gate),
                    std::move(answer.error()));
  }
  Welcome(exchange, std::move(*answer));
  return ServeAsked(exchange, connection, std::move(asked));
}

// Streams that last are none of a caller's calls: its token is not left for them.
void Endpoint::Welcome(Exchange& exchange, Caller caller) {
  if (lent_ != nullptr && lent_->wanted() && !caller->credential.empty() &&
      exchange.request().method() == "POST") {
    const auto bearer = auth::BearerIn(exchange.request().Get(http::Field::kAuthorization));
    if (bearer && *bearer) exchange.Hold(lent_->Lend(caller->credential, **bearer));
  }
  exchange.SetCaller(std::move(caller));
}

// What is not refused here is judged once more, when all of it was read: rules and time may have
// gone on by then.
Task<void> Endpoint::BeforeBody(Exchange& exchange) {
  const http::RequestParser& request = exchange.request();
  const std::string_view target = request.target();
  const std::optional<Asked> asked = AskedBy(target.substr(0, target.find('?')));
  if (!access_.gated || !asked || request.method() == "OPTIONS") co_return;
  std::shared_ptr<Gate> gate = find_gate_(asked->name);
  if (gate == nullptr) co_return;
  if (const Misled misled = MisledBy(exchange); misled != Misled::kNo) {
    co_await RefuseMisled(exchange, misled);
    co_return;
  }
  Gate::Answer answer = gate->Ask(EvidenceOf(exchange), sessions_.clock().WallNow());
  if (!answer && answer.error().keys_may_come) {
    std::string authorization(request.Get(http::Field::kAuthorization));
    co_await gate->AwaitKeys(std::move(authorization), Deadline::In(sessions_.clock(), kKeys));
    answer = gate->Ask(EvidenceOf(exchange), sessions_.clock().WallNow());
  }
  if (answer) co_return;
  gate->Count(answer);
  TellOrigin(exchange);
  co_await TurnAway(exchange, PathTo(asked->name, asked->sse), std::move(gate),
                    std::move(answer.error()));
}

Task<void> Endpoint::AdmitLater(Exchange& exchange, Connection& connection, Asked asked,
                                std::shared_ptr<Gate> gate) {
  std::string authorization(exchange.request().Get(http::Field::kAuthorization));
  co_await gate->AwaitKeys(std::move(authorization), Deadline::In(sessions_.clock(), kKeys));
  Gate::Answer answer = gate->Ask(EvidenceOf(exchange), sessions_.clock().WallNow());
  gate->Count(answer);
  if (!answer) {
    co_await TurnAway(exchange, PathTo(asked.name, asked.sse), std::move(gate),
                      std::move(answer.error()));
    co_return;
  }
  Welcome(exchange, std::move(*answer));
  co_await ServeAsked(exchange, connection, std::move(asked));
}

Task<void> Endpoint::TurnAway(Exchange& exchange, std::string path, std::shared_ptr<Gate> gate,
                              Gate::Refused refused) {
  const auto level =
      refused.why == Gate::Turned::kMissing ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(level, "auth: {} refused a request: {}: {}", path, ToString(refused.refusal.reason),
              refused.refusal.detail);
  refused_callers_.Note({.endpoint = path,
                         .peer = exchange.peer(),
                         .verb = exchange.request().method(),
                         .evidence = EvidenceOf(exchange),
                         .refused = refused});
  exchange.AddHeader("WWW-Authenticate", gate->ChallengeOf(refused, HostOf(exchange), path));
  const Error error = ErrorOf(refused);
  co_await RespondError(exchange, Gate::StatusOf(refused), "", error);
}

std::string Endpoint::StepUp(const Exchange& exchange, const std::vector<std::string>& scopes) {
  const std::string_view target = exchange.request().target();
  const std::optional<Asked> asked = AskedBy(target.substr(0, target.find('?')));
  const std::shared_ptr<Gate> gate = asked && access_.gated ? find_gate_(asked->name) : nullptr;
  if (gate == nullptr) return "";
  auth::Resource::Asks asks{.error = "insufficient_scope",
                            .scopes = gate->authenticator().scopes()};
  for (const std::string& scope : scopes) {
    if (std::ranges::find(asks.scopes, scope) == asks.scopes.end()) asks.scopes.push_back(scope);
  }
  return gate->authenticator().resource().Challenge(HostOf(exchange),
                                                    PathTo(asked->name, asked->sse), asks);
}

// Cheap while neither rules nor keys have changed and the time has not come.
bool Endpoint::StillLetsIn(Exchange& exchange) {
  Exchange::Kept& kept = exchange.kept();
  const std::string_view target = kept.target;
  const std::optional<Asked> asked = AskedBy(target.substr(0, target.find('?')));
  const std::shared_ptr<Gate> gate = asked && access_.gated ? find_gate_(asked->name) : nullptr;
  const WallTime now = sessions_.clock().WallNow();
  const std::uint64_t keys = gate == nullptr ? 0 : gate->authenticator().version();
  Vouched& vouched = kept.vouched;
  if (vouched.rules == rules_ && vouched.keys == keys && now < vouched.until) return true;
  if (exchange.trust() != access_.trust) return false;
  if (gate != nullptr) {
    const auth::Evidence evidence{.authorization = kept.authorization,
                                  .certificate = exchange.certificate()};
    const Gate::Answer answer = gate->Ask(evidence, now);
    // What the caller may know of was found out when the stream began.
    const bool same = answer && **answer == *exchange.caller();
    if (!same) {
      spdlog::info("auth: {} ends a stream: {}", PathTo(asked->name, asked->sse),
                   answer ? "its caller may do other things now"
                          : std::string(ToString(answer.error().refusal.reason)));
      return false;
    }
    vouched.until = gate->GoodUntil(evidence, now);
  } else {
    vouched.until = WallTime::max();
  }
  vouched.rules = rules_;
  vouched.keys = keys;
  return true;
}

Task<void> Endpoint::ServeMetadata(Exchange& exchange, std::string path,
                                   std::shared_ptr<Gate> gate) {
  const std::string_view method = exchange.request().method();
  if (method == "OPTIONS") {
    co_await Preflight(exchange);
    co_return;
  }
  if (method != "GET" && method != "HEAD") {
    exchange.AddHeader("Allow", "GET, HEAD");
    co_await Refuse(exchange, 405, "use GET");
    co_return;
  }
  const std::string document = gate->authenticator().resource().Metadata(HostOf(exchange), path);
  co_await exchange.Respond(200, kJson, document);
}

}  // namespace switchyard::edge
