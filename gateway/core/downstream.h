// A server behind the gateway, always with a modern face: stateless calls in, whatever the server
// itself speaks. Lives on one worker's thread.
#pragma once

#include <string>
#include <string_view>

#include "core/service.h"
#include "mcp/version.h"

namespace switchyard {

// What is known of a server once it is up (the answer to server/discover in the modern form).
struct ServerFacts {
  mcp::Version version = mcp::kModern;
  std::string capabilities = "{}";  // raw JSON ServerCapabilities
  std::string instructions;
  std::string info;  // raw JSON Implementation
};

class Downstream : public Service {
 public:
  virtual std::string_view name() const = 0;

  // Brings the server up: spawns or connects, finds its era, shakes hands. Idempotent; called again
  // after it went down. A call before it, or while it is down, fails with kUnavailable.
  virtual Task<Result<ServerFacts>> Connect() = 0;

  // Ends everything gracefully, within a bounded time. Nothing may be called after it.
  virtual Task<void> Close() = 0;
};

}  // namespace switchyard
