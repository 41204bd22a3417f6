// Matching a URI against a server's URI template (RFC 6570), to find out who owns it. `{var}`
// matches one path segment or a part of it, `{+var}` and the other operators anything; nothing is
// captured. Templates and URIs come from strangers: matching is linear in the URI for each part of
// the template, and both are bounded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::catalog {

// Immutable; safe to read from any thread.
class UriTemplate {
 public:
  // nullopt: braces that do not pair, or more than 64 parts.
  static std::optional<UriTemplate> Parse(std::string_view text);

  // False for any URI beyond 8 KiB.
  bool Matches(std::string_view uri) const;

 private:
  struct Part {
    enum Kind : char { kLiteral, kSegment, kAnything } kind;
    std::string literal;
  };
  std::vector<Part> parts_;
};

}  // namespace switchyard::catalog
