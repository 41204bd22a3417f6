// Somebody outside who is shown calls before they go to a server, and what comes of them before it
// is passed on, and who lets them pass, denies or rewrites them. A POST of JSON each:
//
//   {"phase":"arguments","principal":{...},"endpoint":"/mcp","method":"tools/call",
//    "server":"files","name":"read","arguments":{...}}
//   {"phase":"result", ..., "arguments":{...}, "result":{...}}     or "error":{...}, or
//   "task":{...}
//
// answered by {"action":"allow"}, {"action":"deny","reason":"..."} or
// {"action":"rewrite","body":{...}} with other arguments, or another result. What it does not say
// clearly and in time counts as a denial, unless `on_error: allow`.
//
// Thread-safe; what it is given outlives its tasks.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "core/call.h"
#include "core/service.h"
#include "fetch/remote.h"
#include "policies/guardrail/settings.h"

namespace switchyard::telemetry {
class Metrics;
}

namespace switchyard::policies::guardrail {

enum class HookAction : std::uint8_t { kAllow, kDeny, kRewrite };

struct HookSaid {
  HookAction action = HookAction::kDeny;
  std::string reason = {};  // of a denial, for whoever calls; short, one line
  std::string body = {};    // of a rewrite: a JSON object, to the byte as it was said
};
// The error says what is wrong in a few words.
std::expected<HookSaid, std::string> HookSaidIn(const std::string& answer);

class Hook {
 public:
  Hook(fetch::Fetcher* fetcher, const Clock& clock, switchyard::telemetry::Metrics& metrics)
      : fetcher_(fetcher), clock_(clock), metrics_(metrics) {}

  // Of which requests it sees what they carry, and what comes back. A listen is neither: it tells
  // of tasks of many tools, and is for JudgeAnswer(), message by message.
  static bool SeesArguments(const Call& call, const HookSettings& hook);
  static bool SeesResult(const Call& call, const HookSettings& hook);

  // The call as it goes on; true: with other arguments. The error is what the client gets instead.
  Task<Result<bool>> JudgeCall(Call& call, const HookSettings& hook, std::string_view server) const;

  // What calls of `next` come to, as it is passed on. Of the replies the hook sees responses and
  // news of tasks.
  Task<Result<ReplyPtr>> Handle(Call& call, Service& next, const HookSettings& hook,
                                std::string_view server) const;

  // A response or a notification. The error is what the client gets instead of a response.
  Task<Result<void>> JudgeAnswer(const Call& call, mcp::Message& message, const HookSettings& hook,
                                 std::string_view server) const;

 private:
  class HookedReply;

  // Nothing clear: an error that says why, for the log.
  Task<Result<HookSaid>> Ask(const Call& call, const HookSettings& hook, std::string body) const;
  void Count(std::string_view server, std::string_view phase, std::string_view outcome) const;

  fetch::Fetcher* const fetcher_;
  const Clock& clock_;
  switchyard::telemetry::Metrics& metrics_;
};

}  // namespace switchyard::policies::guardrail
