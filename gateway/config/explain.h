// `switchyard check FILE --explain TOOL`: which policies a call of a tool meets, in their order,
// and for each of their values where it came from. The configuration alone says it; nothing is
// started.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "config/config.h"

namespace switchyard::config {

// As a person asks for it.
struct ExplainRequest {
  std::string tool;         // as clients see it, or SERVER/TOOL with the server's own name
  std::string endpoint;     // "" = /mcp
  bool any_member = false;  // of a tool of a group, one of those who may serve it; else a problem
};

struct ExplainedTool {
  std::string endpoint, server, tool;  // the tool by the server's own name
  std::string note;                    // why it is not offered all the same, "" = it may be
  // Of a tool of a group, all servers of it that may serve it, best first; else empty.
  std::vector<std::string> members = {};
};

// Whose tool it is, or in words why that cannot be said.
std::expected<ExplainedTool, std::string> FindTool(const Config& config,
                                                   const ExplainRequest& request);

// `file` is how the configuration is called.
std::string Explain(const Config& config, std::span<const PolicyKey> keys,
                    const ExplainedTool& tool, const std::string& file);
boost::json::object ExplainJson(const Config& config, std::span<const PolicyKey> keys,
                                const ExplainedTool& tool, const std::string& file);

}  // namespace switchyard::config
