#include "downstream/server_requests.h"

#include <string>

#include "downstream/questions.h"
#include "mcp/error_map.h"

namespace switchyard::downstream {

mcp::Message ServerRequests::Answer(const mcp::Message& request) const {
  switch (request.method()) {
    case mcp::Method::kPing: return mcp::Message::FromResult(request.id(), "{}");
    case mcp::Method::kRootsList:
      // One client's roots are not for a session that all share.
      if (declared_.roots) return mcp::Message::FromResult(request.id(), R"({"roots":[]})");
      break;
    case mcp::Method::kSampling:
      if (declared_.sampling) return NotAttributable(request.id());
      break;
    case mcp::Method::kElicitation:
      if (declared_.form || declared_.url) return NotAttributable(request.id());
      break;
    default: break;
  }
  return mcp::Message::MakeError(
      request.id(), mcp::kMethodNotFound,
      "not offered by this client: " + std::string(request.method_name().substr(0, 100)));
}

}  // namespace switchyard::downstream
