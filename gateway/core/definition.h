// One tool, prompt, resource or template as a server listed it. Immutable; owned by a catalog.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mcp/param_marks.h"

namespace switchyard {

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
  std::string server;   // config name
  std::string name;     // as the server calls it: name, uri or uriTemplate
  std::string exposed;  // as clients call it
  std::string json;     // the server's own object, verbatim
  Annotations annotations;
  TaskSupport tasks = TaskSupport::kNone;        // of tools
  std::vector<mcp::ParamMark> param_marks = {};  // of tools
};

}  // namespace switchyard
