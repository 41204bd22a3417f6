#include "policies/lib/breaker_verdict.h"

#include <algorithm>

#include "mcp/error_map.h"
#include "policies/lib/failure_data.h"

namespace switchyard::policies {
namespace {

using Verdict = Breaker::Verdict;

bool Has(Failings failings, Failing failing) { return failings[static_cast<std::size_t>(failing)]; }

// Codes with which a server says that the request is wrong, or what it needs from the client.
bool BlamesTheRequest(int code) {
  switch (code) {
    case mcp::kParseError:
    case mcp::kInvalidRequest:
    case mcp::kMethodNotFound:
    case mcp::kInvalidParams:
    case mcp::kLegacyResourceNotFound:
    case mcp::kUrlElicitationRequired: return true;
    default: return code <= mcp::kHeaderMismatch && code >= mcp::kLastReserved;
  }
}

std::optional<Failing> FailingOf(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable: return Failing::kUnavailable;
    case Code::kProtocol: return Failing::kProtocol;
    // The queues of the gateway have deadlines and bounds of their own.
    case Code::kDeadline:
      if (error.origin == Origin::kServer) return Failing::kDeadline;
      return std::nullopt;
    case Code::kRateLimited:
      if (error.origin == Origin::kServer) return Failing::kRateLimited;
      return std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Failing> ParseFailing(std::string_view word) {
  const auto found = std::ranges::find(kFailingWords, word);
  if (found == kFailingWords.end()) return std::nullopt;
  return static_cast<Failing>(found - kFailingWords.begin());
}

Verdict JudgeError(const Error& error, Failings failings) {
  const std::optional<Failing> failing = FailingOf(error);
  if (!failing || !Has(failings, *failing)) return Verdict::kNone;
  return Advice::Of(error).blames_request() ? Verdict::kNone : Verdict::kFailure;
}

Verdict JudgeResponse(const mcp::Message& response, Failings failings) {
  if (response.kind() == mcp::Kind::kError) {
    const bool failed = Has(failings, Failing::kError) && !BlamesTheRequest(response.error_code());
    return failed ? Verdict::kFailure : Verdict::kSuccess;
  }
  const bool failed =
      Has(failings, Failing::kToolError) && response.Get(mcp::Key::kIsError) == "true";
  return failed ? Verdict::kFailure : Verdict::kSuccess;
}

}  // namespace switchyard::policies
