// Single claims out of a set: by path, by type, within bounds. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "auth/refusal.h"

namespace switchyard::auth {

inline constexpr std::size_t kMaxName = 1024;   // bytes of a subject, a role, a scope
inline constexpr std::size_t kMaxNames = 1024;  // of each kind

// null when nothing is there. See ClaimRules on paths.
const boost::json::value* ClaimAt(const boost::json::object& claims, std::string_view path);

// A text that may go to logs, keys and headers: not empty, not too long, no character that is
// invisible or turns the direction of what is shown.
Verdict<std::string> NameIn(const boost::json::value& value, std::string_view claim);

// A text that is one name, or an array of names.
Verdict<std::vector<std::string>> NamesIn(const boost::json::value& value, std::string_view claim);

// A text of scopes with spaces in between (RFC 8693 section 4.2), or an array of scopes; each made
// of the characters of RFC 6749 section 3.3. In the order of the token, none twice.
Verdict<std::vector<std::string>> ScopesIn(const boost::json::value& value, std::string_view claim);

// Seconds since 1970, which may have a fraction or be negative (RFC 7519 section 2). nullopt when
// the claim is absent.
Verdict<std::optional<double>> SecondsIn(const boost::json::object& claims, std::string_view claim);

}  // namespace switchyard::auth
