// From a document to the structs of config.h: which keys exist, and what may stand in them.
// read.cc has the document and its small sections, read_server.cc servers and endpoints.
#pragma once

#include <span>

#include "config/config.h"
#include "config/section.h"

namespace switchyard::config {

// Reads everything and checks it once. The Config means something only when the Document has no
// errors afterwards.
Config ReadConfig(Document& document, std::span<const PolicyKey> keys);

// The parts, each of one parent Section.
PolicySettings ReadPolicies(Section& parent, std::span<const PolicyKey> keys,
                            const PolicySettings* inherited);
ToolFilter ReadTools(Section& parent);
Server ReadServer(std::string name, Section section, std::span<const PolicyKey> keys,
                  const PolicySettings& inherited);
Endpoint ReadEndpoint(std::string name, Section section, std::span<const PolicyKey> keys,
                      const PolicySettings& inherited, const std::vector<std::string>& servers);

}  // namespace switchyard::config
