// `credentials`: what servers are shown beyond fixed headers, and the keys of what is kept of it.
#include <algorithm>
#include <utility>

#include "base/address.h"
#include "config/read.h"
#include "config/rules.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

using Kind = ServerCredentials::Kind;

// Asks for every key on every path; see section.h.
void ReadPerUser(Section& section, ServerCredentials& into) {
  if (auto name = section.String("header")) into.header = std::move(*name);
  if (auto problem = HeaderNameProblem(into.header)) section.Error("header", std::move(*problem));
  if (auto scheme = section.String("scheme")) into.scheme = std::move(*scheme);
  if (!IsHeaderValue(into.scheme)) section.Error("scheme", "must be one word, or empty");
  if (auto by = section.String("by")) into.by = std::move(*by);
  if (into.by.empty()) section.Error("by", "must be subject, client or the name of a claim");
  for (const char* claim : {"exp", "iat", "nbf", "jti"}) {
    if (into.by == claim) section.Error("by", "is another one with each token");
  }
  if (auto values = section.SecretMap("values")) into.values = std::move(*values);
  for (const auto& [name, value] : into.values) {
    if (!value.empty() && IsHeaderValue(value.Reveal())) continue;
    section.Error("values." + name, "must be one line without control characters, and not empty");
  }
}

void ReadClient(Section& section, ServerCredentials& into) {
  if (auto flag = section.Bool("discover_issuer")) into.discover_issuer = *flag;
  if (auto id = section.String("client_id")) into.client_id = std::move(*id);
  if (auto secret = section.SecretString("client_secret")) into.client_secret = *secret;
  if (auto key = section.SecretString("private_key")) into.private_key = *key;
  if (auto id = section.String("key_id")) into.key_id = std::move(*id);
  if (auto word = section.Enum("algorithm",
                               {"RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"})) {
    into.algorithm = std::move(*word);
  }
  if (auto word = section.Enum("auth_method", {"client_secret_basic", "client_secret_post",
                                               "private_key_jwt", "none"})) {
    into.auth_method = std::move(*word);
  }
  if (auto token = section.SecretString("refresh_token")) into.refresh_token = *token;
  if (auto scopes = section.Strings("scopes")) into.scopes = std::move(*scopes);
  if (auto resource = section.String("resource")) into.resource = std::move(*resource);
}

void ReadExchange(Section& section, ServerCredentials& into) {
  if (auto url = section.String("token_endpoint")) into.token_endpoint = std::move(*url);
  if (auto audience = section.String("audience")) into.audience = std::move(*audience);
  for (const auto& [key, type] : {std::pair{"subject_token_type", &into.subject_token_type},
                                  std::pair{"actor_token_type", &into.actor_token_type}}) {
    if (auto word = section.Enum(key, {"access_token", "id_token", "jwt"})) *type = *word;
  }
  if (auto token = section.SecretString("actor_token")) into.actor_token = *token;
}

void CheckUnused(Section& section, Kind kind) {
  const bool user = kind == Kind::kPerUser;
  for (const char* key : {"header", "scheme", "by", "values"}) {
    if (section.Has(key) && !user) section.Error(key, "only kind per_user has this key");
  }
  for (const char* key : {"client_id", "client_secret", "private_key", "key_id", "algorithm",
                          "auth_method", "scopes", "resource"}) {
    if (section.Has(key) && user) section.Error(key, "kind per_user has no such key");
  }
  for (const char* key :
       {"token_endpoint", "audience", "subject_token_type", "actor_token", "actor_token_type"}) {
    if (section.Has(key) && kind != Kind::kTokenExchange) {
      section.Error(key, "only kind token_exchange has this key");
    }
  }
  if (section.Has("discover_issuer") && kind != Kind::kClientCredentials) {
    section.Error("discover_issuer", "only kind client_credentials has this key");
  }
  if (section.Has("refresh_token") && kind != Kind::kRefreshToken) {
    section.Error("refresh_token", "only kind refresh_token has this key");
  }
}

void CheckGoesTo(Section& section, const char* key, const std::string& url) {
  if (auto problem = UrlProblem(Secret(url, url))) {
    section.Error(key, std::move(*problem));
  } else if (IsCleartextToElsewhere(Secret(url, url))) {
    section.Error(key, "must be https: what is sent there can be read on the way");
  }
}

// What was registered with one issuer is for that one; without it the server may name any.
void CheckConnected(Section& section, const ServerCredentials& read) {
  const bool proves = !read.client_secret.empty() || !read.private_key.empty();
  if (!read.client_secret.empty() && !read.private_key.empty()) {
    section.Error("private_key", "is one way to show who the client is; client_secret another one");
  }
  if (read.client_id.empty() && (proves || !read.auth_method.empty())) {
    section.Error("client_id", "is missing: as whom the gateway is registered with the issuer");
  }
  if (!read.issuer.empty()) {
    CheckGoesTo(section, "issuer", read.issuer);
  } else if (!read.client_id.empty()) {
    section.Error("issuer",
                  "is missing: the authorization server that the client is registered with; what "
                  "it proves itself with is sent to no other");
  }
}

void CheckClient(Section& section, const ServerCredentials& read) {
  if (read.client_id.empty()) section.Error("client_id", "is missing");
  if (!read.client_secret.empty() && !read.private_key.empty()) {
    section.Error("private_key", "is one way to show who the client is; client_secret another one");
  }
  const bool proves = !read.client_secret.empty() || !read.private_key.empty();
  if (read.kind == Kind::kClientCredentials && !proves) {
    section.Error("", "needs client_secret or private_key");
  }
  if (read.kind == Kind::kRefreshToken && read.refresh_token.empty()) {
    section.Error("refresh_token", "is missing");
  }
  if (section.Has("actor_token_type") && read.actor_token.empty()) {
    section.Error("actor_token_type", "is of an actor_token, and there is none");
  }
  if (!read.issuer.empty()) CheckGoesTo(section, "issuer", read.issuer);
  if (!read.token_endpoint.empty()) CheckGoesTo(section, "token_endpoint", read.token_endpoint);
}

}  // namespace

std::optional<ServerCredentials> ReadServerCredentials(Section& server) {
  auto section = server.Child("credentials");
  if (!section) return std::nullopt;
  ServerCredentials read;
  const auto kind = section->Enum(
      "kind", {"per_user", "client_credentials", "refresh_token", "token_exchange", "oauth"});
  if (!section->Has("kind")) {
    section->Error("kind",
                   "is missing: per_user, client_credentials, refresh_token, token_exchange or "
                   "oauth");
  }
  for (const Kind one : {Kind::kPerUser, Kind::kClientCredentials, Kind::kRefreshToken,
                         Kind::kTokenExchange, Kind::kOAuth}) {
    if (kind == ToString(one)) read.kind = one;
  }
  if (auto issuer = section->String("issuer")) read.issuer = std::move(*issuer);
  ReadPerUser(*section, read);
  ReadClient(*section, read);
  ReadExchange(*section, read);
  if (!kind) return std::nullopt;
  CheckUnused(*section, read.kind);
  if (read.kind == Kind::kOAuth) {
    CheckConnected(*section, read);
    return read;
  }
  if (read.kind != Kind::kPerUser) {
    if (read.discover_issuer && !read.issuer.empty()) {
      section->Error("discover_issuer", "cannot be true where issuer says who it is");
    }
    if (read.issuer.empty() && read.token_endpoint.empty() && !read.discover_issuer) {
      section->Error("issuer",
                     "is missing: the authorization server that the client is registered with; "
                     "what it proves itself with is sent to no other");
    } else {
      CheckClient(*section, read);
    }
    return read;
  }
  if (read.issuer.empty()) {
    section->Error("issuer",
                   "is missing: whose callers these are; two issuers may each have an alice");
  }
  if (read.values.empty()) section->Error("values", "is missing: a value for each caller");
  return read;
}

Credentials ReadCredentials(Section& root) {
  Credentials credentials;
  auto section = root.Child("credentials");
  if (!section) return credentials;
  if (auto dir = section->String("dir")) {
    if (!dir->starts_with('/')) {
      section->Error(
          "dir", "must be an absolute path such as /var/lib/switchyard/vault, got " + Quote(*dir));
    }
    credentials.dir = std::move(*dir);
  }
  if (auto keys = section->SecretStrings("keys")) credentials.keys = std::move(*keys);
  if (credentials.keys.empty()) {
    section->Error("keys", "needs a key: 32 random bytes, from `openssl rand -base64 32`");
  }
  return credentials;
}

// What is renewed must be kept: the old refresh token is worth nothing after its first use.
void PlaceCredentials(Section& root, Config& config) {
  const auto any_of = [&config](Kind kind) {
    return std::ranges::any_of(config.servers, [kind](const auto& named) {
      const auto& credentials = named.second.credentials;
      return credentials && credentials->kind == kind;
    });
  };
  const bool connected = any_of(Kind::kOAuth), renewed = connected || any_of(Kind::kRefreshToken);
  if (connected && config.listen.public_url.empty() && !IsLoopbackHost(config.listen.host)) {
    root.Error("listen",
               "a server has credentials of kind oauth, for which browsers come to the gateway: "
               "set listen.public_url");
  }
  if (!renewed && config.credentials.keys.empty()) return;
  if (config.credentials.dir.empty() && config.state.dir.empty()) {
    root.Error("credentials", "what is kept needs a place: set state.dir, or credentials.dir");
  } else if (config.credentials.dir.empty()) {
    config.credentials.dir = config.state.dir + "/vault";
  }
  if (config.credentials.keys.empty()) {
    root.Error("credentials",
               connected ? "a server has credentials of kind oauth, and what users connect must be "
                           "kept: set credentials.keys"
                         : "a server has credentials of kind refresh_token, whose successors must "
                           "be kept: set credentials.keys");
  }
}

std::string_view ToString(ServerCredentials::Kind kind) {
  switch (kind) {
    case Kind::kPerUser: return "per_user";
    case Kind::kClientCredentials: return "client_credentials";
    case Kind::kRefreshToken: return "refresh_token";
    case Kind::kTokenExchange: return "token_exchange";
    case Kind::kOAuth: return "oauth";
  }
  return "per_user";
}

}  // namespace switchyard::config
