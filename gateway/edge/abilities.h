// The capabilities of a legacy client in the words of the modern era. A pure function.
#pragma once

#include <string>
#include <string_view>

#include "mcp/version.h"

namespace switchyard::edge {

// Raw JSON capabilities of `initialize` as a modern client would declare them (protocol.md 6.3): an
// empty `elicitation` means forms; what a revision does not know is dropped, and so is what means
// nothing outside its own era (experimental, extensions, tasks).
std::string ToModernCapabilities(std::string_view legacy, mcp::Version version);

}  // namespace switchyard::edge
