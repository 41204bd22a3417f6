#include "fetch/guard.h"

#include <algorithm>
#include <utility>

namespace switchyard::fetch {
namespace {

constexpr std::size_t kLongestUrl = 4096;
constexpr std::size_t kMostAddresses = 16;  // of one name
constexpr std::uint16_t kFirstUserPort = 1024;

std::unexpected<Error> Refuse(std::string what, std::string detail = {}) {
  return Failure(Code::kForbidden, Origin::kGateway, std::move(what), std::move(detail));
}

}  // namespace

Result<http::Url> Guard::CheckUrl(std::string_view text) const {
  if (text.size() > kLongestUrl) return Refuse("a URL over 4096 bytes");
  std::optional<http::Url> url = http::Url::Parse(text);
  if (!url) return Refuse("not an absolute http or https URL without user info");
  const std::optional<std::uint16_t> port = http::ParsePort(url->port);
  if (!port) return Refuse(url->host + ": not a port: " + url->port);
  // What else listens there does not speak HTTP, and may make something of it all the same.
  if (*port < kFirstUserPort && *port != 80 && *port != 443) {
    return Refuse(url->origin() + ": port " + url->port + " is not one of HTTP");
  }
  url->port = std::to_string(*port);  // 0443 and 443 are one
  return std::move(*url);
}

Result<Guard::Endpoints> Guard::CheckAddresses(const http::Url& url, Endpoints resolved) const {
  if (resolved.empty()) return Refuse("has no address");
  if (resolved.size() > kMostAddresses) resolved.resize(kMostAddresses);
  const std::uint16_t port = http::ParsePort(url.port).value_or(0);
  const bool named = std::ranges::any_of(
      allowed_, [&](const http::Place& place) { return place.FitsName(url.host, port); });
  for (boost::asio::ip::tcp::endpoint& endpoint : resolved) {
    endpoint.port(port);
    const AddressKind kind = KindOf(endpoint.address());
    const std::string detail = url.origin() + " is at " + endpoint.address().to_string();
    if (kind == AddressKind::kNever) {
      return Refuse("is at an address that is never asked", detail);
    }
    const bool allowed = named || std::ranges::any_of(allowed_, [&](const http::Place& place) {
                           return place.FitsAddress(endpoint.address(), port);
                         });
    if (allowed) continue;
    if (kind != AddressKind::kPublic) {
      return Refuse("is at a private address, which fetch.allow does not name", detail);
    }
    if (!url.tls) {
      return Refuse("must be https, since fetch.allow does not name it", detail);
    }
  }
  return resolved;
}

Follow FollowOf(const http::Url& from, const http::Url& to, bool post, int status) {
  if (from.tls && !to.tls) return Follow::kNo;  // what was meant for TLS goes nowhere without
  const bool same = from.SameOrigin(to);
  if (!post) return same ? Follow::kWhole : Follow::kBare;
  return same && (status == 307 || status == 308) ? Follow::kWhole : Follow::kNo;
}

}  // namespace switchyard::fetch
