// The only table of codes and statuses: how an Error reads on each face. protocol.md's sources: the
// specification's basic/transports/streamable-http (statuses) and basic/index (codes).
#pragma once

#include <string_view>

#include "base/result.h"
#include "mcp/message.h"
#include "mcp/version.h"

namespace switchyard::mcp {

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kLegacyResourceNotFound = -32002;
inline constexpr int kUrlElicitationRequired = -32042;
inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kMissingCapability = -32021;
inline constexpr int kUnsupportedVersion = -32022;
inline constexpr int kLastReserved = -32099;  // -32020 to here belong to the specification

// The JSON-RPC code of an error: its rpc_code when set, else by its Code.
int RpcCode(const Error& error);

// The HTTP status of an error answer. The modern face has statuses for some errors; the legacy face
// answers 200, since legacy clients read 404 as "session gone" and 400 as a broken transport. What
// HTTP has words for (too large, no or too few rights) gets them in both eras, unless it was a
// server that said so. A modern request without its required `_meta` is -32602 with 400: its one
// finder, the edge, says so itself.
int HttpStatus(const Error& error, Version client);
int HttpStatus(int rpc_code, Version client);

// The same of an error object that a server sent: what it says of a message that it could not read
// is about the gateway's own message, and a 400 would make a client doubt the era.
int RelayedStatus(int rpc_code, Version client);

// The code under which an error object of a server goes on to a client. Resource-not-found differs
// by era, and codes of one hop's own trouble (headers, version) would mislead on the next: -32603
// then. The caller keeps the original in `data` when it differs and is worth knowing.
int CodeForClient(int server_code, Method method, Version client);

// `{"jsonrpc":"2.0","id":...,"error":{...}}` for a client. Detail never gets in; where a person
// has to go (Error::visit) is said behind the message. Without data of
// its own, `data` tells origin, code and whether a retry is known to be safe.
Message ErrorMessage(std::string_view raw_id, const Error& error);

// The same as the result of a tools/call whose tool failed: the message as its text, what would be
// `error.data` as `_meta["switchyard/error"]`, since a tool's outputSchema binds structuredContent.
// In the modern form, which the edge turns into that of the client's era.
Message ToolErrorMessage(std::string_view raw_id, const Error& error);

}  // namespace switchyard::mcp
