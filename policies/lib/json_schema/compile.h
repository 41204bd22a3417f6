// From the text of a schema to its Tree. Nothing is fetched: a $ref leads to a place in this text
// or is not checked. What cannot be understood (a keyword with a value of the wrong type, a pattern
// beyond RE2, a reference that leads nowhere) is left out and named in the notes: a server's
// imperfect schema must not make its tool unusable.
#pragma once

#include <memory>
#include <string>

#include "policies/lib/json_schema/tree.h"

namespace switchyard::json_schema {

// At most this many schemas in one; the rest of a larger one is not checked.
inline constexpr std::size_t kMaxNodes = 20'000;
inline constexpr std::size_t kMaxPatterns = 256;
inline constexpr std::size_t kMaxNotes = 20;

// A text that is no JSON, or no schema at all, gives a Tree that lets everything through, with a
// note.
std::unique_ptr<const Tree> Compile(std::string text);

}  // namespace switchyard::json_schema
