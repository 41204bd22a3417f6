#include "config/digest.h"

#include <concepts>
#include <optional>
#include <set>
#include <string_view>

#include <boost/json/serialize.hpp>

#include "base/digest.h"
#include "config/describe.h"
#include "config/redact.h"

namespace switchyard::config {
namespace {

// Of each text its length, so that no two trees read alike.
void Add(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(1, ':').append(text);
}

void Add(std::string& out, std::integral auto number) { Add(out, std::to_string(number)); }

void Add(std::string& out, const std::vector<std::string>& words) {
  for (const std::string& word : words) Add(out, word);
  out.append(1, ';');
}

void Add(std::string& out, const Rights& rights) {
  for (const auto* some : {&rights.scopes, &rights.roles, &rights.groups, &rights.capabilities}) {
    Add(out, *some);
  }
}

// Who is let in, as whom and with which rights; not by which keys.
void Add(std::string& out, const Issuer& issuer) {
  Add(out, issuer.issuer);
  Add(out, issuer.audience);
  Add(out, issuer.keys_file);
  Add(out, RedactUrl(issuer.jwks_url.Shown()));
  Add(out, issuer.discovery);
  Add(out, issuer.algorithms);
  Add(out, issuer.clock_skew.count());
  for (const auto& [path, value] : issuer.required_claims) {
    Add(out, path);
    Add(out, value);
  }
  Add(out, issuer.subject);
  for (const auto* paths :
       {&issuer.client, &issuer.scopes, &issuer.roles, &issuer.groups, &issuer.capabilities}) {
    Add(out, *paths);
  }
  Add(out, issuer.login.has_value());
  if (!issuer.login) return;
  Add(out, issuer.login->client_id);
  Add(out, issuer.login->scopes);
}

void Add(std::string& out, const std::optional<Auth>& auth) {
  if (!auth) return;
  for (const Issuer& issuer : auth->issuers) Add(out, issuer);
  out.append(1, ';');
  for (const ApiKey& key : auth->api_keys) {
    Add(out, key.name);
    Add(out, key.expires ? key.expires->time_since_epoch().count() : -1);
    Add(out, key.rights);
  }
  out.append(1, ';');
  for (const CertificateRule& rule : auth->certificates) {
    Add(out, static_cast<int>(rule.by));
    Add(out, rule.glob);
    Add(out, rule.subject);
    Add(out, rule.rights);
  }
  out.append(1, ';');
}

}  // namespace

std::string DigestOf(const Config& config) {
  std::string all;
  for (const auto& [name, value] : DescribeJson(config)) {
    Add(all, std::string(name));
    Add(all, boost::json::serialize(value));
  }
  Add(all, config.auth);
  for (const auto& [name, endpoint] : config.endpoints) {
    Add(all, name);
    Add(all, endpoint.auth);
  }
  for (const auto& [name, member] : config.written) {
    Add(all, name);
    Add(all, member.shown);
  }
  return Sha256(all);
}

std::vector<std::string> ChangedBetween(const Config& before, const Config& after) {
  std::set<std::string> names;
  for (const auto& [name, member] : before.written) {
    const auto now = after.written.find(name);
    if (now == after.written.end() || now->second.whole != member.whole) names.insert(name);
  }
  for (const auto& [name, member] : after.written) {
    if (!before.written.contains(name)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace switchyard::config
