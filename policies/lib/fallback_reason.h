// Why a call is answered by another than whom it named: which failures are reasons, and when
// another may be asked though the first one might have run. Pure.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "mcp/message.h"

namespace switchyard::policies {

enum class FallbackReason : std::uint8_t {
  kOpen,         // a circuit breaker
  kRate,         // a rate limit of the gateway's, or the server says 429
  kBudget,       // a budget is used up
  kOverload,     // no slot of `concurrency`
  kTimeout,      // no answer in time
  kUnavailable,  // the server is down, or the connection broke
  kError,        // an answer that is none, or an error object that does not blame the request
  kToolError,    // a tool's result with isError
};
// As in the configuration and in metrics.
inline constexpr std::array<std::string_view, 8> kFallbackReasons = {
    "open", "rate", "budget", "overload", "timeout", "unavailable", "error", "tool_error"};

using FallbackReasons = std::bitset<kFallbackReasons.size()>;
constexpr FallbackReasons DefaultFallbackReasons() { return FallbackReasons(0b0111'1111); }

std::string_view ToString(FallbackReason reason);
std::optional<FallbackReason> ParseFallbackReason(std::string_view word);

// nullopt: no reason to ask another. What the caller did wrong, or may not do, is none, nor is that
// it went away.
std::optional<FallbackReason> ReasonOf(const Error& error);
std::optional<FallbackReason> ReasonOf(
    const mcp::Message& response);  // none of what is no response

// Refused before anything ran, because of what the call says: an error object that blames the
// request, or a policy's refusal of the arguments.
bool BlamesTheCall(const mcp::Message& response);

}  // namespace switchyard::policies
