#include "policies/approval/call.h"

#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "auth/api_key.h"
#include "base/digest.h"
#include "config/endpoint_path.h"
#include "core/definition.h"
#include "mcp/json_string.h"
#include "mcp/raw_object.h"
#include "pins/definition.h"
#include "policies/approval/secret.h"
#include "policies/lib/guardrail_inspection.h"

namespace switchyard::policies::approval {
namespace {

constexpr std::string_view kOwn = "ap1.";
constexpr std::string_view kPurpose = "approval";

// All that is a secret by its form is left out; immutable.
const guardrail::Rules& Secrets() {
  static const guardrail::Rules rules = [] {
    guardrail::Rules made;
    made.hides = &IsAllSecret;
    guardrail::Wanted wanted{.is_own_key = &auth::IsApiKey};
    for (std::size_t i = 0; i < guardrail::kDetectors.size(); ++i) {
      const bool secret = guardrail::kDetectors.at(i).group == guardrail::Group::kSecrets;
      made.names.emplace_back(guardrail::kDetectors.at(i).name);
      made.actions.push_back(secret ? guardrail::Action::kRedact : guardrail::Action::kOff);
      wanted.detectors[i] = secret;
    }
    made.finder = std::make_unique<const guardrail::Finder>(std::move(wanted));
    return made;
  }();
  return rules;
}

// For people: without secrets, over several lines, and nothing in it is invisible.
std::string ShownOf(const std::string& canonical) {
  guardrail::Inspection inspection(Secrets());
  const std::string params = R"({"arguments":)" + canonical + "}";
  guardrail::Inspection::Outcome outcome = inspection.Json(params, guardrail::Region::kParams);
  if (!outcome.anew) return pins::PrettyJson(canonical);
  const std::string arguments(mcp::RawObject::Parse(*outcome.anew).Get("arguments"));
  const std::optional<std::string> anew = pins::CanonicalJson(arguments);
  return pins::PrettyJson(anew ? *anew : R"("[cannot be shown]")");
}

std::unexpected<Error> Unfit(std::string message) {
  return Failure({.code = Code::kInvalid,
                  .origin = Origin::kClient,
                  .message = std::move(message),
                  .data = R"({"origin":"client","code":"invalid","retryable":true})",
                  .for_agent = true});
}

// Who may serve a call, and how they define its tool. A repeat of a group's call may go to another
// member, so it is bound to all of them.
struct Serving {
  std::string server, definition;
};
Serving ServingOf(const Call& call) {
  const auto hash_of = [](const Definition& one) {
    return pins::DefinitionOf(pins::Kind::kTool, one.json).hash;
  };
  const Definition* tool = call.target.definition;
  Serving serving{.server = std::string(call.target.server),
                  .definition = tool == nullptr ? "" : hash_of(*tool)};
  const Definition* group = tool == nullptr || tool->listed == nullptr ? tool : tool->listed;
  if (group == nullptr || group->members.empty()) return serving;
  std::map<std::string, std::string> members;  // which of them is the best one changes
  for (const auto& member : group->members) members[member->server] = hash_of(*member);
  std::string hashes;
  serving.server.clear();
  for (const auto& [server, hash] : members) {
    serving.server.append(serving.server.empty() ? "" : ", ").append(server);
    hashes += hash;
  }
  serving.definition = Sha256(hashes);
  return serving;
}

}  // namespace

Result<approvals::Request> RequestOf(const Call& call) {
  std::string raw(call.message.Get(mcp::Key::kArguments));
  if (raw.empty()) raw = "{}";
  const Definition* tool = call.target.definition;
  const std::string exposed = tool != nullptr ? tool->exposed : call.target.name;
  const std::optional<std::string> canonical = pins::CanonicalJson(raw);
  if (!canonical) {
    return Unfit(fmt::format(
        "the call of {} needs a person's approval, and its arguments cannot be shown to one: a key "
        "stands there twice, or they are nested too deeply",
        exposed));
  }
  std::string shown = ShownOf(*canonical);
  if (shown.size() > kMostArguments) {
    return Unfit(fmt::format(
        "the call of {} needs a person's approval, and its arguments are more than one can read: "
        "{} bytes, at most {}",
        exposed, shown.size(), kMostArguments));
  }
  const Principal& caller = *call.caller;
  Serving serving = ServingOf(call);
  return approvals::Request{.issuer = caller.issuer,
                            .subject = caller.subject,
                            .client = caller.client,
                            .endpoint = config::PathOfEndpoint(call.endpoint),
                            .server = std::move(serving.server),
                            .tool = call.target.name,
                            .digest = Sha256(*canonical),
                            .definition = std::move(serving.definition),
                            .exposed = exposed,
                            .arguments = std::move(shown)};
}

std::string GoesOnKey(const approvals::Request& request) {
  return Sha256(fmt::format("{}\n{}\n{}", request.CallKey(), request.definition, request.policy));
}

std::string ClaimOf(const mcp::Message& message) {
  return mcp::RawObject::Parse(message.Get(mcp::Key::kMeta)).GetString("switchyard/approval");
}

bool IsOwnState(std::string_view state) { return state.starts_with(kOwn); }

std::string Seal(const Sealer& sealer, const OwnState& state) {
  std::string plain(1, static_cast<char>(state.kind));
  plain += state.call_key + "\n" + state.text + "\n" + state.inner;
  return std::string(kOwn) + sealer.Seal(kPurpose, plain);
}

std::optional<OwnState> Open(const Sealer& sealer, std::string_view state) {
  if (!IsOwnState(state)) return std::nullopt;
  const std::optional<std::string> plain = sealer.Open(kPurpose, state.substr(kOwn.size()));
  if (!plain || plain->empty()) return std::nullopt;
  const std::size_t first = plain->find('\n');
  const std::size_t second = first == std::string::npos ? first : plain->find('\n', first + 1);
  if (second == std::string::npos) return std::nullopt;
  return OwnState{.kind = static_cast<OwnState::Kind>(plain->front()),
                  .text = plain->substr(first + 1, second - first - 1),
                  .call_key = plain->substr(1, first - 1),
                  .inner = plain->substr(second + 1)};
}

Result<mcp::Message> WithoutOurs(const mcp::Message& message, bool answers,
                                 std::string_view inner) {
  const mcp::Message copy = message.Clone();
  mcp::Edits edits = copy.edits();
  const auto remove = [&](mcp::Key key) {
    if (message.Has(key)) edits.RemoveMember(message.bytes(), message.member(key));
  };
  if (answers) remove(mcp::Key::kInputResponses);
  if (inner.empty()) {
    remove(mcp::Key::kRequestState);
  } else {
    edits.Replace(message.member(mcp::Key::kRequestState).value, std::string(inner));
  }
  return mcp::Message::Parse(edits.Apply(message.bytes()), mcp::Check::kEnvelope);
}

Result<mcp::Message> WithState(mcp::Message message, const std::string& state) {
  const mcp::Member own = message.member(mcp::Key::kRequestState);
  if (own.present()) {
    message.edits().Replace(own.value, mcp::Quote(state));
  } else {
    message.edits().Insert(message.result_span().begin + 1,
                           R"("requestState":)" + mcp::Quote(state) + ",");
  }
  return mcp::Message::Parse(message.ToText(), mcp::Check::kEnvelope);
}

}  // namespace switchyard::policies::approval
