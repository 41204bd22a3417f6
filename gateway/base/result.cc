#include "base/result.h"

#include <utility>

namespace switchyard {

std::string_view ToString(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kUnauthenticated: return "unauthenticated";
    case Code::kForbidden: return "forbidden";
    case Code::kNotFound: return "not_found";
    case Code::kTooLarge: return "too_large";
    case Code::kRateLimited: return "rate_limited";
    case Code::kUnavailable: return "unavailable";
    case Code::kDeadline: return "deadline";
    case Code::kCancelled: return "cancelled";
    case Code::kProtocol: return "protocol";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

std::string_view ToString(Origin origin) {
  switch (origin) {
    case Origin::kClient: return "client";
    case Origin::kGateway: return "gateway";
    case Origin::kServer: return "server";
  }
  return "gateway";
}

Error&& Error::In(std::string_view context) && {
  message.insert(0, ": ").insert(0, context);
  return std::move(*this);
}

std::unexpected<Error> Failure(Code code, Origin origin, std::string message, std::string detail) {
  return std::unexpected(Error{
      .code = code, .origin = origin, .message = std::move(message), .detail = std::move(detail)});
}

std::unexpected<Error> Failure(Error error) { return std::unexpected(std::move(error)); }

}  // namespace switchyard
