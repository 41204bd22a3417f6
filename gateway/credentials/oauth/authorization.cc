#include "credentials/oauth/authorization.h"

#include <algorithm>
#include <array>

#include "base/base64url.h"
#include "base/digest.h"
#include "credentials/oauth/challenge.h"

namespace switchyard::credentials::oauth {
namespace {

// RFC 6749 section 4.1.2.1.
constexpr std::array<std::string_view, 7> kErrors = {
    "invalid_request", "unauthorized_client", "access_denied",          "unsupported_response_type",
    "invalid_scope",   "server_error",        "temporarily_unavailable"};

std::unexpected<Error> Refuse(std::string why) {
  return Failure(Code::kForbidden, Origin::kServer, std::move(why));
}

// As long as it takes for different texts, wherever they differ.
bool Same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

}  // namespace

std::string ChallengeOf(std::string_view verifier) {
  const Sha256Digest digest = Sha256Bytes(verifier);
  return EncodeBase64Url(
      std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

Result<std::string> AuthorizationUrl(const ServerMetadata& server, const Attempt& attempt) {
  if (server.authorization_endpoint.empty()) {
    return Refuse("the authorization server has no authorization_endpoint");
  }
  if (!server.has_pkce() && attempt.nonce.empty()) {
    return Refuse("the authorization server does not announce PKCE with S256, so it is not used");
  }
  Fields fields{{"response_type", "code"},
                {"client_id", attempt.client_id},
                {"redirect_uri", attempt.redirect_uri},
                {"state", attempt.state},
                {"code_challenge", ChallengeOf(attempt.verifier)},
                {"code_challenge_method", "S256"}};
  if (!attempt.scopes.empty()) fields.emplace_back("scope", JoinScopes(attempt.scopes));
  if (!attempt.resource.empty()) fields.emplace_back("resource", attempt.resource);
  if (!attempt.nonce.empty()) fields.emplace_back("nonce", attempt.nonce);
  if (!attempt.prompt.empty()) fields.emplace_back("prompt", attempt.prompt);
  const bool has_query = server.authorization_endpoint.find('?') != std::string::npos;
  return server.authorization_endpoint + (has_query ? "&" : "?") + ToForm(fields);
}

Result<std::string> CodeIn(const Fields& query, const Attempt& attempt) {
  const auto state = Find(query, "state");
  if (!state || attempt.state.empty() || !Same(*state, attempt.state)) {
    return Refuse("what came back does not belong to what was asked");
  }
  const auto issuer = Find(query, "iss");
  if (issuer && *issuer != attempt.issuer) {
    return Refuse("somebody else answered than the authorization server that was asked");
  }
  if (!issuer && attempt.says_issuer) {
    return Refuse("the answer does not say who answers, which the server announces to do");
  }
  if (const auto error = Find(query, "error")) {
    const bool known = std::ranges::find(kErrors, *error) != kErrors.end();
    return Refuse("the authorization server refused" + (known ? ": " + std::string(*error) : ""));
  }
  const auto code = Find(query, "code");
  if (!code || code->empty()) return Refuse("what came back has no code");
  return std::string(*code);
}

std::vector<std::string> ScopesFor(const std::vector<std::string>& challenged,
                                   const std::vector<std::string>& configured,
                                   const std::vector<std::string>& supported,
                                   const ServerMetadata& server) {
  std::vector<std::string> scopes = !challenged.empty()   ? challenged
                                    : !configured.empty() ? configured
                                                          : supported;
  if (!challenged.empty()) scopes = UnionOf(scopes, configured);
  const auto& listed = server.scopes_supported;
  if (std::ranges::find(listed, "offline_access") != listed.end()) {
    scopes = UnionOf(std::move(scopes), {"offline_access"});
  }
  return scopes;
}

}  // namespace switchyard::credentials::oauth
