// What several servers say of themselves, made into one answer: capabilities and instructions.
// Pure functions over parsed facts; nothing a server says can make them fail.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp/version.h"

namespace switchyard::catalog {

// Set where at least one server has it.
struct Offer {
  bool tools = false, prompts = false, resources = false, subscribe = false;
  bool completions = false, logging = false;
  bool tasks = false;  // the extension, or what 2025-11-25 has of it

  // Adds what a raw JSON ServerCapabilities offers.
  void Add(std::string_view capabilities_json);
  void Add(const Offer& other);
  bool Has(std::string_view capability) const;  // "resources.subscribe" too; "" = true
  // JSON of a ServerCapabilities. listChanged always: the gateway's lists can change at any time.
  std::string ToJson(mcp::Version version) const;
};

// One paragraph a server, headed by its name; long ones are cut. `transparent`: the one server's
// own text. At most 4 KiB a server and 32 KiB in all, cut between characters.
std::string MergeInstructions(
    std::string_view header,
    const std::vector<std::pair<std::string_view, std::string_view>>& by_server, bool transparent);

}  // namespace switchyard::catalog
