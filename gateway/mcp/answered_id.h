// Whose answer a text seems to be that Message::Parse refused, so that who waits for it is told.
#pragma once

#include <string_view>

namespace switchyard::mcp {

// The raw id of a response, when it is an integer, as those of ours are; "" = none is found, or it
// is a request. Of a batch that of the first response. Reads any bytes in one pass: strings and the
// depth of brackets, nothing else of JSON. The text lives as long as what is returned.
std::string_view AnsweredId(std::string_view text);

}  // namespace switchyard::mcp
