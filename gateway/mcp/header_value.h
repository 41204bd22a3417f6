// The values of Mcp-Name and Mcp-Param-* headers: plain text where HTTP can carry it, else
// `=?base64?...?=` (the specification's streamable-http page). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace switchyard::mcp {

// Text outside printable ASCII, with a space or tab at an end, or that itself reads as an encoded
// value is encoded; all else stays as it is.
std::string EncodeHeaderValue(std::string_view text);

// nullopt: malformed (base64 that is none, bytes that may not stand in a header, not UTF-8).
// Optional whitespace around the value is not part of it.
std::optional<std::string> DecodeHeaderValue(std::string_view value);

// The header for an argument, given as raw JSON. nullopt: none is due (null) or none can be (number
// that is no integer within 2^53, object, array).
std::optional<std::string> HeaderValueFor(std::string_view raw_json);

// Whether a received header says the same as an argument, given as raw JSON: strings byte by byte
// after decoding, integers by value (42 = 42.0), booleans by word.
bool HeaderMatches(std::string_view value, std::string_view raw_json);

}  // namespace switchyard::mcp
