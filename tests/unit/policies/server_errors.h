// How calls fail at a server, as its transport says.
#pragma once

#include "base/result.h"

namespace switchyard::policies {

inline Error Unsent() {
  return {.code = Code::kUnavailable,
          .origin = Origin::kServer,
          .retryable = true,
          .message = "connect: refused"};
}
inline Error Broke() {
  return {.code = Code::kUnavailable, .origin = Origin::kServer, .message = "closed"};
}

}  // namespace switchyard::policies
