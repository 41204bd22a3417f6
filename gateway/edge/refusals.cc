#include "edge/refusals.h"

#include <utility>

#include "edge/http_sink.h"
#include "mcp/error_map.h"

namespace switchyard::edge {

Error Invalid(int rpc_code, std::string message, std::string data) {
  return Error{.code = Code::kInvalid,
               .origin = Origin::kClient,
               .message = std::move(message),
               .rpc_code = rpc_code,
               .data = std::move(data)};
}

Error BadRequest(std::string message) { return Invalid(mcp::kInvalidRequest, std::move(message)); }

Error Busy(Code code, std::string message) {
  return Error{
      .code = code, .origin = Origin::kGateway, .retryable = true, .message = std::move(message)};
}

Error AtQuota(Quota::Refusal refusal, const Quota& quota, std::string_view what,
              std::string_view remedy) {
  const bool own = refusal == Quota::Refusal::kOwner;
  std::string message = own ? "you have " + std::to_string(quota.limits().per_owner) + " "
                            : "there are " + std::to_string(quota.limits().total) + " ";
  // How many of all are whose is not for strangers.
  if (refusal == Quota::Refusal::kCrowd) message = "there are too many ";
  message.append(what);
  message.append(refusal == Quota::Refusal::kCrowd ? " of callers without a credential: "
                                                   : " at a time and no more: ");
  message.append(remedy);
  return Busy(own ? Code::kRateLimited : Code::kUnavailable, std::move(message));
}

Task<void> RespondBusy(Exchange& exchange, Error error, std::string raw_id) {
  exchange.AddHeader("Retry-After", "5");
  const int status = error.code == Code::kRateLimited ? 429 : 503;
  co_await RespondError(exchange, status, raw_id, error);
}

}  // namespace switchyard::edge
