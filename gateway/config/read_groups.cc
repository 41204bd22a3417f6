// Groups of servers, and what endpoints say of them.
#include <algorithm>
#include <utility>

#include "config/read.h"
#include "config/rules.h"
#include "config/text_check.h"

namespace switchyard::config {
namespace {

std::vector<std::string> ReadMembers(Section& section) {
  struct Member {
    std::string server;
    std::int64_t priority;
    std::size_t place;  // in the file
  };
  std::vector<Member> members;
  for (Section& item : section.Items("servers")) {
    const std::optional<std::string> server = item.ServerName("server");
    const auto priority = item.Integer("priority", 0, 1'000'000);
    if (!server) {
      if (!item.Has("server")) item.Error("server", "is missing: a member is a server's name");
      continue;
    }
    if (std::ranges::find(members, *server, &Member::server) != members.end()) {
      item.Error("server", "is in this group already");
      continue;
    }
    members.push_back({*server, priority.value_or(0), members.size()});
  }
  std::ranges::sort(members, {},
                    [](const Member& member) { return std::pair(member.priority, member.place); });
  std::vector<std::string> out;
  out.reserve(members.size());
  for (Member& member : members) out.push_back(std::move(member.server));
  if (out.empty()) section.Error("servers", "names no server, so the group offers nothing");
  return out;
}

Group ReadGroup(std::string name, Section section) {
  Group group;
  group.name = std::move(name);
  group.prefix = section.String("prefix");
  if (group.prefix && !group.prefix->empty() && !IsName(*group.prefix)) {
    section.Error("prefix", "must be empty or " + std::string(kNameRule));
  }
  if (section.Enum("choice", {"priority", "least_loaded"}) == "least_loaded") {
    group.choice = Group::Choice::kLeastLoaded;
  }
  group.servers = ReadMembers(section);
  return group;
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Nobody else may be called like it, nor have its servers.
void CheckGroup(Section& root, const Config& config, const Group& group) {
  const std::string key = "groups." + group.name;
  if (!IsName(group.name)) root.Error(key, "a name must be " + std::string(kNameRule));
  if (config.servers.contains(group.name)) root.Error(key, "is also the name of a server");
  const std::string& prefix = group.effective_prefix();
  for (const auto& [name, server] : config.servers) {
    if (prefix.empty() || Contains(group.servers, name)) continue;
    if (server.effective_prefix() == prefix) {
      root.Error(key, "has the prefix " + Quote(prefix) + " of servers." + name +
                          ", expected one of its own");
    }
  }
  for (const auto& [name, other] : config.groups) {
    if (!prefix.empty() && other.effective_prefix() == prefix) {
      root.Error(key, "has the prefix " + Quote(prefix) + " of groups." + name +
                          ", expected one of its own");
    }
    for (const std::string& server : other.servers) {
      if (!Contains(group.servers, server)) continue;
      root.Error(key, "server " + server + " is in group " + name +
                          ", too: a server is in one group at most");
    }
  }
}

}  // namespace

void ReadGroups(Section& root, Config& config) {
  for (auto& [name, section] : root.Children("groups")) {
    Group group = ReadGroup(name, std::move(section));
    CheckGroup(root, config, group);
    config.groups.emplace(name, std::move(group));
  }
}

void ExpandGroups(Section& section, const std::map<std::string, Group>& groups,
                  Endpoint& endpoint) {
  std::vector<std::string> servers;
  for (const std::string& name : endpoint.servers) {
    const auto group = groups.find(name);
    if (group == groups.end()) {
      servers.push_back(name);
      continue;
    }
    endpoint.groups.push_back(name);
    for (const std::string& member : group->second.servers) {
      if (Contains(endpoint.servers, member)) {
        section.Error("servers", "has group " + name + " and its member " + member);
      } else {
        servers.push_back(member);
      }
    }
  }
  if (endpoint.transparent && !endpoint.groups.empty()) {
    section.Error("transparent", "needs a server, not a group: names of groups are the gateway's");
  }
  endpoint.servers = std::move(servers);
}

}  // namespace switchyard::config
