// The items of one endpoint, merged and indexed: what a Catalog looks things up in. Built once by
// MergeServers(), then only read; safe to read from any thread. Movable: indexes point into the
// vectors' elements, which do not move with it.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/absent.h"
#include "catalog/catalog.h"
#include "catalog/facts.h"
#include "catalog/uri_template.h"
#include "catalog/withheld.h"

namespace switchyard::catalog {

inline constexpr std::size_t kItemKinds = 4;

struct Content {
  struct Template {
    UriTemplate pattern;
    const Definition* definition;
  };
  // One server whose lists are known.
  struct Owner {
    std::shared_ptr<const Inventory> inventory;
    std::unordered_map<std::string_view, const Definition*> tools;      // by its own names
    std::unordered_map<std::string_view, const Definition*> resources;  // by original URI
    std::vector<Template> templates;
    Withheld withheld = {};
    bool has_resources = false;
    bool down = false;         // and its lists are kept
    Offer offer = {};          // its part
    std::string heading = {};  // of its instructions; "" = they do not stand there
  };
  // Of whom an outage was told: a server, or one of its tools.
  struct OutageSource {
    std::string server, tool;
  };

  std::array<std::vector<Definition>, kItemKinds> items;  // by ItemKind
  std::array<std::unordered_map<std::string_view, const Definition*>, kItemKinds> by_exposed;
  // Resources that are exposed rewritten, by their original URI: the first owner.
  std::unordered_map<std::string_view, const Definition*> by_original;
  std::map<std::string, Owner, std::less<>> owners;  // by server
  std::size_t resource_owners = 0;                   // how many have resources
  bool rewrites = false;                             // any URI reads other than its server wrote it

  // How long and for whom lists may be kept: the strictest of all servers that have such items.
  std::array<ListHint, kItemKinds> hints{};  // by ItemKind

  // Of calls that lead to a server, also to one that is not up, and of those that lead nowhere.
  std::map<std::string, std::shared_ptr<const PolicySet>, std::less<>> policies;
  std::shared_ptr<const PolicySet> own_policies;

  Offer offer;
  std::string instructions;
  std::vector<Collision> collisions;
  std::vector<std::string> problems;
  std::map<std::string, std::string> missing;
  std::vector<AbsentServer> absent;  // of those that are missing
  std::set<std::string, std::less<>> builtin_names;
  // Of all servers here, up or not: prefix -> one of those that have it, "" of those without.
  std::map<std::string, std::string, std::less<>> prefixes;
  std::map<std::string, std::string> outages;                       // what -> why
  std::map<std::string, std::vector<OutageSource>> outage_sources;  // what -> of whom
  TimePoint outages_until = TimePoint::max();
  std::size_t hidden_tools = 0;  // the last of the tools

  const std::vector<Definition>& of(ItemKind kind) const {
    return items[static_cast<std::size_t>(kind)];
  }
  // The longest of `prefixes` that the name begins with, and whose it is: the name is that
  // server's. Null = it begins with none.
  const std::pair<const std::string, std::string>* PrefixOf(std::string_view exposed) const;
  // What lists show.
  std::span<const Definition> shown(ItemKind kind) const {
    const std::span<const Definition> all = of(kind);
    return all.first(all.size() - (kind == ItemKind::kTool ? hidden_tools : 0));
  }
};

Content MergeServers(const Catalog::Options& options, std::vector<ServerState> servers);

}  // namespace switchyard::catalog
