// The arguments of a call, read once though several policies look into them.
#pragma once

#include <string_view>

#include "policies/lib/json_schema/json_doc.h"

namespace switchyard::policies {

// `raw`: "" = {}. Each thread keeps what it read last, with a text of its own, and reads nothing
// twice in a row. Borrowed until the thread's next call of this.
const json_schema::JsonDoc::Read& ReadArguments(std::string_view raw);

}  // namespace switchyard::policies
