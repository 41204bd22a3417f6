#include "auth/refusal.h"

#include <cstddef>
#include <utility>

#include "mcp/json_string.h"

namespace switchyard::auth {
namespace {

constexpr std::size_t kShown = 64;

}  // namespace

std::string_view ToString(Reason reason) {
  switch (reason) {
    case Reason::kMalformed: return "malformed";
    case Reason::kTooLarge: return "too_large";
    case Reason::kAlgorithm: return "algorithm";
    case Reason::kHeader: return "header";
    case Reason::kType: return "type";
    case Reason::kUnknownKey: return "unknown_key";
    case Reason::kWrongKey: return "wrong_key";
    case Reason::kSignature: return "signature";
    case Reason::kClaims: return "claims";
    case Reason::kIssuer: return "issuer";
    case Reason::kAudience: return "audience";
    case Reason::kExpired: return "expired";
    case Reason::kNotYet: return "not_yet";
  }
  return "malformed";
}

std::unexpected<Refusal> Refuse(Reason reason, std::string detail) {
  return std::unexpected(Refusal{.reason = reason, .detail = std::move(detail)});
}

std::string Shown(std::string_view text) {
  if (text.size() <= kShown) return mcp::Quote(text);
  std::size_t size = kShown;  // not within a character
  while (size > kShown - 4 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return mcp::Quote(text.substr(0, size)) + "...";
}

Error ErrorOf(const Refusal& refusal) {
  return Error{.code = Code::kUnauthenticated,
               .origin = Origin::kClient,
               .retryable = true,  // nothing ran
               .message = "invalid token",
               .detail = std::string(ToString(refusal.reason)) + ": " + refusal.detail};
}

}  // namespace switchyard::auth
