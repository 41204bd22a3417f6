// What counts as a failure of a server. Pure.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "mcp/message.h"
#include "policies/lib/breaker.h"

namespace switchyard::policies {

enum class Failing : std::uint8_t {
  kUnavailable,  // no connection, it broke, the process died, a 5xx without an answer of MCP
  kDeadline,     // no answer in time
  kProtocol,     // an answer that is none
  kRateLimited,  // the server says that it has enough (429)
  kError,        // an error object that does not blame the request
  kToolError,    // a tool's result with isError
};
// As in the metrics' codes and outcomes.
inline constexpr std::array<std::string_view, 6> kFailingWords = {
    "unavailable", "deadline", "protocol", "rate_limited", "error", "tool_error"};

using Failings = std::bitset<kFailingWords.size()>;
constexpr Failings DefaultFailings() { return Failings(0b000111); }
std::optional<Failing> ParseFailing(std::string_view word);

// Of a call that had no answer. What the gateway itself or the client brought about says nothing,
// nor does a status that blames the request or its credentials: one caller's must not shut out all.
Breaker::Verdict JudgeError(const Error& error, Failings failings);
// Of a response.
Breaker::Verdict JudgeResponse(const mcp::Message& response, Failings failings);

}  // namespace switchyard::policies
