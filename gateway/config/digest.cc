#include "config/digest.h"

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <boost/json/serialize.hpp>

#include "base/digest.h"
#include "config/describe.h"
#include "config/expand.h"
#include "config/redact.h"
#include "config/remembered.h"
#include "config/tree.h"

namespace switchyard::config {
namespace {

// Of each text its length, so that no two trees read alike.
void Add(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(1, ':').append(text);
}

// How texts of policies are read: as anybody may know them, or as they are.
enum class Texts : std::uint8_t { kShown, kWhole };

std::string DirectoryOf(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : file.substr(0, slash);
}

std::string TextOf(const Node& scalar, const Excerpt& excerpt, Texts how) {
  if (how == Texts::kShown || excerpt.environment == nullptr) return RedactUrl(scalar.text);
  const auto expanded = Expand(scalar.text, DirectoryOf(excerpt.file), *excerpt.environment);
  return expanded ? expanded->value : scalar.text;
}

void Add(std::string& out, const Node& node, const Excerpt& excerpt, Texts how) {
  out.append(std::to_string(static_cast<int>(node.kind)));
  if (node.kind == Node::Kind::kScalar) Add(out, TextOf(node, excerpt, how));
  for (const NodePtr& item : node.items) Add(out, *item, excerpt, how);
  for (const Entry& entry : node.entries) {
    Add(out, entry.key);
    // What a policy shows of itself to others is written there as it is.
    const bool secret = entry.key == "headers" && entry.value->kind == Node::Kind::kMap;
    if (!secret || how == Texts::kWhole) {
      Add(out, *entry.value, excerpt, how);
      continue;
    }
    for (const Entry& header : entry.value->entries) Add(out, header.key);
  }
  out.append(1, ';');
}

void Add(std::string& out, const PolicyLevel& level, Texts how) {
  Add(out, level.glob);
  for (const auto& [name, excerpt] : level.by_name) {
    Add(out, name);
    if (excerpt.map != nullptr) Add(out, *excerpt.map, excerpt, how);
  }
  out.append(1, ';');
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

// By the member of the file where it stands.
std::map<std::string, std::string, std::less<>> PartsOf(const Config& config, Texts how) {
  std::map<std::string, std::string, std::less<>> parts;
  for (const auto& [name, value] : DescribeJson(config)) {
    parts[std::string(name)] = boost::json::serialize(value);
  }
  Add(parts["auth"], config.auth);
  Add(parts["policies"], config.policies, how);
  for (const auto& [name, server] : config.servers) {
    Add(parts["servers"], server.policies, how);
    for (const PolicyLevel& level : server.tool_policies) Add(parts["servers"], level, how);
  }
  for (const auto& [name, endpoint] : config.endpoints) {
    Add(parts["endpoints"], endpoint.auth);
    Add(parts["endpoints"], endpoint.policies, how);
  }
  return parts;
}

bool SameSecrets(const Server& a, const Server& b) {
  return a.command == b.command && a.args == b.args && a.env == b.env && a.url == b.url &&
         a.headers == b.headers && a.credentials == b.credentials;
}

// Where something differs that no description shows.
std::map<std::string, bool, std::less<>> SecretChanges(const Config& a, const Config& b) {
  std::map<std::string, bool, std::less<>> changed{
      {"admin", a.admin.token != b.admin.token},
      {"audit", a.audit.key != b.audit.key},
      {"auth", a.auth != b.auth},
      {"credentials", a.credentials.keys != b.credentials.keys},
      {"orchestration", a.orchestration.keys != b.orchestration.keys ||
                            a.orchestration.planner.key != b.orchestration.planner.key ||
                            a.orchestration.planner.url != b.orchestration.planner.url}};
  for (const auto& [name, server] : a.servers) {
    const auto other = b.servers.find(name);
    const bool same = other != b.servers.end() && SameSecrets(server, other->second);
    changed["servers"] |= !same;
  }
  for (const auto& [name, endpoint] : a.endpoints) {
    const auto other = b.endpoints.find(name);
    changed["endpoints"] |= other == b.endpoints.end() || endpoint.auth != other->second.auth;
  }
  return changed;
}

}  // namespace

std::string DigestOf(const Config& config) {
  std::string all;
  for (const auto& [name, text] : PartsOf(config, Texts::kShown)) {
    Add(all, name);
    Add(all, text);
  }
  return Sha256(all);
}

std::vector<std::string> ChangedBetween(const Config& before, const Config& after) {
  std::map<std::string, bool, std::less<>> changed = SecretChanges(before, after);
  const auto was = PartsOf(before, Texts::kWhole), is = PartsOf(after, Texts::kWhole);
  for (const auto& [name, text] : was) {
    const auto now = is.find(name);
    if (now == is.end() || now->second != text) changed[name] = true;
  }
  for (const auto& [name, text] : is) {
    if (!was.contains(name)) changed[name] = true;
  }
  std::vector<std::string> names;
  for (const auto& [name, differs] : changed) {
    if (differs) names.push_back(name);
  }
  return names;
}

}  // namespace switchyard::config
