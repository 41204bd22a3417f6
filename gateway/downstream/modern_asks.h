// What a modern server asks in the middle of a call passes through: checked against what the
// client offers, with the server's name before its words, and with its `requestState` sealed, so
// that one server's state never reaches another and a caller's is worth nothing to the next one.
//
// A sealed state comes back once (used_states.h). Pure but for that and for randomness.
#pragma once

#include <optional>
#include <string_view>

#include "core/call.h"
#include "core/reply.h"
#include "downstream/compose.h"
#include "downstream/parking.h"
#include "downstream/request_state.h"

namespace switchyard::downstream {

// How long a client may keep the state of a modern server.
inline constexpr Duration kWrappedExpiry = std::chrono::hours(1);

// `message` has inputRequests: of an input_required result, of a task. Checks them and edits them
// in place; an Error when the server asks what it may not.
Result<void> PassQuestions(const Call& call, std::string_view server, mcp::Message& message);

// `response` is an input_required result. An Error when the server asks what it may not.
Result<mcp::Message> PassInputRequired(const Call& call, mcp::Message response,
                                       std::string_view server, const Parking& parking,
                                       WallTime now);

// Puts the server's own state in the place of the sealed one that `call` brings. nullopt: it brings
// none that could be ours.
Result<std::optional<UsedStates::Use>> RestoreState(const Call& call, std::string_view server,
                                                    Parking& parking, const Clock& clock,
                                                    Composed& composed);

// The same reply; a result in it ends the use of the state that it came by.
ReplyPtr WithUse(ReplyPtr reply, UsedStates::Use use);

}  // namespace switchyard::downstream
