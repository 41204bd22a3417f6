// From a document to the structs of config.h: which keys exist, and what may stand in them.
// read.cc has the document and its small sections, read_server.cc servers and endpoints,
// read_auth.cc who is let in, read_groups.cc groups of servers, read_pins.cc what is pinned,
// read_policies.cc what they all may say of policies, read_audit.cc the log of records,
// read_fetch.cc what may be asked beside servers, read_credentials.cc what servers are shown,
// read_orchestration.cc the built-in service.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/section.h"

namespace switchyard::config {

// Reads everything and checks it once. The Config means something only when the Document has no
// errors afterwards.
Config ReadConfig(Document& document, std::span<const PolicyKey> keys);

// The parts, each of one parent Section.

// `policies` of the parent, read once on what `inherited` says for the same policies.
PolicyLevel ReadPolicies(Section& parent, std::span<const PolicyKey> keys,
                         const PolicyStack& inherited, PolicyLevel level);
// `tool_policies` of a server: a mapping of globs to such mappings.
std::vector<PolicyLevel> ReadToolPolicies(Section& server, std::span<const PolicyKey> keys,
                                          const PolicyStack& inherited, const std::string& name);
ToolFilter ReadTools(Section& parent);
// `pins` of the document and of a server, on what the former says; off where neither has any.
Pinning ReadPins(Section& root, std::string& file);
Pinning ReadServerPins(Section& server, const Pinning& inherited);
// Where what is pinned is kept, once all is read.
void PlacePins(Section& root, Config& config);
// `auth` of the parent; each of its keys takes the place of the inherited one.
std::optional<Auth> ReadAuth(Section& parent, const std::optional<Auth>& inherited);
std::vector<ApiKey> ReadApiKeys(Section& parent);  // `api_keys` of the parent
Server ReadServer(std::string name, Section section, std::span<const PolicyKey> keys,
                  const Config& config);
// `names`: of servers and groups.
Endpoint ReadEndpoint(std::string name, Section section, std::span<const PolicyKey> keys,
                      const Config& config, const std::vector<std::string>& names);

// `credentials` of a server and of the document; where they are kept, once all is read.
std::optional<ServerCredentials> ReadServerCredentials(Section& server);
Credentials ReadCredentials(Section& root);
void PlaceCredentials(Section& root, Config& config);

// `audit` of the document.
Audit ReadAudit(Section& root);
// `fetch` of the document.
Fetch ReadFetch(Section& root);

// `orchestration` of the document, and the server that it is.
void ReadOrchestration(Section& root, std::span<const PolicyKey> keys, Config& config,
                       std::vector<std::string>& names);

// `groups` of the document, once its servers are read.
void ReadGroups(Section& root, Config& config);
// Groups among the servers of an endpoint become their members.
void ExpandGroups(Section& section, const std::map<std::string, Group>& groups, Endpoint& endpoint);

}  // namespace switchyard::config
