// The items of one endpoint, merged and indexed: what a Catalog looks things up in. Built once by
// MergeServers(), then only read; safe to read from any thread. Movable: indexes point into the
// vectors' elements, which do not move with it.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/facts.h"
#include "catalog/uri_template.h"

namespace switchyard::catalog {

inline constexpr std::size_t kItemKinds = 4;

struct Content {
  struct Template {
    UriTemplate pattern;
    const Definition* definition;
  };
  // One server that is up.
  struct Owner {
    std::shared_ptr<const Inventory> inventory;
    std::unordered_map<std::string_view, const Definition*> resources;  // by original URI
    std::vector<Template> templates;
    bool has_resources = false;
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

  Offer offer;
  std::string instructions;
  std::vector<Collision> collisions;
  std::vector<std::string> problems;
  std::map<std::string, std::string> missing;

  const std::vector<Definition>& of(ItemKind kind) const {
    return items[static_cast<std::size_t>(kind)];
  }
};

Content MergeServers(const Catalog::Options& options, std::vector<ServerState> servers);

}  // namespace switchyard::catalog
