#include "credentials/oauth/metadata.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "auth/strict_json.h"
#include "credentials/oauth/answer.h"
#include "credentials/oauth/url.h"

namespace switchyard::credentials::oauth {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostItems = 100;
constexpr std::string_view kResource = "/.well-known/oauth-protected-resource";
constexpr std::string_view kServer = "/.well-known/oauth-authorization-server";
constexpr std::string_view kOpenId = "/.well-known/openid-configuration";

std::vector<std::string> StringsIn(const json::object& object, std::string_view key) {
  std::vector<std::string> strings;
  const json::value* value = object.if_contains(key);
  const json::array* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) return strings;
  for (const json::value& item : *array) {
    if (strings.size() == kMostItems) break;
    if (const json::string* text = item.if_string()) strings.emplace_back(*text);
  }
  return strings;
}

bool FlagIn(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Who reads a token's way over http reads the token.
Result<std::string> EndpointIn(const json::object& object, std::string_view key) {
  std::string text = TextIn(object, key);
  if (text.empty()) return text;
  const std::optional<http::Url> url = ParseUrl(text);
  if (!url || !IsSecure(*url)) {
    return BadAnswer("its " + std::string(key) + " is no https URL");
  }
  return text;
}

std::string_view WithoutSlash(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

bool ServerMetadata::has_pkce() const {
  return std::ranges::find(code_challenge_methods, "S256") != code_challenge_methods.end();
}

bool ServerMetadata::asks_at_home() const {
  const std::optional<http::Url> own = ParseUrl(issuer);
  const std::optional<http::Url> page = ParseUrl(authorization_endpoint);
  return own && page && own->SameOrigin(*page);
}

bool ServerMetadata::Offers(std::string_view auth_method) const {
  if (token_auth_methods.empty()) return auth_method == "client_secret_basic";
  return std::ranges::find(token_auth_methods, auth_method) != token_auth_methods.end();
}

std::vector<std::string> ResourceMetadataUrls(std::string_view text) {
  const std::optional<http::Url> url = ParseUrl(text);
  if (!url) return {};
  std::vector<std::string> urls;
  const std::string_view path = WithoutSlash(url->path());
  const std::string root = url->origin() + std::string(kResource);
  if (!path.empty()) urls.push_back(root + std::string(path));
  urls.push_back(root);
  return urls;
}

std::vector<std::string> ServerMetadataUrls(std::string_view issuer) {
  const std::optional<http::Url> url = ParseUrl(issuer);
  if (!url || !IsSecure(*url) || !url->query().empty()) return {};
  const std::string path(WithoutSlash(url->path()));
  std::vector<std::string> urls{url->origin() + std::string(kServer) + path,
                                url->origin() + std::string(kOpenId) + path};
  if (!path.empty()) urls.push_back(url->origin() + path + std::string(kOpenId));
  return urls;
}

Result<ResourceMetadata> ReadResourceMetadata(const std::string& text,
                                              std::string_view server_url) {
  const auto object = auth::ReadObject(text);
  if (!object) return BadAnswer(object.error());
  ResourceMetadata metadata{.resource = TextIn(*object, "resource"),
                            .authorization_servers = StringsIn(*object, "authorization_servers"),
                            .scopes_supported = StringsIn(*object, "scopes_supported")};
  // Else a server could have us fetch tokens that are good for another one.
  if (!ResourceCovers(metadata.resource, server_url)) {
    return BadAnswer("its resource is not this server");
  }
  std::erase_if(metadata.authorization_servers,
                [](const std::string& issuer) { return ServerMetadataUrls(issuer).empty(); });
  if (metadata.authorization_servers.empty()) return BadAnswer("it names no authorization server");
  return metadata;
}

Result<ServerMetadata> ReadServerMetadata(const std::string& text, std::string_view issuer) {
  const auto object = auth::ReadObject(text);
  if (!object) return BadAnswer(object.error());
  ServerMetadata metadata{.issuer = TextIn(*object, "issuer")};
  if (metadata.issuer != issuer) return BadAnswer("its issuer is another one");
  for (auto [key, into] : {std::pair{"authorization_endpoint", &metadata.authorization_endpoint},
                           std::pair{"token_endpoint", &metadata.token_endpoint},
                           std::pair{"registration_endpoint", &metadata.registration_endpoint}}) {
    Result<std::string> endpoint = EndpointIn(*object, key);
    if (!endpoint) return Failure(std::move(endpoint.error()));
    *into = std::move(*endpoint);
  }
  if (metadata.token_endpoint.empty()) return BadAnswer("it has no token_endpoint");
  metadata.scopes_supported = StringsIn(*object, "scopes_supported");
  metadata.code_challenge_methods = StringsIn(*object, "code_challenge_methods_supported");
  metadata.token_auth_methods = StringsIn(*object, "token_endpoint_auth_methods_supported");
  metadata.grant_types = StringsIn(*object, "grant_types_supported");
  metadata.client_id_documents = FlagIn(*object, "client_id_metadata_document_supported");
  metadata.says_issuer = FlagIn(*object, "authorization_response_iss_parameter_supported");
  return metadata;
}

std::optional<ServerMetadata> DefaultEndpoints(std::string_view server_url) {
  const std::optional<http::Url> url = ParseUrl(server_url);
  if (!url || !IsSecure(*url)) return std::nullopt;
  // Nothing is published there, so nothing says that it knows PKCE; 2025-03-26 demands that it
  // does.
  return ServerMetadata{.issuer = url->origin(),
                        .authorization_endpoint = url->origin() + "/authorize",
                        .token_endpoint = url->origin() + "/token",
                        .registration_endpoint = url->origin() + "/register",
                        .scopes_supported = {},
                        .code_challenge_methods = {"S256"},
                        .token_auth_methods = {},
                        .grant_types = {}};
}

}  // namespace switchyard::credentials::oauth
