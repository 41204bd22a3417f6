// How things of servers are called by clients, and back. Pure functions.
//
// Tools and prompts: `prefix__name`; an empty prefix leaves the name as it is.
//
// URIs stay verbatim. Only where two servers list the same URI (or URI template), and where a URI
// already begins with our own scheme (a gateway behind a gateway), it reads
// `switchyard://<server>/<the original, verbatim>`. The original is appended and not
// percent-encoded, so that a rewritten template expands to a rewritten URI and everything can be
// undone without a table. http(s) URIs may be fetched by the client itself: there the first owner
// keeps the verbatim form and only the others are rewritten.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::catalog {

// 1 to 128 of [A-Za-z0-9_.-]: what the specification wants of tool names.
bool IsValidName(std::string_view exposed);

std::string ExposedName(std::string_view prefix, std::string_view name);

// Between a prefix and the name.
inline constexpr std::string_view kAfterPrefix = "__";

std::string RewriteUri(std::string_view server, std::string_view uri);

struct RewrittenUri {
  std::string server;
  std::string_view original;  // a part of the argument
};
std::optional<RewrittenUri> ParseRewrittenUri(std::string_view uri);

bool HasOwnScheme(std::string_view uri);    // switchyard://
bool IsFetchableUri(std::string_view uri);  // http:// or https://

}  // namespace switchyard::catalog
