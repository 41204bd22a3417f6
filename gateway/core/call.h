// One client message on its way in. Owned by the serving coroutine, borrowed by every stage, alive
// until its Reply is gone. One stage at a time touches it, on one thread: no lock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "core/definition.h"
#include "core/news.h"
#include "core/notes.h"
#include "core/principal.h"
#include "mcp/message.h"
#include "mcp/version.h"

namespace switchyard {

class PolicySet;
class Resolver;
class TaskPolicies;

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
  std::string_view server;        // config name; "" = the gateway itself answers
  std::string name;               // as the server calls it
  std::string_view task_of = {};  // of a task: its tool, as the server calls it; "" = not known
  const Definition* definition = nullptr;  // null for templates' expansions and unknown links
  // Keeps the catalog snapshot alive. What is immutable only: it may end on any thread.
  std::shared_ptr<const void> pin;
  const PolicySet* policies = nullptr;  // what they go by; null = defaults
  bool transparent = false;             // the endpoint fronts one server alone, word for word
  const Resolver* others = nullptr;     // what else this endpoint offers; null = nothing
  const TaskPolicies* tasks = nullptr;  // of a listen: as long as its router; null = it has none
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
  Caller caller = Nobody();
  Deadline deadline;
  Target target;
  // The way to the server that it took, which lives as long as the call, also across a reload. Of
  // this worker's thread: no copy of the call that goes to another may have it.
  std::shared_ptr<const void> route = nullptr;
  // Of a listen, or a server/discover; null = no more than its filter names.
  std::shared_ptr<News> news = nullptr;
  // A retry that brings no answer, for nobody is left who could give one: what waits for it at a
  // server is given up. No server sees it.
  bool forsaken = false;
  // Another worker that did the work, as the only one that has the server; nullopt = this one.
  std::optional<unsigned> done_at = std::nullopt;
  unsigned attempts = 1;  // at its server so far, the one under way included
  // Not zero: only what a policy keeps may answer it, if it is no older; nothing goes to a server,
  // so what counts or bounds the work of servers lets it pass.
  Duration only_kept{};
  // Others may be asked in the target's stead, so what somebody keeps is no answer to an error yet:
  // whoever has such an answer says in `spare` how old it may be, for an `only_kept` later on.
  bool others_first = false;
  Duration spare{};           // zero: there is none
  std::string stand_in = {};  // who answered in the target's stead, for the log; "" = nobody
  std::string meant = {};     // of a call in another's stead: by what name that one was called
  std::shared_ptr<CallNotes> notes = nullptr;  // null = nobody keeps a record of it
  // A person approved it, once: no answer of it is kept, and none that was kept is one to it.
  bool once = false;
  int depth = 0;  // > 0: made by the gateway on behalf of another call

  const mcp::MethodInfo& method() const { return mcp::Info(message.method()); }
};

}  // namespace switchyard
