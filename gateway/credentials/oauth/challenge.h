// What a server says with 401 or 403 of the token that it wants (RFC 6750 section 3, RFC 9728
// section 5.1). Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace switchyard::credentials::oauth {

struct Challenge {
  bool bearer = false;            // it names the scheme at all
  std::string resource_metadata;  // a URL; "" = not said
  std::string error;              // "invalid_token", "insufficient_scope"; "" = not said
  std::vector<std::string> scopes;
};

// Of the value of WWW-Authenticate, that of several headers joined by a comma. What is broken reads
// as if it were not there: it comes from a server, and only adds to what is looked for anyway.
Challenge ReadChallenge(std::string_view header);

// The words of a `scope`; characters that no scope may have end it (RFC 6749 section 3.3).
std::vector<std::string> SplitScopes(std::string_view text);
std::string JoinScopes(const std::vector<std::string>& scopes);
bool HasScopes(const std::vector<std::string>& granted, const std::vector<std::string>& wanted);
// Those of both, each once.
std::vector<std::string> UnionOf(std::vector<std::string> a, const std::vector<std::string>& b);

}  // namespace switchyard::credentials::oauth
