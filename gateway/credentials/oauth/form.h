// application/x-www-form-urlencoded and queries. Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::credentials::oauth {

using Fields = std::vector<std::pair<std::string, std::string>>;

// Everything but unreserved characters as %XX (RFC 3986 section 2.3), a blank too.
std::string PercentEncode(std::string_view text);
// In one piece: what is in it stands nowhere else afterwards.
std::string ToForm(const Fields& fields);
// Overwrites the values.
void Wipe(Fields& fields);

// nullopt: a broken %XX, a name that stands twice (RFC 6749 section 3.1), or too many of them.
std::optional<Fields> ReadForm(std::string_view text);
// nullopt: there is none of that name.
std::optional<std::string_view> Find(const Fields& fields, std::string_view name);

// `Basic ...` of a client (RFC 6749 section 2.3.1: both are form-encoded first).
std::string BasicCredentials(std::string_view id, std::string_view secret);

}  // namespace switchyard::credentials::oauth
