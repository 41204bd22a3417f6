// One tool, prompt, resource or template as a server listed it. Immutable; owned by a catalog.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/derived.h"
#include "mcp/param_marks.h"

namespace switchyard {

class BuiltinTool;
class PolicySet;

enum class ItemKind : std::uint8_t { kTool, kPrompt, kResource, kTemplate };

struct Annotations {  // the server's hints; untrusted unless the server is trusted
  bool read_only = false;
  bool destructive = true;
  bool idempotent = false;
  bool open_world = true;
};

// Whether a call of a tool can end in a task: its server offers tasks, and the tool may be, or must
// be, called as one.
enum class TaskSupport : std::uint8_t { kNone, kOptional, kRequired };

struct Definition {
  ItemKind kind;
  std::string server;   // config name; "" = the gateway's own
  std::string name;     // as the server calls it: name, uri or uriTemplate
  std::string exposed;  // as clients call it
  std::string json;     // the server's own object, verbatim
  Annotations annotations;
  TaskSupport tasks = TaskSupport::kNone;                // of tools
  std::vector<mcp::ParamMark> param_marks = {};          // of tools
  std::shared_ptr<const PolicySet> policies = nullptr;   // of its calls at this endpoint
  std::shared_ptr<const BuiltinTool> builtin = nullptr;  // who serves it, if no server
  Derived derived = {};                                  // what policies made of `json`
  // Of a group of interchangeable servers (catalog/groups.h): what lists show has who may serve it,
  // best first; each of these has what lists show. Both live as long as the catalog.
  std::vector<std::shared_ptr<Definition>> members = {};
  const Definition* listed = nullptr;
  bool by_load = false;  // the member with the fewest calls is best
  bool hidden = false;   // no list shows it at present; calls of it are refused with the reason
};

}  // namespace switchyard
