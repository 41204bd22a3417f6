// Which failures of a call its agent is told in a result (`isError`), and not its client as an
// error of JSON-RPC: https://modelcontextprotocol.io/specification, "Tools", "Error Handling".
#pragma once

#include "base/result.h"
#include "core/call.h"

namespace switchyard {

// A client that wants a task takes no other result.
inline bool IsForAgent(const Call& call, const Error& error) {
  return error.for_agent && call.message.method() == mcp::Method::kToolsCall &&
         call.client->tasks != Tasks::kWanted;
}

}  // namespace switchyard
