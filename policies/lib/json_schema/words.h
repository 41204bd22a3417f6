// The words of problems. What comes from the value is cut to a readable length.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "policies/lib/json_schema/json_doc.h"
#include "policies/lib/json_schema/tree.h"

namespace switchyard::json_schema {

std::string Describe(const JsonDoc& doc, std::uint32_t value);  // the string "ten"
std::string Quoted(std::string_view text, std::size_t longest = 60);
std::string TypeWords(std::uint8_t types);  // a string or null
// one of "a", "b"
std::string ValueWords(const JsonDoc& schema, std::span<const std::uint32_t> values);
// at least 1 member, 2 to 5 items, exactly 3 characters
std::string CountWords(const Bounds& bounds, std::string_view thing);
std::string KnownNames(const ObjectRules& rules);  // "a", "b" and 3 more

}  // namespace switchyard::json_schema
