#include "credentials/oauth/client.h"

#include <array>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "credentials/oauth/challenge.h"

namespace switchyard::credentials::oauth {
namespace {

constexpr std::string_view kAssertionType =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::chrono::seconds kAssertionLife{300};
const std::string kTokenType = "urn:ietf:params:oauth:token-type:";

bool CanDo(const Client& client, std::string_view method) {
  if (method == "private_key_jwt") return client.key.has_value();
  if (method == "client_secret_basic" || method == "client_secret_post") {
    return !client.secret.empty();
  }
  return method == "none";
}

void AddScope(Fields& fields, const std::vector<std::string>& scopes) {
  if (!scopes.empty()) fields.emplace_back("scope", JoinScopes(scopes));
}

void AddResource(Fields& fields, std::string_view resource) {
  if (!resource.empty()) fields.emplace_back("resource", resource);
}

}  // namespace

Result<std::string> AuthMethodOf(const Client& client, const ServerMetadata& server) {
  if (!client.auth_method.empty()) {
    if (CanDo(client, client.auth_method)) return client.auth_method;
    return Failure(Code::kInvalid, Origin::kGateway,
                   "the client has not what " + client.auth_method + " needs");
  }
  static constexpr std::array kBestFirst = {"private_key_jwt", "client_secret_basic",
                                            "client_secret_post"};
  for (const char* method : kBestFirst) {
    if (CanDo(client, method) && server.Offers(method)) return std::string(method);
  }
  const bool bare = client.secret.empty() && !client.key;
  // Some give a secret at registration that they do not ask for. Who configured one wants it shown.
  if (bare || (client.registered && server.Offers("none"))) return "none";
  return Failure(Code::kInvalid, Origin::kGateway,
                 "the authorization server announces no way to show who a client is that this one "
                 "could go; set auth_method if it takes one all the same");
}

std::string AssertionClaims(std::string_view client_id, std::string_view issuer, WallTime now,
                            std::string_view unique) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return boost::json::serialize(boost::json::object{{"iss", client_id},
                                                    {"sub", client_id},
                                                    {"aud", issuer},
                                                    {"iat", seconds},
                                                    {"exp", seconds + kAssertionLife.count()},
                                                    {"jti", unique}});
}

Result<TokenRequest> MakeTokenRequest(const Client& client, const ServerMetadata& server,
                                      Fields grant, WallTime now, std::string_view unique) {
  const Result<std::string> method = AuthMethodOf(client, server);
  if (!method) return Failure(method.error());
  TokenRequest request;
  if (*method == "client_secret_basic") {
    request.authorization = BasicCredentials(client.id, client.secret);
  } else {
    grant.emplace_back("client_id", client.id);
    if (*method == "client_secret_post") grant.emplace_back("client_secret", client.secret);
  }
  if (*method == "private_key_jwt") {
    grant.emplace_back("client_assertion_type", kAssertionType);
    grant.emplace_back("client_assertion",
                       client.key->Sign(AssertionClaims(client.id, server.issuer, now, unique)));
  }
  request.body = ToForm(grant);
  Wipe(grant);
  return request;
}

Fields ClientCredentialsGrant(const std::vector<std::string>& scopes, std::string_view resource) {
  Fields fields{{"grant_type", "client_credentials"}};
  AddScope(fields, scopes);
  AddResource(fields, resource);
  return fields;
}

Fields RefreshGrant(const Token& token, std::string_view resource) {
  Fields fields{{"grant_type", "refresh_token"}, {"refresh_token", token.refresh}};
  AddResource(fields, resource);
  return fields;
}

Fields ExchangeGrant(const ExchangeTerms& terms) {
  Fields fields{{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"}};
  // Not in the list above, which would leave a copy of it behind.
  fields.emplace_back("subject_token", terms.subject_token);
  fields.emplace_back("subject_token_type", kTokenType + terms.subject_token_type);
  fields.emplace_back("requested_token_type", kTokenType + "access_token");
  if (!terms.actor_token.empty()) {
    fields.emplace_back("actor_token", terms.actor_token);
    fields.emplace_back("actor_token_type", kTokenType + terms.actor_token_type);
  }
  if (!terms.audience.empty()) fields.emplace_back("audience", terms.audience);
  AddScope(fields, terms.scopes);
  AddResource(fields, terms.resource);
  return fields;
}

Fields CodeGrant(std::string_view code, std::string_view verifier, std::string_view redirect_uri,
                 std::string_view resource) {
  Fields fields{{"grant_type", "authorization_code"},
                {"code", std::string(code)},
                {"code_verifier", std::string(verifier)},
                {"redirect_uri", std::string(redirect_uri)}};
  AddResource(fields, resource);
  return fields;
}

}  // namespace switchyard::credentials::oauth
