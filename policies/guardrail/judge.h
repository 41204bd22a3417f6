// What guardrail does to a call and to its answers by its rules alone. No I/O; changes what it is
// given in place.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/call.h"
#include "mcp/message.h"
#include "policies/lib/guardrail_inspection.h"
#include "policies/lib/guardrail_rules.h"

namespace switchyard::policies::guardrail {

struct Judged {
  std::vector<Note> notes = {};
  std::optional<Error> refusal = std::nullopt;
};

// The call as it goes on, its headers that mirror arguments included. A refusal names places and
// never what stood there.
Judged JudgeCall(Call& call, const Rules& rules);

// A response or notification on its way to the client of `call`.
Judged JudgeAnswer(const Call& call, mcp::Message& message, const Rules& rules);

// What there is instead of a reply: what it says may be a server's words.
Judged JudgeFailure(Error& error, const Rules& rules);

// Makes what is read what will be written: what was edited on the way is read anew. False: it
// cannot be read.
bool MakeReadable(mcp::Message& message);

// Other params for a readable request; headers that said what the arguments said go on doing so.
// False: it would be no request.
bool ReplaceParams(Call& call, std::string_view anew);

// What a caller called, in its own words.
std::string_view NameOf(const Call& call);

}  // namespace switchyard::policies::guardrail
