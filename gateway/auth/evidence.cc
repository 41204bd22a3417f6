#include "auth/evidence.h"

#include <algorithm>

#include "base/http/fields.h"

namespace switchyard::auth {
namespace {

bool IsOfAToken(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~+/").contains(c);
}

}  // namespace

Verdict<std::optional<std::string_view>> BearerIn(std::string_view authorization) {
  const std::size_t end = authorization.find_first_of(" \t");
  const std::string_view scheme = authorization.substr(0, end);
  const bool is_scheme = !scheme.empty() && std::ranges::all_of(scheme, IsOfAToken);
  if (!is_scheme) return Refuse(Reason::kMalformed, "Authorization has no scheme");
  if (!http::EqualsIgnoreCase(scheme, "bearer")) return std::nullopt;
  if (end == std::string_view::npos) return Refuse(Reason::kMalformed, "Bearer without a token");
  std::string_view token = authorization.substr(end);
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  const std::string_view padding = token.substr(std::min(token.find('='), token.size()));
  token.remove_suffix(padding.size());
  if (token.empty() || !std::ranges::all_of(token, IsOfAToken) ||
      padding.find_first_not_of('=') != std::string_view::npos) {
    return Refuse(Reason::kMalformed, "Bearer with what is no token");
  }
  // No token of ours is padded; whoever verifies it says so.
  return std::string_view(token.data(), token.size() + padding.size());
}

}  // namespace switchyard::auth
