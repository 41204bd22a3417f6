// What an HTTP answer means in JSON-RPC: pure decisions, no I/O.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/parser.h"
#include "base/result.h"
#include "mcp/message.h"

namespace switchyard::downstream {

inline constexpr std::string_view kEventStream = "text/event-stream";

// A stream of events, also one that is labelled as something else. `parser` has its headers; asked
// again as the body comes, the answer may become true.
bool IsEventStream(const switchyard::http::Parser& parser);
// JSON sent under the label of an event stream.
bool LooksLikeJson(std::string_view body);

// The Error of a status >= 400 (table in transport.h). `body` goes into the detail, cut short.
Error StatusError(int status, std::string_view body);

// For policies and clients, into the data of such an Error: the status and, from a Retry-After
// header ("" = none), how long the server wants to be left alone. Who answers 429 has not run it.
void NoteStatus(Error& error, int status, std::string_view retry_after,
                std::chrono::system_clock::time_point now);
// Seconds or a date, as Retry-After has it; nullopt: it is neither. Never negative.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view text,
                                                         std::chrono::system_clock::time_point now);

// Whether `message` is the response to `id`. An error without an id becomes one: it gets the id. A
// response to somebody else is an Error.
Result<bool> Settle(mcp::Message& message, std::string_view id);

// A whole body as the response to `id`.
Result<mcp::Message> ReadAnswer(int status, std::string body, std::string_view id);

}  // namespace switchyard::downstream
