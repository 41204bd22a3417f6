#include "auth/claims.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "auth/claim_values.h"
#include "auth/strict_json.h"

namespace switchyard::auth {
namespace {

namespace json = boost::json;

using Passed = Verdict<std::monostate>;

constexpr std::size_t kMaxAudiences = 64;

double SecondsOf(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// Rounded down, and within what the clock can hold: some issuers mean "never" by a huge number.
WallTime TimeOf(double seconds) {
  constexpr double kYear2255 = 9e9;
  return WallTime(std::chrono::seconds(
      static_cast<std::int64_t>(std::floor(std::clamp(seconds, 0.0, kYear2255)))));
}

std::string Number(double seconds) { return json::serialize(json::value(seconds)); }

Passed CheckType(std::string_view type, const ClaimRules& rules) {
  if (type.empty() || std::ranges::find(rules.types, type) != rules.types.end()) return {};
  return Refuse(Reason::kType, "a token of type " + Shown(type));
}

Passed CheckIssuer(const json::object& claims, const ClaimRules& rules) {
  const json::string* issuer = StringIn(claims, "iss");
  if (issuer == nullptr) return Refuse(Reason::kIssuer, "iss is missing or not a text");
  if (*issuer != rules.issuer) return Refuse(Reason::kIssuer, "iss is " + Shown(*issuer));
  return {};
}

Passed CheckAudience(const json::object& claims, const ClaimRules& rules) {
  if (rules.any_audience) return {};
  const json::value* value = claims.if_contains("aud");
  if (value == nullptr) return Refuse(Reason::kAudience, "aud is missing");
  const auto fits = [&rules](const json::value& one) {
    return one.is_string() &&
           std::ranges::find(rules.audiences, std::string_view(one.get_string())) !=
               rules.audiences.end();
  };
  const json::array* list = value->if_array();
  if (list == nullptr) {
    if (!value->is_string()) return Refuse(Reason::kAudience, "aud is neither a text nor an array");
    if (fits(*value)) return {};
    return Refuse(Reason::kAudience, "aud is " + Shown(value->get_string()));
  }
  if (list->size() > kMaxAudiences) {
    return Refuse(Reason::kTooLarge, "aud has " + std::to_string(list->size()) +
                                         " entries, at most " + std::to_string(kMaxAudiences));
  }
  if (!std::ranges::all_of(*list, [](const json::value& one) { return one.is_string(); })) {
    return Refuse(Reason::kAudience, "aud has an entry that is not a text");
  }
  if (std::ranges::any_of(*list, fits)) return {};
  return Refuse(Reason::kAudience, "aud names others: " + Shown(json::serialize(*list)));
}

// Returns `exp`.
Verdict<double> CheckTimes(const json::object& claims, const ClaimRules& rules, WallTime now) {
  const double time = SecondsOf(now);
  const double skew = static_cast<double>(
      std::clamp(rules.skew, std::chrono::seconds(0), ClaimRules::kMaxSkew).count());
  const auto expires = SecondsIn(claims, "exp");
  const auto begins = SecondsIn(claims, "nbf");
  const auto issued = SecondsIn(claims, "iat");
  for (const auto* one : {&expires, &begins, &issued}) {
    if (!*one) return std::unexpected(one->error());
  }
  if (!*expires) return Refuse(Reason::kClaims, "exp is missing");
  // "On or after" it, the token is over (RFC 7519 section 4.1.4).
  if (time >= **expires + skew) {
    return Refuse(Reason::kExpired, "exp is " + Number(**expires) + ", now " + Number(time));
  }
  if (*begins && time + skew < **begins) {
    return Refuse(Reason::kNotYet, "nbf is " + Number(**begins) + ", now " + Number(time));
  }
  if (*issued && time + skew < **issued) {
    return Refuse(Reason::kNotYet, "iat is " + Number(**issued) + ", now " + Number(time));
  }
  return **expires;
}

const json::value* FirstOf(const json::object& claims, const std::vector<std::string>& paths,
                           std::string_view& path) {
  for (const std::string& one : paths) {
    if (const json::value* value = ClaimAt(claims, one)) {
      path = one;
      return value;
    }
  }
  return nullptr;
}

Verdict<std::vector<std::string>> NamesAt(const json::object& claims,
                                          const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths) {
    const json::value* value = ClaimAt(claims, path);
    if (value == nullptr) continue;
    Verdict<std::vector<std::string>> names = NamesIn(*value, path);
    if (!names) return names;
    for (std::string& name : *names) {
      if (std::ranges::find(all, name) == all.end()) all.push_back(std::move(name));
    }
  }
  return all;
}

// Who it is, into `identity`.
Passed ReadNames(const json::object& claims, const ClaimRules& rules, Identity& identity) {
  const json::value* subject = ClaimAt(claims, rules.subject);
  if (subject == nullptr) return Refuse(Reason::kClaims, rules.subject + " is missing");
  Verdict<std::string> name = NameIn(*subject, rules.subject);
  if (!name) return std::unexpected(std::move(name.error()));
  identity.subject = std::move(*name);
  std::string_view path;
  if (const json::value* client = FirstOf(claims, rules.client, path)) {
    Verdict<std::string> text = NameIn(*client, path);
    if (!text) return std::unexpected(std::move(text.error()));
    identity.client = std::move(*text);
  }
  if (const json::value* scopes = FirstOf(claims, rules.scopes, path)) {
    Verdict<std::vector<std::string>> list = ScopesIn(*scopes, path);
    if (!list) return std::unexpected(std::move(list.error()));
    identity.scopes = std::move(*list);
  }
  Verdict<std::vector<std::string>> roles = NamesAt(claims, rules.roles);
  if (!roles) return std::unexpected(std::move(roles.error()));
  Verdict<std::vector<std::string>> groups = NamesAt(claims, rules.groups);
  if (!groups) return std::unexpected(std::move(groups.error()));
  Verdict<std::vector<std::string>> capabilities = NamesAt(claims, rules.capabilities);
  if (!capabilities) return std::unexpected(std::move(capabilities.error()));
  identity.capabilities = std::move(*capabilities);
  identity.roles = std::move(*roles);
  identity.groups = std::move(*groups);
  return {};
}

}  // namespace

Verdict<Identity> ReadClaims(std::string payload, std::string_view type, const ClaimRules& rules,
                             WallTime now) {
  if (const Passed passed = CheckType(type, rules); !passed) return std::unexpected(passed.error());
  const auto claims = ReadObject(payload);
  if (!claims) return Refuse(Reason::kMalformed, "the claims: " + claims.error());
  if (const Passed passed = CheckIssuer(*claims, rules); !passed) {
    return std::unexpected(passed.error());
  }
  if (const Passed passed = CheckAudience(*claims, rules); !passed) {
    return std::unexpected(passed.error());
  }
  const Verdict<double> expires = CheckTimes(*claims, rules, now);
  if (!expires) return std::unexpected(expires.error());
  Identity identity;
  if (const Passed passed = ReadNames(*claims, rules, identity); !passed) {
    return std::unexpected(passed.error());
  }
  identity.issuer = rules.issuer;
  identity.expires = TimeOf(*expires);
  identity.claims = std::move(payload);
  return identity;
}

}  // namespace switchyard::auth
