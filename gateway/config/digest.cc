#include "config/digest.h"

#include <map>
#include <utility>

#include <boost/json/serialize.hpp>

#include "base/digest.h"
#include "config/describe.h"
#include "config/tree.h"

namespace switchyard::config {
namespace {

// Of each text its length, so that no two trees read alike.
void Add(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(1, ':').append(text);
}

void Add(std::string& out, const Node& node) {
  out.append(std::to_string(static_cast<int>(node.kind)));
  if (node.kind == Node::Kind::kScalar) Add(out, node.text);
  for (const NodePtr& item : node.items) Add(out, *item);
  for (const Entry& entry : node.entries) {
    Add(out, entry.key);
    Add(out, *entry.value);
  }
  out.append(1, ';');
}

void Add(std::string& out, const PolicyLevel& level) {
  Add(out, level.glob);
  for (const auto& [name, excerpt] : level.by_name) {
    Add(out, name);
    if (excerpt.map != nullptr) Add(out, *excerpt.map);
  }
  out.append(1, ';');
}

// By the member of the file where it stands.
std::map<std::string, std::string, std::less<>> PartsOf(const Config& config) {
  std::map<std::string, std::string, std::less<>> parts;
  for (const auto& [name, value] : DescribeJson(config)) {
    parts[std::string(name)] = boost::json::serialize(value);
  }
  Add(parts["policies"], config.policies);
  for (const auto& [name, server] : config.servers) {
    Add(parts["servers"], server.policies);
    for (const PolicyLevel& level : server.tool_policies) Add(parts["servers"], level);
  }
  for (const auto& [name, endpoint] : config.endpoints) Add(parts["endpoints"], endpoint.policies);
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
  for (const auto& [name, text] : PartsOf(config)) {
    Add(all, name);
    Add(all, text);
  }
  return Sha256(all);
}

std::vector<std::string> ChangedBetween(const Config& before, const Config& after) {
  std::map<std::string, bool, std::less<>> changed = SecretChanges(before, after);
  const auto was = PartsOf(before), is = PartsOf(after);
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
