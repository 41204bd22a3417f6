// An item of a server's list, held against the schema of the specification (schema.ts of 2025-11-25
// and 2026-07-28: Tool, Prompt, Resource, ResourceTemplate). Clients that validate take or refuse a
// list as a whole, so that one broken item of one server would cost them the lists of all.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include <simdjson.h>

#include "core/definition.h"
#include "mcp/scan.h"

namespace switchyard::catalog {

struct ReadItem {
  std::string name;    // a URI of resources, a URI template of templates
  mcp::Fields fields;  // of the text that was read
  std::string json;    // the same, but optional members of a wrong type are left out, and an
                       // inputSchema without a type has the only one that it can have
  std::vector<std::string> changes;  // what makes the difference: sentences without their ends
};

struct BrokenItem {
  std::string name;  // the whole text where it has none
  std::string why;   // it cannot be offered
};

// One thread at a time.
class ItemReader {
 public:
  // `json` outlives what is returned.
  std::expected<ReadItem, BrokenItem> Read(ItemKind kind, const std::string& json);

 private:
  simdjson::dom::parser parser_;
};

}  // namespace switchyard::catalog
