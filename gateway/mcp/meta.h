// `_meta` at a hop: built anew on the way to a server, cleaned on the way to a client. All edits go
// through Edits, so the message's bytes stay where they are. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp/message.h"
#include "mcp/splice.h"

namespace switchyard::mcp {

// What the gateway itself says in a request's `_meta`. Empty = left out (client_capabilities:
// `{}`).
struct MetaFields {
  std::string_view client_capabilities = {};  // raw JSON
  std::string_view client_info = {};          // raw JSON
  std::string_view log_level = {};            // plain text
  std::string_view progress_token = {};       // raw JSON
  std::string_view trace_parent = {};         // raw JSON
};

// The whole object for a modern server. `other_members` as Message::OtherMeta() gives it.
std::string ModernRequestMeta(const MetaFields& fields, std::string_view other_members);
// For a legacy server: progressToken, traceparent and the others; "" when there is none of them.
std::string LegacyRequestMeta(const MetaFields& fields, std::string_view other_members);

// Makes `meta` (an object) the `_meta` of a request's or notification's params, whether there are
// params with one, without one, or none at all. "" leaves none, or an empty one where there was
// one. Asking again replaces what was asked before. Not to be mixed with the removal of all members
// of params.
void SetParamsMeta(const Message& message, Edits& edits, std::string meta);

// For legacy clients: takes resultType, ttlMs and cacheScope out of a result, and the `_meta` keys
// that only modern knows (the whole `_meta` when nothing else is in it).
void StripModernResult(const Message& message, Edits& edits);
// Only the `_meta` part; for notifications, too.
void StripModernMeta(const Message& message, Edits& edits);

struct CacheHint {
  std::uint64_t ttl_ms = 0;
  std::string_view scope = "private";
};

// For modern clients: what a legacy server's result lacks, `"resultType":"complete"` and, when
// `hint` is given, ttlMs and cacheScope. What the result has stays.
void AddResultType(const Message& message, Edits& edits, std::optional<CacheHint> hint = {});

}  // namespace switchyard::mcp
