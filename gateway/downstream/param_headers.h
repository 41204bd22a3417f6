// Mcp-Param-* headers for a server: the arguments that a tool's schema marks (mcp/param_marks.h),
// mirrored for intermediaries. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/call.h"

namespace switchyard::downstream {

// Header lines for `arguments` (raw JSON object or "") as the tool asks for them; "" when it asks
// for none.
std::string ParamHeaders(const Definition& tool, std::string_view arguments);

// Header lines for what a client sent that the tool does not mark: whoever is not meant by it
// passes it on untouched. Nothing beyond kMaxForwarded bytes.
inline constexpr std::size_t kMaxForwarded = 8 * 1024;
std::string OtherParamHeaders(const Definition& tool, const HeaderParams& sent);

}  // namespace switchyard::downstream
