// What servers, authorization servers and browsers send to an OAuth client, of whatever bytes. The
// first byte says as what they are read.
// - it is read or refused with a message that a log can hold;
// - nothing that is taken can end a header, send anybody to http, or name somebody else;
// - what is written again reads the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "admin/connect_html.h"
#include "credentials/connections.h"
#include "credentials/oauth/authorization.h"
#include "credentials/oauth/challenge.h"
#include "credentials/oauth/form.h"
#include "credentials/oauth/metadata.h"
#include "credentials/oauth/registration.h"
#include "credentials/oauth/token.h"
#include "credentials/oauth/url.h"
#include "fuzz/require.h"
#include "mcp/json_string.h"

namespace {

using namespace switchyard;
using namespace switchyard::credentials::oauth;
using fuzz::Require;

bool IsHeaderSafe(const std::string& text) {
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7F) return false;
  }
  return true;
}

template <class T>
bool Took(const Result<T>& read) {
  if (read) return true;
  Require(!read.error().message.empty() && mcp::IsUtf8(read.error().message), "a refusal is text");
  return false;
}

void CheckChallenge(const std::string& text) {
  const Challenge challenge = ReadChallenge(text);
  for (const std::string& scope : challenge.scopes) {
    Require(IsHeaderSafe(scope) && !scope.empty(), "a scope is a word");
  }
  Require(SplitScopes(JoinScopes(challenge.scopes)) == challenge.scopes, "scopes read the same");
}

void CheckServer(const std::string& text) {
  const auto server = ReadServerMetadata(text, "https://as.example");
  if (!Took(server)) return;
  Require(server->issuer == "https://as.example", "it is of who was asked");
  for (const std::string* url :
       {&server->authorization_endpoint, &server->token_endpoint, &server->registration_endpoint}) {
    if (url->empty()) continue;
    const auto parsed = ParseUrl(*url);
    Require(parsed && IsSecure(*parsed), "nobody is sent to http");
  }
  const auto to = AuthorizationUrl(*server, {.state = "s", .verifier = "v", .issuer = "i"});
  if (Took(to)) Require(server->has_pkce(), "no code without PKCE");
  const auto login =
      AuthorizationUrl(*server, {.state = "s", .verifier = "v", .issuer = "i", .nonce = "n"});
  if (Took(login)) Require(login->contains("nonce=n"), "nobody signs in without a nonce");
}

void CheckResource(const std::string& text) {
  const auto resource = ReadResourceMetadata(text, "https://s.example/mcp");
  if (!Took(resource)) return;
  Require(ResourceCovers(resource->resource, "https://s.example/mcp"), "it is of this server");
  Require(!resource->authorization_servers.empty(), "somebody can be asked");
}

void CheckToken(const std::string& text) {
  if (const auto kept = credentials::ReadConnectedText(text)) {
    const auto again = credentials::ReadConnectedText(credentials::ConnectedText(*kept));
    Require(again && again->token == kept->token && again->asked == kept->asked &&
                again->resource == kept->resource,
            "a connection reads the same");
  }
  const credentials::Whose whose = credentials::ReadPrincipalText(text);
  Require(credentials::ReadPrincipalText(credentials::PrincipalText(whose)) == whose || whose.own(),
          "so does whose it is");
  if (const auto id = ReadIdTokenResponse(200, text, WallTime()); Took(id)) {
    Require(!id->empty() && IsHeaderSafe(*id), "an ID token is a word");
  }
  const auto token = ReadTokenResponse(200, text, {}, WallTime());
  if (!Took(token)) return;
  Require(!token->access.empty() && IsHeaderSafe(token->access), "a token ends no header");
  Require(IsHeaderSafe(token->refresh), "nor does the next one");
  const auto again = ReadTokenText(TokenText(*token));
  Require(again && again->access == token->access && again->refresh == token->refresh,
          "what is kept reads the same");
}

void CheckForm(const std::string& text) {
  Require(admin::CookieIn(text, "x").find(';') == std::string::npos, "a cookie ends");
  const auto fields = ReadForm(text);
  if (!fields) return;
  Require(ReadForm(ToForm(*fields)) == fields || fields->empty(), "a form reads the same");
  const auto code = CodeIn(*fields, {.state = "s", .issuer = "https://as.example"});
  if (!Took(code)) return;
  Require(Find(*fields, "state") == "s", "no code without the state");
  Require(Find(*fields, "iss").value_or("https://as.example") == "https://as.example",
          "no code of somebody else");
}

void CheckUrl(const std::string& text) {
  const auto url = ParseUrl(text);
  if (!url) return;
  Require(url->target.front() == '/', "a host ends where its path begins");
  const std::string written = url->origin() + url->target;
  if (written.size() > 2048) return;  // it had no path, and has one now
  const auto again = ParseUrl(written);
  Require(again && again->origin() + again->target == written, "a URL reads the same");
  Require(ResourceCovers(text, text), "a URL covers itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0: CheckChallenge(text); break;
    case 1: CheckServer(text); break;
    case 2: CheckResource(text); break;
    case 3: CheckToken(text); break;
    case 4: CheckForm(text); break;
    case 5: CheckUrl(text); break;
    default:
      if (const auto client = ReadRegistration(201, text); Took(client)) {
        Require(ReadClientText(ClientText(*client)).has_value(), "a client reads the same");
      }
  }
  return 0;
}
