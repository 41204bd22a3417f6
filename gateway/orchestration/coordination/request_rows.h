// Requests for assistance as they are stored: their reading and writing alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "orchestration/coordination/assistance.h"

namespace switchyard::orchestration {

Result<void> InsertRequest(Records& records, Request& request);  // with those that are asked
// Status, helper, response and end.
Result<void> StoreRequest(Records& records, const Request& request);
Result<void> StoreAnswer(Records& records, std::int64_t id, const Asked& asked);
// Nobody is asked any more.
Result<void> CloseAsked(Records& records, std::int64_t id);

// That the owner of this inbox waits for; that it was asked, with who was asked besides.
Result<std::vector<Request>> OpenRequestsOf(Records& records, std::int64_t box, std::int64_t limit);
Result<std::vector<Request>> OpenRequestsTo(Records& records, std::int64_t box, std::int64_t limit);
Result<std::vector<Request>> ExpiredRequests(Records& records, std::int64_t limit);
Result<bool> ForgetRequests(Records& records, std::int64_t limit);

}  // namespace switchyard::orchestration
