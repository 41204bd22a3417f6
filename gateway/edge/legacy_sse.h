// HTTP+SSE, the transport of 2024-11-05 (1105-TR): a GET opens an event stream whose first event
// names the URL for the client's messages; each of those is a POST, answered with 202, and whatever
// it leads to comes on the stream. Closing the stream ends the session. Deprecated; off unless
// `listen.legacy_sse` says otherwise.
#pragma once

#include <memory>
#include <string>

#include "core/service.h"
#include "edge/exchange.h"
#include "edge/sessions.h"

namespace switchyard::edge {

class LegacySseFace {
 public:
  explicit LegacySseFace(Sessions& sessions) : sessions_(sessions) {}

  // `path`: of this endpoint's HTTP+SSE pair, for both of its ends.
  Task<void> Get(Exchange& exchange, std::string path, std::string endpoint,
                 std::shared_ptr<Service> service);
  // A message for a stream of any worker.
  Task<void> Post(Exchange& exchange, std::string endpoint);

 private:
  Sessions& sessions_;
};

}  // namespace switchyard::edge
