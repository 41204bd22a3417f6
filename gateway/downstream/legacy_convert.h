// Content on its way up from a legacy server: what it lacks is added, what modern clients must not
// see is taken out. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "mcp/message.h"
#include "mcp/method.h"

namespace switchyard::downstream {

// ServerCapabilities in the modern form: tasks are an extension there.
std::string ModernCapabilities(std::string_view raw);

// Adds what a complete result must have and lacks: resultType and, where one is due, a cache hint
// that allows nothing.
void CompleteResult(mcp::Message& response, mcp::Method method);

// Makes the response of a legacy server to `method` read like a modern one's: resultType, the cache
// hint where one is due (nothing may be kept: a legacy server promises nothing), tools without
// `execution` unless the catalog is to read it. Error codes: see ToModernError.
enum class Execution : bool { kDropped, kKept };
mcp::Message ToModernResponse(mcp::Message response, mcp::Method method,
                              Execution execution = Execution::kDropped);

// Codes that must not appear on a modern face become ones that may: "resource not found" -32002 is
// -32602; the reserved band -32099..-32020 is -32603 with the original in `data`, except what
// `keeps_spec_codes` (a modern server's own) leaves alone. Others stay.
mcp::Message ToModernError(mcp::Message response, bool keeps_spec_codes);

}  // namespace switchyard::downstream
