// Mcp-Param-* headers of a client against the body of its call, as the schema of the tool marks
// them (specification 2026-07-28, basic/transports/streamable-http). Pure.
#pragma once

#include "base/result.h"
#include "core/call.h"

namespace switchyard::catalog {

// `call` is a tools/call with its definition. The error has rpc_code -32020.
Result<void> CheckHeaderParams(const Call& call);

}  // namespace switchyard::catalog
