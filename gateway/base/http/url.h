// Where an HTTP server is. A value; safe to copy and share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::http {

struct Url {
  bool tls = false;
  std::string host;       // a name or an address, without brackets
  std::string port;       // never empty
  std::string authority;  // for the Host header
  std::string target;     // path and query, never empty

  // nullopt: not an absolute http or https URL, or one with user info.
  static std::optional<Url> Parse(std::string_view text);

  // What `location` of a redirect means here; nullopt when it is no URL.
  std::optional<Url> Resolve(std::string_view location) const;
  bool SameOrigin(const Url& other) const {
    return tls == other.tls && host == other.host && port == other.port;
  }
  std::string origin() const { return (tls ? "https://" : "http://") + authority; }
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  // Without the question mark; "" = there is none, or nothing in it.
  std::string_view query() const {
    const std::size_t mark = target.find('?');
    return mark == std::string::npos ? "" : std::string_view(target).substr(mark + 1);
  }
};

}  // namespace switchyard::http
