#include "auth/resource.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/http/fields.h"

namespace switchyard::auth {
namespace {

namespace json = boost::json;

constexpr std::string_view kWellKnown = "/.well-known/oauth-protected-resource";
constexpr std::array<std::string_view, 3> kLoopback = {"127.0.0.1", "localhost", "[::1]"};

std::string_view WithoutPort(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  return has_port ? host.substr(0, colon) : host;
}

std::vector<std::string> ScopesOf(const config::Auth& auth) {
  return auth.scopes_supported.empty() ? auth.scopes : auth.scopes_supported;
}

json::array ToJson(const std::vector<std::string>& words) {
  return json::array(words.begin(), words.end());
}

// Of texts without quotes and backslashes.
void Add(std::string& challenge, std::string_view name, std::string_view value) {
  challenge.append(challenge.empty() ? "Bearer " : ", ").append(name).append("=\"");
  challenge.append(value).append("\"");
}

}  // namespace

Resource::Resource(Place place, std::string endpoint, const config::Auth& auth)
    : place_(std::move(place)),
      endpoint_(std::move(endpoint)),
      scopes_(ScopesOf(auth)),
      name_(auth.resource_name),
      documentation_(auth.documentation) {
  for (const config::Issuer& issuer : auth.issuers) {
    const std::string& url = issuer.issuer;
    if (url.starts_with("https://") || url.starts_with("http://")) issuers_.push_back(url);
  }
}

std::string Resource::BaseOf(std::string_view host) const {
  if (!place_.public_url.empty()) {
    const std::string_view url = place_.public_url;
    return std::string(url.ends_with('/') ? url.substr(0, url.size() - 1) : url);
  }
  const auto known = std::ranges::find_if(kLoopback, [host](std::string_view name) {
    return http::EqualsIgnoreCase(name, WithoutPort(host));
  });
  std::string base = place_.tls ? "https://" : "http://";
  base.append(known == kLoopback.end() ? kLoopback.front() : *known);
  return base + ":" + std::to_string(place_.port);
}

std::string Resource::Url(std::string_view host, std::string_view path) const {
  return BaseOf(host).append(path);
}

std::vector<std::string> Resource::Audiences() const {
  std::vector<std::string> all;
  const std::string name = endpoint_.empty() ? "" : "/" + endpoint_;
  for (const std::string_view host : kLoopback) {
    all.push_back(Url(host, "/mcp" + name));
    if (place_.legacy_sse) all.push_back(Url(host, "/sse" + name));
  }
  std::ranges::sort(all);
  const auto rest = std::ranges::unique(all);
  all.erase(rest.begin(), rest.end());
  return all;
}

std::string Resource::MetadataUrl(std::string_view host, std::string_view path) const {
  return BaseOf(host).append(kWellKnown).append(path);
}

std::string Resource::Metadata(std::string_view host, std::string_view path) const {
  json::object document{{"resource", Url(host, path)},
                        {"authorization_servers", ToJson(issuers_)},
                        {"bearer_methods_supported", json::array{"header"}}};
  if (!scopes_.empty()) document["scopes_supported"] = ToJson(scopes_);
  if (!name_.empty()) document["resource_name"] = name_;
  if (!documentation_.empty()) document["resource_documentation"] = documentation_;
  return json::serialize(document);
}

std::string Resource::Challenge(std::string_view host, std::string_view path,
                                const Asks& asks) const {
  std::string challenge;
  if (!asks.error.empty()) Add(challenge, "error", asks.error);
  if (!asks.description.empty()) Add(challenge, "error_description", asks.description);
  std::string scopes;
  for (const std::string& scope : asks.scopes) {
    scopes.append(scopes.empty() ? "" : " ").append(scope);
  }
  if (!scopes.empty()) Add(challenge, "scope", scopes);
  if (published()) Add(challenge, "resource_metadata", MetadataUrl(host, path));
  if (challenge.empty()) Add(challenge, "realm", "mcp");  // RFC 6750 wants one parameter at least
  return challenge;
}

std::string_view ResourcePathOf(std::string_view path) {
  if (!path.starts_with(kWellKnown)) return "";
  path.remove_prefix(kWellKnown.size());
  if (path.empty() || path == "/") return "/mcp";
  return path.front() == '/' ? path : "";
}

}  // namespace switchyard::auth
