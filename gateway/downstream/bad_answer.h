// What is wrong with an answer of a server, in the same words whatever it came by.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace switchyard::downstream {

// kProtocol of the server. `shown`: how the answer begins, for the log alone; "" = nothing of it.
Error BadAnswer(std::string message, std::string_view shown);
// `why`: what mcp::Message::Parse made of it.
Error NotJsonRpc(const Error& why, std::string_view shown);

}  // namespace switchyard::downstream
