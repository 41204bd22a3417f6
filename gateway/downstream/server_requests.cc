#include "downstream/server_requests.h"

#include <string>

#include "mcp/error_map.h"

namespace switchyard::downstream {

mcp::Message ServerRequests::Answer(const mcp::Message& request) const {
  if (request.method() == mcp::Method::kPing) return mcp::Message::FromResult(request.id(), "{}");
  return mcp::Message::MakeError(
      request.id(), mcp::kMethodNotFound,
      "not offered by this client: " + std::string(request.method_name().substr(0, 100)));
}

}  // namespace switchyard::downstream
