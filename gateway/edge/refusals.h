// Refusals of clients, with what they can do about it.
#pragma once

#include <string>

#include "edge/exchange.h"
#include "edge/quota.h"

namespace switchyard::edge {

// kInvalid, kClient. `data`: JSON for error.data, "" = none.
Error Invalid(int rpc_code, std::string message, std::string data = {});
// Invalid request, -32600.
Error BadRequest(std::string message);

// At a limit; kRateLimited: the caller's own, kUnavailable: everybody's.
Error Busy(Code code, std::string message);
// `what`: "sessions". `remedy`: what makes room.
Error AtQuota(Quota::Refusal refusal, const Quota& quota, std::string_view what,
              std::string_view remedy);

// With 429 or 503 and Retry-After.
Task<void> RespondBusy(Exchange& exchange, Error error, std::string raw_id = {});

}  // namespace switchyard::edge
