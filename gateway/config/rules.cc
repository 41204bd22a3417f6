#include "config/rules.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/address.h"
#include "base/ascii.h"
#include "config/text_check.h"
#include "config/units.h"

namespace switchyard::config {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsIp(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> out;
  return inet_pton(AF_INET, host.c_str(), out.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), out.data()) == 1;
}

// Whether a message may quote parts of the value: nothing in it came from a variable or a file.
bool IsPlain(const Secret& text) { return text.Shown() == text.Reveal(); }

std::string Got(const Secret& text) { return ", got " + Quote(text.Shown()); }

}  // namespace

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::ranges::all_of(text, [](char c) { return IsAlnum(c) || c == '_' || c == '-'; });
}

bool IsToolGlob(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\r\n") == std::string_view::npos;
}

bool IsVariableName(std::string_view text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') &&
         std::ranges::all_of(text, [](char c) { return IsAlnum(c) || c == '_'; });
}

std::expected<Address, std::string> ParseAddress(const Secret& secret) {
  const std::string& text = secret.Reveal();
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return std::unexpected("must be host:port such as 127.0.0.1:8080" + Got(secret));
  }
  Address address{.host = text.substr(0, colon)};
  const auto port = ParseInteger(std::string_view(text).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) {
    return std::unexpected("port must be between 0 and 65535" + Got(secret));
  }
  address.port = static_cast<std::uint16_t>(*port);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.contains(':')) {
    return std::unexpected("an IPv6 address must stand in brackets, such as [::1]:8080" +
                           Got(secret));
  }
  if (address.host != "localhost" && !IsIp(address.host)) {
    return std::unexpected("host must be an IP address or localhost" + Got(secret));
  }
  return address;
}

std::optional<std::string> UrlProblem(const Secret& secret) {
  const auto parsed = boost::urls::parse_uri(secret.Reveal());
  if (!parsed) {
    return "must be an absolute URL such as https://host/mcp" +
           (IsPlain(secret) && secret.Reveal().find_first_of("@?") == std::string::npos
                ? Got(secret)
                : "");
  }
  const boost::urls::url_view& url = *parsed;
  const std::string scheme = LowerAscii(std::string_view(url.scheme()));
  if (scheme != "http" && scheme != "https") {
    return "scheme must be http or https" + (IsPlain(secret) ? ", got " + Printable(scheme) : "");
  }
  if (url.encoded_host().empty()) return "has no host, expected a URL such as https://host/mcp";
  if (url.has_userinfo()) {
    return "must not hold a user name or password; put credentials into headers.authorization";
  }
  if (url.has_fragment()) return "must not have a fragment (#...)";
  if (url.has_port() && !url.port().empty()) {
    const auto port = ParseInteger(std::string_view(url.port()));
    if (!port || *port < 1 || *port > 65535) return "port must be between 1 and 65535";
  }
  return std::nullopt;
}

bool IsCleartextToElsewhere(const Secret& secret) {
  const auto url = boost::urls::parse_uri(secret.Reveal());
  if (!url || LowerAscii(std::string_view(url->scheme())) != "http") return false;
  return !IsLoopbackHost(std::string_view(url->encoded_host()));
}

std::string_view PageOf(std::string_view issuer) {
  const std::size_t scheme = issuer.find("://");
  if (scheme != std::string_view::npos) issuer.remove_prefix(scheme + 3);
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return issuer;
}

std::optional<std::string> OriginProblem(const Secret& secret) {
  const auto url = boost::urls::parse_uri(secret.Reveal());
  const bool good = url && url->has_authority() && !url->encoded_host().empty() &&
                    !url->has_userinfo() && url->encoded_path().empty() && !url->has_query() &&
                    !url->has_fragment();
  if (good) return std::nullopt;
  return "must be an origin such as https://app.example.com (scheme, host and port only)" +
         Got(secret);
}

std::optional<std::string> HeaderNameProblem(std::string_view name) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  const bool is_token = !name.empty() && std::ranges::all_of(name, [&](char c) {
    return IsAlnum(c) || kSymbols.contains(c);
  });
  if (!is_token) return "is not a header name: expected letters, digits and !#$%&'*+-.^_`|~";
  constexpr std::array<std::string_view, 12> kOurs = {"accept",
                                                      "connection",
                                                      "content-encoding",
                                                      "content-length",
                                                      "content-type",
                                                      "expect",
                                                      "host",
                                                      "keep-alive",
                                                      "te",
                                                      "transfer-encoding",
                                                      "trailer",
                                                      "upgrade"};
  const std::string lower = LowerAscii(name);
  if (std::ranges::find(kOurs, lower) != kOurs.end() || lower.starts_with("mcp-")) {
    return "is set by the gateway itself and cannot be configured";
  }
  return std::nullopt;
}

bool IsHeaderValue(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

}  // namespace switchyard::config
