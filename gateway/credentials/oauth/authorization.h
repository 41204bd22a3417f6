// The authorization code flow with PKCE (OAuth 2.1, RFC 7636, RFC 8707, RFC 9207): what a browser
// is sent with, and what it brings back. Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "credentials/oauth/form.h"
#include "credentials/oauth/metadata.h"

namespace switchyard::credentials::oauth {

// What is remembered between the two; single use, and short-lived.
struct Attempt {
  std::string state = {};     // not to be guessed
  std::string verifier = {};  // of PKCE, 43 characters
  std::string issuer = {};    // who was asked, to the letter
  bool says_issuer = false;
  std::string client_id = {}, redirect_uri = {}, resource = {};
  std::vector<std::string> scopes = {};
  // Of OpenID Connect, "" = none: what the ID token is to say again, and how the user is asked.
  std::string nonce = {}, prompt = {};
};

// S256 (RFC 7636 section 4.2).
std::string ChallengeOf(std::string_view verifier);

// Where the browser is sent. An error: the server has no such endpoint, or does not say that it
// knows S256, and without that a code that leaks is as good as a token. With a nonce it need not
// say so: the challenge goes along all the same.
Result<std::string> AuthorizationUrl(const ServerMetadata& server, const Attempt& attempt);

// The code that came back. `query` is that of the redirect. Who answered is looked at before
// anything that he says: an answer of another issuer is not believed even as an error (RFC 9207
// section 2.4). Messages repeat nothing of the query but error codes of the closed set.
Result<std::string> CodeIn(const Fields& query, const Attempt& attempt);

// The scopes to ask for: those of the challenge, else the configured ones, else what the resource
// supports; and offline_access where the server lists it, for without it nothing is refreshed.
std::vector<std::string> ScopesFor(const std::vector<std::string>& challenged,
                                   const std::vector<std::string>& configured,
                                   const std::vector<std::string>& supported,
                                   const ServerMetadata& server);

}  // namespace switchyard::credentials::oauth
