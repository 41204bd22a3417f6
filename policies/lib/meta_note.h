// A word to the client in the `_meta` of a result. Pure.
#pragma once

#include <string>
#include <string_view>

#include "mcp/message.h"

namespace switchyard::policies {

// For what is rare: the message is written and read anew, since edits that others made or will make
// stay apart. `raw` is JSON; a member of that name is replaced. An error object has no `_meta` and
// stays as it is.
void NoteInMeta(mcp::Message& answer, std::string_view key, std::string_view raw);

}  // namespace switchyard::policies
