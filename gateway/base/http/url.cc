#include "base/http/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include "base/ascii.h"

namespace switchyard::http {
namespace {

std::optional<Url> Read(const boost::urls::url_view& url) {
  Url out;
  const std::string scheme = LowerAscii(std::string_view(url.scheme()));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  if (url.has_userinfo() || url.encoded_host().empty()) return std::nullopt;
  out.tls = scheme == "https";
  const std::string host = LowerAscii(std::string_view(url.encoded_host()));
  out.host = host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
  const std::string_view standard = out.tls ? "443" : "80";
  out.port = std::string_view(url.port());
  if (out.port.empty()) out.port = standard;
  out.authority = out.port == standard ? host : host + ":" + out.port;
  out.target = std::string_view(url.encoded_path());
  if (out.target.empty()) out.target = "/";
  if (!out.target.starts_with('/')) return std::nullopt;  // Boost.URL reads http://h:://x so
  if (url.has_query()) out.target.append("?").append(std::string_view(url.encoded_query()));
  return out;
}

}  // namespace

std::optional<Url> Url::Parse(std::string_view text) {
  const auto url = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (!url) return std::nullopt;
  return Read(*url);
}

std::optional<Url> Url::Resolve(std::string_view location) const {
  const std::string here = origin() + target;  // the views below look into it
  const auto base = boost::urls::parse_uri(here);
  const auto reference =
      boost::urls::parse_uri_reference(boost::core::string_view(location.data(), location.size()));
  if (!base || !reference) return std::nullopt;
  boost::urls::url resolved;
  if (!boost::urls::resolve(*base, *reference, resolved)) return std::nullopt;
  return Read(resolved);
}

}  // namespace switchyard::http
