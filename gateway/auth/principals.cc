#include "auth/principals.h"

#include <algorithm>
#include <utility>

#include <boost/algorithm/hex.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "auth/claim_values.h"
#include "auth/strict_json.h"
#include "base/glob.h"

namespace switchyard::auth {
namespace {

namespace json = boost::json;

using Claims = std::map<std::string, std::vector<std::string>, std::less<>>;

// Of a string, a number or a boolean.
std::optional<std::string> TextOf(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_number() || value.is_bool()) return json::serialize(value);
  return std::nullopt;
}

std::vector<std::string> TextsOf(const json::value& value) {
  std::vector<std::string> texts;
  if (auto text = TextOf(value)) texts.push_back(std::move(*text));
  if (const json::array* list = value.if_array()) {
    for (const json::value& one : *list) {
      // Whatever it is, callers are told apart by it (authorization_details, RFC 9396).
      auto text = TextOf(one);
      texts.push_back(text ? std::move(*text) : json::serialize(one));
    }
  }
  return texts;
}

// As deep as the JSON, which is bounded. False: there are too many.
bool Flatten(const json::object& object, const std::string& under, Claims& into) {
  for (const auto& [key, value] : object) {
    if (into.size() >= kMaxClaims) return false;
    const std::string name = under.empty() ? std::string(key) : under + "." + std::string(key);
    if (const json::object* inner = value.if_object()) {
      if (!Flatten(*inner, name, into)) return false;
    } else if (auto texts = TextsOf(value); !texts.empty()) {
      into.emplace(name, std::move(texts));
    }
  }
  return true;
}

Caller CallerOf(const char* issuer, std::string subject, const config::Rights& rights) {
  return MakeCaller({.issuer = issuer,
                     .subject = std::move(subject),
                     .scopes = rights.scopes,
                     .roles = rights.roles,
                     .groups = rights.groups,
                     .capabilities = rights.capabilities});
}

// What of the certificate a rule fits; nullopt: nothing.
std::optional<std::string> Matched(const ClientCertificate& certificate,
                                   const config::CertificateRule& rule) {
  using By = config::CertificateRule::By;
  if (rule.by == By::kFingerprint) {
    std::string hex = boost::algorithm::hex_lower(
        std::string(certificate.fingerprint.begin(), certificate.fingerprint.end()));
    if (hex != rule.glob) return std::nullopt;
    return hex;
  }
  const std::vector<std::string> name{certificate.common_name};
  const std::vector<std::string>& names = rule.by == By::kDns   ? certificate.dns
                                          : rule.by == By::kUri ? certificate.uris
                                                                : name;
  const auto fits = [&rule](const std::string& one) {
    return !one.empty() && GlobMatches(rule.glob, one);
  };
  const auto found = std::ranges::find_if(names, fits);
  if (found == names.end()) return std::nullopt;
  return *found;
}

}  // namespace

Verdict<Identity> WithCaller(Identity identity,
                             const std::map<std::string, std::string>& required) {
  const auto claims = ReadObject(identity.claims);
  if (!claims) return Refuse(Reason::kMalformed, "the claims: " + claims.error());
  for (const auto& [path, wanted] : required) {
    const json::value* value = ClaimAt(*claims, path);
    if (value == nullptr) return Refuse(Reason::kClaims, path + " is missing");
    const std::vector<std::string> texts = TextsOf(*value);
    if (std::ranges::find(texts, wanted) != texts.end()) continue;
    return Refuse(Reason::kClaims, path + " is " + Shown(json::serialize(*value)));
  }
  Principal principal{.issuer = identity.issuer,
                      .subject = identity.subject,
                      .client = identity.client,
                      .scopes = identity.scopes,
                      .roles = identity.roles,
                      .groups = identity.groups,
                      .capabilities = identity.capabilities,
                      .credential = identity.credential};
  // A rule may deny by the very claim that would be left out.
  if (!Flatten(*claims, "", principal.claims)) {
    return Refuse(Reason::kTooLarge, fmt::format("more than {} claims", kMaxClaims));
  }
  identity.caller = MakeCaller(std::move(principal));
  return identity;
}

Caller CallerOf(const config::ApiKey& key) { return CallerOf(kApiKeyIssuer, key.name, key.rights); }

Caller CallerOf(const ClientCertificate& certificate,
                const std::vector<config::CertificateRule>& rules) {
  for (const config::CertificateRule& rule : rules) {
    const std::optional<std::string> matched = Matched(certificate, rule);
    if (!matched) continue;
    return CallerOf(kCertificateIssuer, rule.subject.empty() ? *matched : rule.subject,
                    rule.rights);
  }
  return nullptr;
}

}  // namespace switchyard::auth
