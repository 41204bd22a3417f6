// Tokens as a token endpoint answers with them, and as the vault keeps them. Pure; safe from any
// thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace switchyard::credentials::oauth {

using WallTime = std::chrono::system_clock::time_point;

struct Token {
  std::string access;
  std::string refresh = {};              // "" = none
  std::optional<WallTime> expires = {};  // nullopt: not said
  std::vector<std::string> scopes = {};  // granted
  friend bool operator==(const Token&, const Token&) = default;
};

// RFC 6749 sections 5.1 and 5.2. `asked`: the scopes of the request, which are granted where the
// answer says nothing. An error's message has the endpoint's error code, if it is one of the closed
// set; the detail has what it says of it, without `secrets`, which are what was sent: some repeat
// it. Nothing else of the answer is repeated: it may have a token in it. kUnauthenticated: the
// grant is no longer good (invalid_grant) or the client is unknown (invalid_client): asking again
// does not help.
Result<Token> ReadTokenResponse(int status, const std::string& body,
                                const std::vector<std::string>& asked, WallTime now,
                                const std::vector<std::string>& secrets = {});

// The id_token of such an answer, not yet believed (OpenID Connect Core 1.0 section 3.1.3.3). The
// same errors; one more where there is none.
Result<std::string> ReadIdTokenResponse(int status, const std::string& body, WallTime now,
                                        const std::vector<std::string>& secrets = {});

// As text for the vault. nullopt: it is no such text.
std::string TokenText(const Token& token);
std::optional<Token> ReadTokenText(const std::string& text);

// When a token that ends at `expires` is replaced: a tenth of its life before, at least 10 s and at
// most 5 minutes. A short-lived one is used for half of its life.
WallTime RefreshAt(WallTime got, WallTime expires);

}  // namespace switchyard::credentials::oauth
