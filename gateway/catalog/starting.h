// Servers of which nothing was heard yet: a name that leads nowhere may be of one of them, and who
// calls it is told so. That there is no such tool an agent would take for its own mistake, and give
// the tool up. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/inventory.h"

namespace switchyard::catalog {

struct Content;

struct StartingServer {
  ServerNaming naming;  // with the prefix that counts at the endpoint
  std::string called;   // by lists that miss it: its own name, or that of its group
};

// Those of `servers` that the endpoint shows; of a group none while another member is up. After all
// servers were merged, and what is missing noted.
void NoteStarting(const Catalog::Options& options, const std::vector<ServerState>& servers,
                  Content& content);

// How the server would call a tool or prompt that clients know by this name: a part of it. nullopt:
// it would not be offered as the server's, whatever that lists.
std::optional<std::string_view> OwnNameAt(const StartingServer& server, const Content& content,
                                          const Catalog::Options& options, ItemKind kind,
                                          std::string_view exposed);

}  // namespace switchyard::catalog
