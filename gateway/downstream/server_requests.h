// What a server gets when it asks us something: ping is answered, everything else refused, since we
// declare no capability that would allow it. The one place that decides this.
#pragma once

#include "mcp/message.h"

namespace switchyard::downstream {

class ServerRequests {
 public:
  // The response to `request`, which is a request. Pure.
  mcp::Message Answer(const mcp::Message& request) const;
};

}  // namespace switchyard::downstream
