// Definitions as clients of a protocol version read them, and whole list results. Pure functions.
// What a version does not know is left out (specification: changelogs of the revisions); every
// other member of a server's object stays verbatim, in its order.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "catalog/inventory.h"
#include "core/definition.h"
#include "mcp/version.h"

namespace switchyard::catalog {

struct RenderOptions {
  // Leaves `x-mcp-header` in: then clients send the headers and the edge has to check them.
  // Without, clients that cannot set headers (browsers) work as well.
  bool keep_header_params = false;
  // How a URI of a server reads for clients; empty = verbatim.
  std::function<std::string(std::string_view server, std::string_view uri)> exposed_uri;
  // Whose an item is, for people: a server or a group. Empty = nobody is told.
  std::function<std::string_view(const Definition& item)> owner = {};
};

// The JSON of one item. `definition.json` is a valid JSON object.
std::string RenderItem(const Definition& definition, mcp::Version version,
                       const RenderOptions& options);

struct Page {
  std::string_view key;  // "tools", "prompts", "resources", "resourceTemplates"
  std::span<const Definition* const> items;
  std::string next_cursor;                                 // "" = the last page
  const std::map<std::string, std::string>* missing = {};  // server -> why
  const std::map<std::string, std::string>* outages = {};  // what -> why
  ListHint hint = {};
};

// The JSON of the list result.
std::string RenderPage(const Page& page, mcp::Version version, const RenderOptions& options);

}  // namespace switchyard::catalog
