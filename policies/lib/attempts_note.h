// What a client sees of a call that took more than one attempt: `"switchyard/attempts": 2` in the
// `_meta` of its result. Pure.
#pragma once

#include <string>
#include <string_view>

#include "mcp/message.h"

namespace switchyard::policies {

inline constexpr std::string_view kAttemptsKey = "switchyard/attempts";

// As NoteInMeta().
void NoteAttempts(mcp::Message& answer, unsigned attempts);

}  // namespace switchyard::policies
