// Everything sealed that clients hold and bring back: cursors, task ids, request states, and the
// seal below them. Lines: a forged token, a server's name, an id, arguments (JSON).
// - what was sealed opens to the same, for the same use, caller and call;
// - what a stranger made up, or changed by one character, does not, and says nothing but one error.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/seal.h"
#include "catalog/cursor.h"
#include "catalog/task_ids.h"
#include "core/call.h"
#include "downstream/request_state.h"
#include "fuzz/require.h"
#include "mcp/json_string.h"

namespace {

using namespace switchyard;
using fuzz::Require;

const Sealer& TheSealer() {
  static const Sealer sealer(Sealer::RandomKey());
  return sealer;
}

std::string Changed(std::string token, std::size_t where) {
  char& c = token[where % token.size()];
  c = c == 'A' ? 'B' : 'A';
  return token;
}

void CheckSeal(const std::string& forged, const std::string& text) {
  const Sealer& sealer = TheSealer();
  const std::string token = sealer.Seal("fuzz", text);
  Require(sealer.Open("fuzz", token) == text, "what was sealed opens");
  Require(!sealer.Open("other", token), "for its purpose alone");
  Require(!sealer.Open("fuzz", Changed(token, forged.size())), "a changed token does not open");
  Require(!sealer.Open("fuzz", forged), "a forged token does not open");
}

void CheckCursor(const std::string& forged, const std::string& endpoint, std::uint64_t number) {
  static const std::string key(32, 'k');
  const catalog::CursorSealer cursors(key, endpoint);
  const std::string token = cursors.Seal("tools/list", {.revision = number, .offset = ~number});
  const auto opened = cursors.Open("tools/list", token);
  Require(opened && opened->revision == number && opened->offset == ~number, "a cursor opens");
  Require(!cursors.Open("prompts/list", token), "for its list alone");
  Require(!cursors.Open("tools/list", forged), "a forged cursor does not open");
}

Call CallOf(const std::string& arguments, const std::string& state) {
  Call call;
  std::string text = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t",)"
                     R"("arguments":)" +
                     arguments + R"(,"requestState":)" + mcp::Quote(state) + "}}";
  Result<mcp::Message> message = mcp::Message::Parse(std::move(text), mcp::Check::kFull);
  if (message) call.message = std::move(*message);
  call.endpoint = "team";
  call.target.name = "t";
  call.caller = MakeCaller({.issuer = "i", .subject = "s", .client = "c"});
  return call;
}

void CheckTaskIds(const std::string& forged, const std::string& server, const std::string& id) {
  using catalog::TaskIds;
  if (!mcp::IsUtf8(server) || !mcp::IsUtf8(id)) return;  // both were read out of JSON
  const TaskIds ids(TheSealer());
  Call call = CallOf("{}", "");
  for (const auto use : {TaskIds::Use::kTask, TaskIds::Use::kHeld}) {
    const std::string token = ids.Seal(use, call, {.server = server, .id = id});
    const auto opened = ids.Open(use, call, token);
    const bool too_long = token.size() > std::size_t{8} * 1024;
    Require(too_long || (opened && opened->server == server && opened->id == id), "an id opens");
    Require(!ids.Open(use, call, forged), "a forged id does not open");
    const Caller owner =
        std::exchange(call.caller, MakeCaller({.issuer = "i", .subject = "else", .client = "c"}));
    Require(!ids.Open(use, call, token), "for its caller alone");
    call.caller = owner;
  }
}

void RequireBad(const Result<downstream::RequestState>& state, const char* what) {
  Require(!state.has_value(), what);
  Require(state.error().message == downstream::BadState().message &&
              state.error().rpc_code == downstream::BadState().rpc_code,
          "one error whatever is wrong");
}

void CheckState(const std::string& forged, const std::string& server, const std::string& text,
                const std::string& arguments) {
  using downstream::OpenState;
  const Sealer& sealer = TheSealer();
  const downstream::WallTime now = downstream::WallTime(std::chrono::hours(24 * 365 * 50));
  const Call first = CallOf(arguments, forged);
  if (first.message.id().empty()) return;  // no JSON
  RequireBad(OpenState(sealer, first, server, now), "a forged state does not open");
  const std::string state = downstream::SealState(
      sealer, first, server, {.kind = downstream::RequestState::Kind::kParked, .text = text},
      now + std::chrono::seconds(5));
  const Call retry = CallOf(arguments, state);
  const auto opened = OpenState(sealer, retry, server, now);
  Require(opened && opened->text == text && opened->kind == downstream::RequestState::Kind::kParked,
          "a state opens");
  RequireBad(OpenState(sealer, retry, server, now + std::chrono::seconds(5)), "for its time");
  RequireBad(OpenState(sealer, retry, server + "x", now), "for its server");
  RequireBad(OpenState(sealer, CallOf(R"({"never":"these"})", state), server, now),
             "for its arguments");
  RequireBad(OpenState(sealer, CallOf(arguments, Changed(state, forged.size())), server, now),
             "unchanged");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  const std::string forged = lines.Next(), server = lines.Next(), id = lines.Next();
  const std::string arguments = lines.Rest();
  CheckSeal(forged, id);
  CheckCursor(forged, server, size * 0x9E3779B97F4A7C15u);
  CheckTaskIds(forged, server, id);
  if (arguments != R"({"never":"these"})") CheckState(forged, server, id, arguments);
  return 0;
}
