#include "auth/discovery.h"

#include <optional>
#include <utility>

#include <boost/json/object.hpp>

#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "base/http/url.h"

namespace switchyard::auth {
namespace {

std::unexpected<Error> Wrong(std::string what) {
  return Failure(Code::kProtocol, Origin::kServer, "the issuer's metadata " + std::move(what));
}

}  // namespace

std::vector<std::string> MetadataUrls(std::string_view issuer) {
  const std::optional<http::Url> url = http::Url::Parse(issuer);
  if (!url || issuer.find_first_of("?#") != std::string_view::npos) return {};
  std::string path(url->path());
  while (path.ends_with('/')) path.pop_back();
  const std::string origin = url->origin();
  std::vector<std::string> urls = {origin + path + "/.well-known/openid-configuration",
                                   origin + "/.well-known/oauth-authorization-server" + path};
  if (!path.empty()) urls.push_back(origin + "/.well-known/openid-configuration" + path);
  return urls;
}

Result<std::string> KeysUrlIn(std::string_view document, std::string_view issuer) {
  if (document.size() > kMaxMetadata) return Wrong("is too long");
  const auto object = ReadObject(std::string(document));
  if (!object) return Wrong("cannot be read: " + object.error());
  const boost::json::string* name = StringIn(*object, "issuer");
  if (name == nullptr) return Wrong("names no issuer");
  if (std::string_view(*name) != issuer) return Wrong("is of another issuer, " + Shown(*name));
  const boost::json::string* keys = StringIn(*object, "jwks_uri");
  if (keys == nullptr || keys->empty()) return Wrong("has no jwks_uri");
  return std::string(*keys);
}

}  // namespace switchyard::auth
