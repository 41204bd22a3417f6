// Servers of which no list is known: they are starting, or down for long. A name or URI that leads
// nowhere may be of one of them, and who asks for it is told so. That there is no such tool an
// agent would take for its own mistake, and give the tool up. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/inventory.h"

namespace switchyard::catalog {

struct Content;

struct AbsentServer {
  ServerNaming naming;  // with the prefix that counts at the endpoint
  std::string called;   // by lists that miss it: its own name, or that of its group
  bool starting;        // nothing was heard of it yet
};

// Those of `servers`, which are the endpoint's, that are starting come first; of a group there are
// none while another member is up. After all servers were merged, and what is missing noted.
void NoteAbsent(const Catalog::Options& options, const std::vector<ServerState>& servers,
                Content& content);

enum class Claim {
  kNone,   // it would not be offered as the server's, whatever that lists
  kMaybe,  // nothing tells whose it would be
  kSure,   // it would be this server's and no other's
};

// Of something that leads nowhere, called so by clients: a URI where `kind` is that of resources or
// templates, else a name.
Claim ClaimOf(const AbsentServer& server, const Content& content, const Catalog::Options& options,
              ItemKind kind, std::string_view exposed);

}  // namespace switchyard::catalog
