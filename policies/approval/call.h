// A call as an approval knows it: what it is bound to, what a person reads of it, and what a client
// brings back of it. Pure; for policies/approval.cc alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "approvals/approval.h"
#include "base/result.h"
#include "base/seal.h"
#include "core/call.h"

namespace switchyard::policies::approval {

// More cannot be shown to a person, who would approve what nobody has read.
inline constexpr std::size_t kMostArguments = std::size_t{32} << 10;

// What a call is bound to, but for the rule. The error is what its caller is told: arguments that
// two readers could take for two things, or too many of them.
Result<approvals::Request> RequestOf(const Call& call);

// What a call that goes on is known by; a SHA-256. Of another definition or rule it is another
// call.
std::string GoesOnKey(const approvals::Request& request);

// The id in `_meta["switchyard/approval"]`, "" = none.
std::string ClaimOf(const mcp::Message& message);

// `requestState` as this policy gives it to clients: sealed, and worth something for the same call
// of the same caller alone.
struct OwnState {
  enum class Kind : char {
    kQuestion = 'q',  // `text`: the id of the approval that was asked for
    kGoesOn = 'g',    // `text`: a ticket, and `inner` the state of the server
  };
  Kind kind = Kind::kQuestion;
  std::string text = {};
  std::string call_key = {};  // Request::CallKey(), of kGoesOn GoesOnKey()
  std::string inner = {};     // raw JSON, "" = it gave none
};
bool IsOwnState(std::string_view state);
std::string Seal(const Sealer& sealer, const OwnState& state);
std::optional<OwnState> Open(const Sealer& sealer, std::string_view state);

// The message without what answered our own question, and with the server's state (raw, "" = none)
// in the place of ours.
Result<mcp::Message> WithoutOurs(const mcp::Message& message, bool answers, std::string_view inner);

// An `input_required` result with `state` in the place of the server's own, if it gave one.
Result<mcp::Message> WithState(mcp::Message message, const std::string& state);

}  // namespace switchyard::policies::approval
