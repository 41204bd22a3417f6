// The modern face (2026-07-28): stateless requests, checked as the specification's
// basic/transports/streamable-http and basic/index want it, made into a Call.
#pragma once

#include <memory>
#include <string>

#include "core/service.h"
#include "edge/exchange.h"
#include "edge/sessions.h"
#include "mcp/message.h"

namespace switchyard::edge {

// Does this message, under this MCP-Protocol-Version header, belong to the modern face?
// VER = basic/versioning: per-request metadata or a modern header say so; an initialize without
// metadata never is.
bool IsModernRequest(const mcp::Message& message, std::string_view version_header);

// Fills a Call from the message's own metadata. kInvalid, kMissing... as `_meta` rules have it.
Result<Call> MakeModernCall(mcp::Message message, std::string_view endpoint);

// `service` is the endpoint's; it outlives the task. `sessions` counts the streams that last.
Task<void> ServeModern(Exchange& exchange, mcp::Message message, std::string_view endpoint,
                       Service& service, Sessions& sessions);

}  // namespace switchyard::edge
