// The members of a JSON object and the elements of an array, as spans of the text. For cold paths
// over texts whose inner parts were or will be validated by a real parser: on anything else the
// functions stay within bounds and may answer nullopt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/splice.h"

namespace switchyard::mcp {

struct Field {
  std::string key;         // unescaped
  std::string_view value;  // raw
  Member at;               // spans of the scanned text
  std::string_view whole;  // `"key":value`, verbatim
};
using Fields = std::vector<Field>;

std::optional<Fields> MembersOf(std::string_view object);
std::optional<std::vector<std::string_view>> ElementsOf(std::string_view array);

// null when absent.
const Field* Find(const Fields& fields, std::string_view key);
// The first key that stands there twice; "" = none.
std::string_view DuplicateKey(const Fields& fields);

inline bool IsObject(std::string_view raw) { return raw.starts_with('{'); }
inline bool IsArray(std::string_view raw) { return raw.starts_with('['); }
inline bool IsString(std::string_view raw) { return raw.starts_with('"'); }

}  // namespace switchyard::mcp
