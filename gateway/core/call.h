// One client message on its way in. Owned by the serving coroutine, borrowed by every stage, alive
// until its Reply is gone. One stage at a time touches it, on one thread: no lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "core/definition.h"
#include "core/news.h"
#include "mcp/message.h"
#include "mcp/version.h"

namespace switchyard {

// Who calls. Empty subject = nobody proved who they are.
struct Principal {
  std::string issuer;
  std::string subject;
  std::string client;
  std::vector<std::string> scopes;
};

// Whether the answer to a tools/call may be a task (extension io.modelcontextprotocol/tasks).
enum class Tasks : std::uint8_t {
  kNone,
  kAccepted,  // the client declared the extension: the server decides
  kWanted,    // the client asks for one, as legacy clients do with `params.task`
};

// What the client said of itself, in the modern form, whatever era it speaks. Shared by all calls
// of a session; immutable.
struct Client {
  mcp::Version version = mcp::kModern;
  std::string capabilities = "{}";  // raw JSON ClientCapabilities
  std::string info;                 // raw JSON Implementation, "" = not given
  std::string name;                 // its name for logs, cut to a sane length
  std::string session;              // legacy session id, "" = none
  Tasks tasks = Tasks::kNone;
};

// Where it goes. Set by the catalog before the first policy sees the call. What is borrowed lives
// as long as `pin`.
struct Target {
  std::string_view server;                 // config name; "" = the gateway itself answers
  std::string name;                        // as the server calls it
  const Definition* definition = nullptr;  // null for templates' expansions and unknown links
  std::shared_ptr<const void> pin;         // keeps the catalog snapshot alive
  bool transparent = false;                // the endpoint fronts one server alone, word for word
};

// Parameters of a tool that its client mirrored in headers (basic/transports/streamable-http).
struct HeaderParams {
  bool expected = false;  // the client's transport has headers
  // The rest of each Mcp-Param-* header's name and its value, as they came.
  std::vector<std::pair<std::string, std::string>> sent;
};

struct Call {
  mcp::Message message;
  std::shared_ptr<const Client> client;
  std::string_view endpoint;   // "" = /mcp
  std::string progress_token;  // raw JSON, "" = no progress wanted
  std::string log_level;       // "" = no log messages wanted
  HeaderParams header_params;
  Principal caller;
  Deadline deadline;
  Target target;
  std::shared_ptr<News> news = nullptr;  // of a listen; null = no more than its filter names
  // A retry that brings no answer, for nobody is left who could give one: what waits for it at a
  // server is given up. No server sees it.
  bool forsaken = false;
  int depth = 0;  // > 0: made by the gateway on behalf of another call

  const mcp::MethodInfo& method() const { return mcp::Info(message.method()); }
};

}  // namespace switchyard
