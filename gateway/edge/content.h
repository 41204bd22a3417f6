// Content of results in the words of older revisions (changelogs of 2025-06-18 and 2026-07-28):
// resource_link and structuredContent came with 2025-06-18, structured content that is no object
// with 2026-07-28.
#pragma once

#include "mcp/message.h"
#include "mcp/version.h"

namespace switchyard::edge {

// Makes a result readable for a legacy client: a link becomes a text block with its URI; structured
// content that the client cannot read goes, and its JSON is the text when there is no other. A
// result without either stays as it is and costs a look at its members, below 2025-06-18 one
// search.
void ContentForLegacy(mcp::Message& response, mcp::Version version);

}  // namespace switchyard::edge
