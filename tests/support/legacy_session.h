// Legacy clients that declare what they can be asked, and the answers they give.
#pragma once

#include <string>
#include <string_view>

#include "support/client.h"

namespace switchyard::tests {

// A session of `version` whose client declared `capabilities` (JSON).
inline LegacyClient Declaring(std::uint16_t port, std::string_view capabilities,
                              const std::string& version = "2025-11-25") {
  LegacyClient client(port, "/mcp", version);
  const Answer answer = client.Request(
      {.method = "initialize",
       .members = R"("protocolVersion":")" + version + R"(","capabilities":)" +
                  std::string(capabilities) + R"(,"clientInfo":{"name":"test","version":"1"})"});
  const auto session = answer.headers.find("mcp-session-id");
  if (session != answer.headers.end()) client.set_session(session->second);
  return client;
}

// The response to a server's request, given as the text of that request.
inline std::string AnswerTo(const std::string& request, std::string_view result) {
  return R"({"jsonrpc":"2.0","id":)" + json::serialize(At(Parse(request), "/id")) +
         R"(,"result":)" + std::string(result) + "}";
}

}  // namespace switchyard::tests
