#include "policies/lib/fallback_reason.h"

#include <algorithm>

#include "mcp/raw_object.h"
#include "policies/lib/breaker_verdict.h"

namespace switchyard::policies {
namespace {

constexpr Failings Only(Failing failing) {
  return Failings(1ULL << static_cast<std::size_t>(failing));
}

// What a policy of the gateway's refused says in its data which one it was.
FallbackReason OfRefusal(const Error& error) {
  if (error.origin == Origin::kServer) return FallbackReason::kRate;
  const mcp::RawObject data = mcp::RawObject::Parse(error.data);
  if (data.Has("budget")) return FallbackReason::kBudget;
  return data.Has("limit") ? FallbackReason::kRate : FallbackReason::kOverload;
}

}  // namespace

std::string_view ToString(FallbackReason reason) {
  return kFallbackReasons.at(static_cast<std::size_t>(reason));
}

std::optional<FallbackReason> ParseFallbackReason(std::string_view word) {
  const auto found = std::ranges::find(kFallbackReasons, word);
  if (found == kFallbackReasons.end()) return std::nullopt;
  return static_cast<FallbackReason>(found - kFallbackReasons.begin());
}

std::optional<FallbackReason> ReasonOf(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable: {
      const bool open = mcp::RawObject::Parse(error.data).Has("breaker");
      return open ? FallbackReason::kOpen : FallbackReason::kUnavailable;
    }
    case Code::kRateLimited: return OfRefusal(error);
    case Code::kDeadline: return FallbackReason::kTimeout;
    case Code::kProtocol:
    case Code::kInternal: return FallbackReason::kError;
    case Code::kInvalid:
    case Code::kUnauthenticated:
    case Code::kForbidden:
    case Code::kNotFound:
    case Code::kTooLarge:
    case Code::kCancelled: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<FallbackReason> ReasonOf(const mcp::Message& response) {
  if (!response.is_response()) return std::nullopt;
  const auto fails = [&response](Failing failing) {
    return JudgeResponse(response, Only(failing)) == Breaker::Verdict::kFailure;
  };
  if (fails(Failing::kError)) return FallbackReason::kError;
  if (fails(Failing::kToolError) && !BlamesTheCall(response)) return FallbackReason::kToolError;
  return std::nullopt;
}

bool BlamesTheCall(const mcp::Message& response) {
  if (response.kind() == mcp::Kind::kError) return !ReasonOf(response);
  if (response.Get(mcp::Key::kIsError) != "true") return false;
  const mcp::RawObject meta = mcp::RawObject::Parse(response.Get(mcp::Key::kMeta));
  return mcp::RawObject::Parse(meta.Get("switchyard/error")).GetString("origin") == "client";
}

}  // namespace switchyard::policies
