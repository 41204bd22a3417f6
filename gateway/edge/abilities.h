// What a client can be asked: its declared capabilities, read once where they matter. Pure
// functions.
#pragma once

#include <string>
#include <string_view>

#include "mcp/version.h"

namespace switchyard::edge {

// Raw JSON capabilities of `initialize` as a modern client would declare them (protocol.md 6.3): an
// empty `elicitation` means forms; what a revision does not know is dropped, and so is what means
// nothing outside its own era (experimental, extensions, tasks).
std::string ToModernCapabilities(std::string_view legacy, mcp::Version version);

struct Abilities {
  bool roots = false;
  bool sampling = false;
  bool sampling_tools = false;
  bool sampling_context = false;
  bool form = false;
  bool url = false;
};
Abilities AbilitiesOf(std::string_view modern_capabilities);

}  // namespace switchyard::edge
