// URIs in what a server answers, as clients read them: links and embedded resources in the content
// of tools and prompts, the contents of a resource, `ui.resourceUri` of the Apps extension. The
// other places are lists (render.h), updates (listens.h) and what clients send (router.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "core/call.h"
#include "core/reply.h"

namespace switchyard::catalog {

using UriMap = std::function<std::string(std::string_view uri)>;

// The response with every URI as `map` has it; itself when there is nothing to change. What cannot
// be read stays.
mcp::Message MapUris(mcp::Message response, const UriMap& map);

// Not found, in the client's words: the error of a resources/read names what was asked for in
// `data.uri` (specification: server/resources, error handling).
mcp::Message NameInError(mcp::Message error, std::string_view uri);

// Whether WithClientUris() is worth its frame.
bool NeedsClientUris(const Call& call, const Catalog& catalog);
// The reply to `call`, which has its target, with both done to its response.
ReplyPtr WithClientUris(ReplyPtr reply, const Call& call, std::shared_ptr<const Catalog> catalog);

}  // namespace switchyard::catalog
