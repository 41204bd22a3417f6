#include "downstream/request_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include <boost/json.hpp>

#include "base/digest.h"
#include "base/random.h"
#include "downstream/parking.h"
#include "downstream/questions.h"
#include "mcp/error_map.h"

namespace switchyard::downstream {
namespace {

constexpr std::string_view kVersion = "g1.";

std::string Purpose(const Call& call) { return "requestState " + std::string(call.endpoint); }

void AppendSorted(const boost::json::value& value, std::string& out) {
  if (const boost::json::array* array = value.if_array()) {
    out += '[';
    for (const boost::json::value& item : *array) {
      AppendSorted(item, out);
      out += ',';
    }
    out += ']';
    return;
  }
  const boost::json::object* object = value.if_object();
  if (object == nullptr) {
    out += boost::json::serialize(value);
    return;
  }
  std::vector<const boost::json::key_value_pair*> members;
  for (const boost::json::key_value_pair& member : *object) members.push_back(&member);
  std::ranges::sort(members, {},
                    [](const auto* member) { return std::string_view(member->key()); });
  out += '{';
  for (const boost::json::key_value_pair* member : members) {
    out += mcp::Quote(member->key()) + ":";
    AppendSorted(member->value(), out);
    out += ',';
  }
  out += '}';
}

// What binds a state to its call: all of it in front of the state's own text.
std::string BindingOf(const Call& call, std::string_view server) {
  return std::string(server) + "\n" + Sha256(CallerKey(*call.caller)) + "\n" +
         std::string(call.method().name) + "\n" + DigestOf(call) + "\n";
}

std::int64_t Milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

std::string NewTicket() {
  std::array<std::uint8_t, kTicketSize> bytes;
  SecureRandom(bytes);
  return {bytes.begin(), bytes.end()};
}

Error BadState() {
  return Error{.code = Code::kInvalid,
               .origin = Origin::kClient,
               .message =
                   "requestState is not valid for this call: start the call again, without "
                   "requestState and inputResponses",
               .rpc_code = mcp::kInvalidParams};
}

std::string DigestOf(const Call& call) {
  std::string text = call.target.name;
  if (text.empty()) {
    text = call.message.GetString(call.method().key == mcp::TargetKey::kUri ? mcp::Key::kUri
                                                                            : mcp::Key::kName);
  }
  text += '\n';
  const std::string_view arguments = call.message.Get(mcp::Key::kArguments);
  if (const std::optional<boost::json::value> value = ParseDeep(arguments)) {
    AppendSorted(*value, text);
  } else {
    text += arguments;
  }
  return Sha256(text);
}

// "<kind><expiry in ms>\n" + binding + text
std::string SealState(const Sealer& sealer, const Call& call, std::string_view server,
                      const RequestState& state, WallTime expires) {
  std::string plain(1, static_cast<char>(state.kind));
  plain += std::to_string(Milliseconds(expires)) + "\n" + BindingOf(call, server) + state.text;
  return std::string(kVersion) + sealer.Seal(Purpose(call), plain);
}

Result<RequestState> OpenState(const Sealer& sealer, const Call& call, std::string_view server,
                               WallTime now) {
  const std::string token = call.message.GetString(mcp::Key::kRequestState);
  if (!token.starts_with(kVersion)) return Failure(BadState());
  const std::optional<std::string> plain =
      sealer.Open(Purpose(call), std::string_view(token).substr(kVersion.size()));
  if (!plain || plain->size() < 2) return Failure(BadState());
  const std::size_t line = plain->find('\n');
  if (line == std::string::npos) return Failure(BadState());
  std::int64_t expires = 0;
  std::from_chars(plain->data() + 1, plain->data() + line, expires);
  const std::string binding = BindingOf(call, server);
  const std::string_view rest = std::string_view(*plain).substr(line + 1);
  if (expires <= Milliseconds(now) || !rest.starts_with(binding)) return Failure(BadState());
  return RequestState{.kind = static_cast<RequestState::Kind>(plain->front()),
                      .text = std::string(rest.substr(binding.size()))};
}

}  // namespace switchyard::downstream
