// Finds the authorization server of an MCP server (RFC 9728, RFC 8414, and what servers of
// 2025-03-26 have instead). Every URL goes through the fetcher, whose guard decides whether it may
// be asked at all.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"
#include "credentials/oauth/metadata.h"
#include "fetch/fetch.h"

namespace switchyard::credentials::oauth {

// What is known before anybody was asked.
struct Lead {
  std::string server_url;              // of the MCP server
  std::string resource_metadata = {};  // where its challenge says its metadata is; "" = not said
  std::string issuer = {};             // that the configuration names; "" = any that it names
};

struct Discovered {
  ServerMetadata server;
  std::string resource;                            // to ask tokens for
  std::vector<std::string> scopes_supported = {};  // of the resource
  bool published = true;                           // false: only the defaults of 2025-03-26
  std::vector<std::string> issuers = {};  // that the resource names; one of them is `server`
};

// Messages say what was looked for and what is wrong; what the servers said is in the detail.
// kForbidden: the server does not name the configured issuer, so what is for that one is not sent.
Task<Result<Discovered>> Discover(fetch::Fetcher& fetcher, Lead lead, Deadline deadline);

// The metadata of one issuer, by all its addresses.
Task<Result<ServerMetadata>> FetchServerMetadata(fetch::Fetcher& fetcher, std::string issuer,
                                                 Deadline deadline);

}  // namespace switchyard::credentials::oauth
