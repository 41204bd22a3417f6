// What one server offers, as it listed it: the input of the catalog. Immutable once published.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/definition.h"
#include "core/downstream.h"

namespace switchyard::catalog {

// What the operator said of a server, as far as names are concerned.
struct ServerNaming {
  std::string server;                // config name
  std::string prefix;                // "" = names stay as they are
  std::vector<std::string> include;  // globs over the server's own tool names; empty = all
  std::vector<std::string> exclude;
};

struct Inventory {
  std::string server;
  ServerFacts facts;
  // The servers' own objects, verbatim, in the server's order.
  std::vector<std::string> tools, prompts, resources, templates;
};

// Up with an inventory, or down with a reason that clients and operators are told.
struct ServerState {
  ServerNaming naming;
  std::shared_ptr<const Inventory> inventory;  // null = not up
  std::string missing_because;  // set when null: "starting", "connection refused", ...
};

// The objects of the array `key` ("tools", "prompts", "resources", "resourceTemplates") of a list
// result, verbatim. kProtocol when there is no such array or it is broken. What is inside of the
// items is checked when a catalog is built.
Result<std::vector<std::string>> ItemsOf(std::string_view list_result_json, std::string_view key);

}  // namespace switchyard::catalog
