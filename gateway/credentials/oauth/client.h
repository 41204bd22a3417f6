// The gateway as a client of one authorization server: by what it is known there, and how it shows
// that at the token endpoint (RFC 6749 section 2.3, RFC 7523). Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "credentials/oauth/form.h"
#include "credentials/oauth/metadata.h"
#include "credentials/oauth/signing_key.h"
#include "credentials/oauth/token.h"

namespace switchyard::credentials::oauth {

// Its secret is in memory only for as long as this lives, and is never shown.
struct Client {
  std::string id;
  std::string secret = {};             // "" = none
  std::optional<SigningKey> key = {};  // of private_key_jwt
  std::string auth_method = {};        // as it was registered with; "" = what the server offers
  bool registered = false;             // by the gateway itself, with what the server gave it
};

// A request of the token endpoint as it is sent.
struct TokenRequest {
  std::string authorization;  // the header; "" = none
  std::string body;
};

// How the client shows who it is: what it was registered with, else the best that it can do and the
// server offers: private_key_jwt, client_secret_basic, client_secret_post. Who has a secret or a
// key by configuration shows it or is an error, never "none". An error says what is missing; no
// secret is sent in a way that the server does not announce.
Result<std::string> AuthMethodOf(const Client& client, const ServerMetadata& server);

// `grant`: what is asked for, without the client. `unique`: what names the assertion once (jti).
Result<TokenRequest> MakeTokenRequest(const Client& client, const ServerMetadata& server,
                                      Fields grant, WallTime now, std::string_view unique);

// The fields of each grant; `resource` is in all of them (RFC 8707), "" leaves it out.
Fields ClientCredentialsGrant(const std::vector<std::string>& scopes, std::string_view resource);
Fields RefreshGrant(const Token& token, std::string_view resource);
// RFC 8693 section 2.1. Types are the last word of their URN (section 3): `access_token`. "" leaves
// a field out.
struct ExchangeTerms {
  std::string_view subject_token;  // borrowed
  std::string subject_token_type;
  std::string actor_token = {};
  std::string actor_token_type = {};
  std::string audience = {};
  std::string resource = {};
  std::vector<std::string> scopes = {};
};
Fields ExchangeGrant(const ExchangeTerms& terms);
Fields CodeGrant(std::string_view code, std::string_view verifier, std::string_view redirect_uri,
                 std::string_view resource);

// Claims of the assertion: iss = sub = the client, aud = the issuer (draft-ietf-oauth-rfc7523bis
// section 3, which the MCP extension follows), five minutes at most.
std::string AssertionClaims(std::string_view client_id, std::string_view issuer, WallTime now,
                            std::string_view unique);

}  // namespace switchyard::credentials::oauth
