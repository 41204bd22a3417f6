// `auth`: who is let in.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

#include "config/read.h"
#include "config/rules.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

constexpr std::string_view kOwnIssuers = "urn:switchyard:";

bool IsScope(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7F && c != '"' && c != '\\';
  });
}

std::vector<std::string> ReadScopes(Section& section, const char* key) {
  auto scopes = section.Strings(key).value_or(std::vector<std::string>());
  for (const std::string& scope : scopes) {
    if (IsScope(scope)) continue;
    section.Error(key, "has " + Quote(scope) +
                           ", but a scope is visible ASCII without spaces, quotes and backslashes");
  }
  return scopes;
}

std::vector<std::string> ReadNames(Section& section, const char* key) {
  auto names = section.Strings(key).value_or(std::vector<std::string>());
  if (std::ranges::find(names, "") != names.end()) section.Error(key, "has an empty name");
  return names;
}

Rights ReadRights(Section& section) {
  return {.scopes = ReadScopes(section, "scopes"),
          .roles = ReadNames(section, "roles"),
          .groups = ReadNames(section, "groups"),
          .capabilities = ReadNames(section, "capabilities")};
}

// `2027-01-31` (its beginning) or `2027-01-31T12:00:00Z`, in UTC.
std::optional<std::chrono::system_clock::time_point> ParseUtc(std::string_view text) {
  const auto number = [&text](std::size_t at, std::size_t size) -> int {
    int value = -1;
    const char* const begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, begin + size, value);
    return error == std::errc() && end == begin + size ? value : -1;
  };
  const bool with_time = text.size() == 20;
  if (!with_time && text.size() != 10) return std::nullopt;
  if (text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok() || number(0, 4) < 1970 || number(0, 4) > 2200) return std::nullopt;
  std::chrono::system_clock::time_point time = std::chrono::sys_days(day);
  if (!with_time) return time;
  const int hours = number(11, 2), minutes = number(14, 2), seconds = number(17, 2);
  const bool good = text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == 'Z' &&
                    hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 &&
                    seconds < 60;
  if (!good) return std::nullopt;
  return time + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
         std::chrono::seconds(seconds);
}

void ReadKeys(Section& section, Issuer& issuer) {
  const bool inlined = section.Has("keys");
  section.IsSecret("keys");
  if (section.IsMapping("keys")) {
    issuer.keys = section.Json("keys").value_or("");
  } else if (inlined) {
    if (const auto text = section.SecretString("keys")) issuer.keys = text->Reveal();
  }
  if (auto file = section.String("keys_file")) issuer.keys_file = std::move(*file);
  if (auto secret = section.SecretString("secret")) issuer.secret = std::move(*secret);
  if (auto url = section.SecretString("jwks_url")) {
    if (auto problem = UrlProblem(*url)) section.Error("jwks_url", std::move(*problem));
    issuer.jwks_url = std::move(*url);
  }
  if (const auto on = section.Bool("discovery")) issuer.discovery = *on;
  int sources = issuer.discovery ? 1 : 0;
  for (const char* key : {"keys", "keys_file", "secret", "jwks_url"}) {
    sources += section.Has(key) ? 1 : 0;
  }
  if (sources != 1) {
    section.Error("",
                  "needs exactly one of keys, keys_file, secret, jwks_url and discovery: by what "
                  "its tokens are checked");
  }
  if (issuer.discovery && UrlProblem(Secret(issuer.issuer))) {
    section.Error("discovery", "needs an issuer that is a URL: its metadata is found by that");
  }
  for (const char* key : {"keys", "keys_file", "secret"}) {
    const bool empty = std::string_view(key) == "keys"        ? issuer.keys.empty()
                       : std::string_view(key) == "keys_file" ? issuer.keys_file.empty()
                                                              : issuer.secret.empty();
    if (section.Has(key) && empty) section.Error(key, "is empty");
  }
}

void ReadClaims(Section& section, Issuer& issuer) {
  auto claims = section.Child("claims");
  if (!claims) return;
  if (auto subject = claims->String("subject")) issuer.subject = std::move(*subject);
  if (issuer.subject.empty()) claims->Error("subject", "must name a claim");
  issuer.client = ReadNames(*claims, "client");
  issuer.scopes = ReadNames(*claims, "scopes");
  issuer.roles = ReadNames(*claims, "roles");
  issuer.groups = ReadNames(*claims, "groups");
  issuer.capabilities = ReadNames(*claims, "capabilities");
}

void ReadLogin(Section& section, Issuer& issuer) {
  auto login = section.Child("login");
  if (!login) return;
  Login read;
  if (auto id = login->String("client_id")) read.client_id = std::move(*id);
  if (read.client_id.empty()) {
    login->Error("client_id", "is missing: as whom the gateway is registered with the issuer");
  }
  if (auto secret = login->SecretString("client_secret")) read.client_secret = std::move(*secret);
  read.scopes = ReadScopes(*login, "scopes");
  if (UrlProblem(Secret(issuer.issuer)) || issuer.issuer.contains('?')) {
    section.Error("login", "needs an issuer that is a URL: where to sign in is found by that");
  } else if (IsCleartextToElsewhere(Secret(issuer.issuer))) {
    section.Error("login", "needs an issuer by https: who signs in there can be read on the way");
  }
  issuer.login = std::move(read);
}

Issuer ReadIssuer(Section section) {
  Issuer issuer;
  if (auto name = section.String("issuer")) issuer.issuer = std::move(*name);
  if (issuer.issuer.empty()) section.Error("issuer", "is missing: the iss of its tokens");
  if (issuer.issuer.starts_with(kOwnIssuers)) {
    section.Error("issuer", "must not begin with " + std::string(kOwnIssuers) +
                                ": so the gateway calls its own");
  }
  issuer.audience = ReadNames(section, "audience");
  ReadKeys(section, issuer);
  issuer.algorithms = ReadNames(section, "algorithms");
  if (auto skew =
          section.Duration("clock_skew", std::chrono::seconds(0), std::chrono::minutes(5))) {
    issuer.clock_skew = std::chrono::duration_cast<std::chrono::seconds>(*skew);
  }
  if (auto required = section.StringMap("required_claims")) {
    issuer.required_claims = std::move(*required);
  }
  ReadClaims(section, issuer);
  ReadLogin(section, issuer);
  return issuer;
}

CertificateRule ReadCertificateRule(Section section) {
  using By = CertificateRule::By;
  CertificateRule rule;
  int count = 0;
  for (const auto& [key, by] :
       {std::pair{"cn", By::kCommonName}, std::pair{"dns", By::kDns}, std::pair{"uri", By::kUri},
        std::pair{"fingerprint", By::kFingerprint}}) {
    auto glob = section.String(key);
    if (!glob) continue;
    ++count;
    rule.by = by;
    rule.glob = std::move(*glob);
    if (rule.glob.empty()) section.Error(key, "is empty, so it fits nothing");
  }
  if (count != 1) {
    section.Error("", "needs exactly one of cn, dns, uri and fingerprint: whose certificate");
  }
  if (rule.by == By::kFingerprint) {
    std::erase(rule.glob, ':');
    std::ranges::transform(rule.glob, rule.glob.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (rule.glob.size() != 64 ||
        rule.glob.find_first_not_of("0123456789abcdef") != std::string::npos) {
      section.Error("fingerprint", "must be the SHA-256 of a certificate: 64 hexadecimal digits");
    }
  }
  if (auto subject = section.String("subject")) rule.subject = std::move(*subject);
  rule.rights = ReadRights(section);
  return rule;
}

void ReadProofs(Section& section, Auth& auth) {
  if (section.Has("issuers")) auth.issuers.clear();
  std::set<std::string> seen;
  for (Section& item : section.Items("issuers")) {
    Issuer issuer = ReadIssuer(std::move(item));
    if (!seen.insert(issuer.issuer).second) {
      section.Error("issuers", "has " + Quote(issuer.issuer) + " twice; one may have several keys");
    }
    auth.issuers.push_back(std::move(issuer));
  }
  if (section.Has("api_keys")) auth.api_keys = ReadApiKeys(section);
  if (auto file = section.String("api_keys_file")) auth.api_keys_file = std::move(*file);
  if (section.Has("certificates")) auth.certificates.clear();
  for (Section& item : section.Items("certificates")) {
    auth.certificates.push_back(ReadCertificateRule(std::move(item)));
  }
  if (auto on = section.Bool("anonymous")) auth.anonymous = *on;
}

}  // namespace

std::vector<ApiKey> ReadApiKeys(Section& parent) {
  std::vector<ApiKey> keys;
  std::set<std::string> names;
  for (Section& item : parent.Items("api_keys")) {
    ApiKey key;
    if (auto name = item.String("name")) key.name = std::move(*name);
    if (key.name.empty()) item.Error("name", "is missing: who has the key");
    if (!names.insert(key.name).second) item.Error("name", "is that of another key, too");
    if (auto hash = item.SecretString("hash")) key.hash = hash->Reveal();
    if (key.hash.empty()) item.Error("hash", "is missing: what `switchyard key new` printed");
    if (const auto text = item.String("expires")) {
      key.expires = ParseUtc(*text);
      if (!key.expires) {
        item.Error("expires",
                   "must be a day or a time in UTC such as 2027-01-31 or "
                   "2027-01-31T12:00:00Z, got " +
                       Quote(*text));
      }
    }
    key.rights = ReadRights(item);
    keys.push_back(std::move(key));
  }
  return keys;
}

std::optional<Auth> ReadAuth(Section& parent, const std::optional<Auth>& inherited) {
  if (!parent.Has("auth")) return inherited;
  if (!parent.IsMapping("auth")) {
    if (!parent.Enum("auth", {"none"})) return std::nullopt;
    return Auth{.none = true};
  }
  auto section = parent.Child("auth");
  Auth auth = inherited.value_or(Auth());
  auth.none = false;
  ReadProofs(*section, auth);
  if (section->Has("scopes")) auth.scopes = ReadScopes(*section, "scopes");
  if (section->Has("scopes_supported")) {
    auth.scopes_supported = ReadScopes(*section, "scopes_supported");
  }
  for (const char* key : {"scopes", "scopes_supported"}) {
    const auto& list = std::string_view(key) == "scopes" ? auth.scopes : auth.scopes_supported;
    if (std::ranges::find(list, "offline_access") == list.end()) continue;
    section->Error(key, "must not have offline_access: it is a matter between clients and issuers");
  }
  if (auto text = section->String("resource_name")) auth.resource_name = std::move(*text);
  if (const auto url = section->SecretString("documentation")) {
    if (auto problem = UrlProblem(*url)) section->Error("documentation", std::move(*problem));
    auth.documentation = url->Reveal();
  }
  const bool any = !auth.issuers.empty() || !auth.api_keys.empty() || !auth.api_keys_file.empty() ||
                   !auth.certificates.empty();
  if (!any) {
    section->Error("",
                   "names nobody: it needs issuers, api_keys, api_keys_file or certificates; "
                   "write `auth: none` to let everybody in");
  }
  return auth;
}

}  // namespace switchyard::config
