#include "approvals/approval.h"

#include <array>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/digest.h"
#include "pins/definition.h"

namespace switchyard::approvals {
namespace {

namespace json = boost::json;

struct Text {
  std::string_view key;
  std::string Request::* value;
};
constexpr std::array kTexts = {
    Text{"issuer", &Request::issuer},   Text{"subject", &Request::subject},
    Text{"client", &Request::client},   Text{"endpoint", &Request::endpoint},
    Text{"server", &Request::server},   Text{"tool", &Request::tool},
    Text{"digest", &Request::digest},   Text{"definition", &Request::definition},
    Text{"policy", &Request::policy},   Text{"rule", &Request::rule},
    Text{"exposed", &Request::exposed}, Text{"arguments", &Request::arguments},
};

std::int64_t Nanoseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// False: it is not there, or something else.
bool Take(const json::object& object, std::string_view key, std::string& into) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return false;
  into = value->get_string();
  return true;
}
bool Take(const json::object& object, std::string_view key, bool& into) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_bool()) return false;
  into = value->get_bool();
  return true;
}
bool Take(const json::object& object, std::string_view key, WallTime& into) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return false;
  into = WallTime(std::chrono::nanoseconds(value->get_int64()));
  return true;
}

bool IsId(std::string_view id) {
  return id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::unexpected<Error> NoApproval(std::string why) {
  return Failure(Code::kInvalid, Origin::kGateway, "is no approval: " + std::move(why));
}

}  // namespace

std::string Request::CallerKey() const {
  // Lengths, so that no name can run into the next one.
  return fmt::format("{}:{}{}:{}{}:{}", issuer.size(), issuer, subject.size(), subject,
                     client.size(), client);
}

std::string Request::CallKey() const {
  return Sha256(fmt::format("{}\n{}:{}{}:{}{}:{}\n{}", CallerKey(), endpoint.size(), endpoint,
                            server.size(), server, tool.size(), tool, digest));
}

std::string_view ToString(State state) {
  switch (state) {
    case State::kPending: return "pending";
    case State::kApproved: return "approved";
    case State::kDenied: return "denied";
  }
  return "pending";
}

std::string TimeText(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<std::chrono::seconds>(time));
}

std::string Readable(std::string_view text, std::size_t longest) {
  std::string visible = pins::Visible(text);
  if (visible.size() <= longest) return visible;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(visible[end]) & 0xC0) == 0x80) --end;
  visible.resize(end);
  return visible + "...";
}

std::string ToText(const Approval& approval) {
  json::object out{{"id", approval.id},
                   {"state", ToString(approval.state)},
                   {"created", Nanoseconds(approval.created)},
                   {"expires", Nanoseconds(approval.expires)},
                   {"decided", Nanoseconds(approval.decided)},
                   {"by", approval.by},
                   {"reason", approval.reason},
                   {"by_client", approval.request.by_client},
                   {"by_operator", approval.request.by_operator}};
  for (const Text& text : kTexts) out[text.key] = approval.request.*text.value;
  return json::serialize(out);
}

Result<Approval> FromText(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return NoApproval("it is not a JSON object");
  const json::object& object = value.get_object();
  Approval approval;
  for (const Text& one : kTexts) {
    if (!Take(object, one.key, approval.request.*one.value)) {
      return NoApproval("its " + std::string(one.key) + " is no text");
    }
  }
  std::string state;
  const bool whole = Take(object, "id", approval.id) && Take(object, "state", state) &&
                     Take(object, "created", approval.created) &&
                     Take(object, "expires", approval.expires) &&
                     Take(object, "decided", approval.decided) && Take(object, "by", approval.by) &&
                     Take(object, "reason", approval.reason) &&
                     Take(object, "by_client", approval.request.by_client) &&
                     Take(object, "by_operator", approval.request.by_operator);
  if (!whole) return NoApproval("a member is missing, or not what it must be");
  if (!IsId(approval.id)) return NoApproval("its id is none");
  for (const State known : {State::kPending, State::kApproved, State::kDenied}) {
    if (state != ToString(known)) continue;
    approval.state = known;
    return approval;
  }
  return NoApproval("its state is none");
}

json::object ToJson(const Approval& approval, std::size_t waiting) {
  const Request& request = approval.request;
  json::object out{{"id", approval.id},
                   {"state", ToString(approval.state)},
                   {"caller", json::object{{"issuer", Readable(request.issuer)},
                                           {"subject", Readable(request.subject)},
                                           {"client", Readable(request.client)}}},
                   {"endpoint", request.endpoint},
                   {"server", request.server},
                   {"tool", Readable(request.tool)},
                   {"exposed", Readable(request.exposed)},
                   {"arguments", request.arguments},
                   {"argumentsSha256", request.digest},
                   {"definitionSha256", request.definition},
                   {"rule", request.rule},
                   {"ruleSha256", request.policy},
                   {"created", TimeText(approval.created)},
                   {"expires", TimeText(approval.expires)},
                   {"waiting", waiting},
                   {"decidable", request.by_operator}};
  if (approval.state == State::kPending) return out;
  out["decided"] = TimeText(approval.decided);
  out["by"] = approval.by;
  out["reason"] = approval.reason;
  return out;
}

}  // namespace switchyard::approvals
