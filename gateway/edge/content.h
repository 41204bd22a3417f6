// Content of results and notifications in the words of older revisions (their changelogs):
//
//   since       | what older clients get instead
//   2026-07-28  | structured content that is no object: gone, its JSON is a text
//   2025-11-25  | icons of a link: gone
//   2025-06-18  | resource_link: a text with its URI; structured content: as above
//   2025-03-26  | audio: an embedded resource; the message of a progress notification: gone
//
// Lists are catalog/render's. Pure functions.
#pragma once

#include "mcp/message.h"
#include "mcp/version.h"

namespace switchyard::edge {

// Makes a result readable for a legacy client. The JSON of structured content becomes a text only
// where there is no other text. A result without any of this stays as it is and costs a look at its
// members, below 2025-11-25 a search or two.
void ContentForLegacy(mcp::Message& response, mcp::Version version);

// The same for a progress notification; its edits are applied.
void ProgressForLegacy(mcp::Message& progress, mcp::Version version);

}  // namespace switchyard::edge
