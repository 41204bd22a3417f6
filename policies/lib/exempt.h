// Which attempts at a server are none that policies count, bound or refuse. Pure.
#pragma once

#include "mcp/method.h"

namespace switchyard::policies {

// Streams that are meant to last (subscriptions/listen), notifications, which have no answer to
// judge or to wait for, and what gives up that which waits at a server (`forsaken`): it asks for
// nothing.
inline bool IsExempt(mcp::Route route, bool forsaken) {
  return route == mcp::Route::kListen || route == mcp::Route::kNotification || forsaken;
}

}  // namespace switchyard::policies
