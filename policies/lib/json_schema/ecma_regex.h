// Patterns of JSON Schema are ECMA-262 regular expressions; ours run on RE2, which takes time
// linear in the text whatever the pattern. Pure.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace switchyard::json_schema {

// Errors: what is right in ECMA-262 and has no words in RE2.
inline constexpr std::string_view kLooksAround = "it looks around";
inline constexpr std::string_view kRefersBack = "it refers back to a group";

// The same expression in RE2's words. The error says what is wrong with it: one of the
// above, or something that means nothing in ECMA-262 either.
std::expected<std::string, std::string> ToRe2(std::string_view pattern);

// At most kMaxPattern bytes; repetitions beyond RE2's bound (1000) are an error as well.
inline constexpr std::size_t kMaxPattern = 4096;
std::expected<std::shared_ptr<const re2::RE2>, std::string> CompilePattern(
    std::string_view pattern);

// Whether it is found anywhere in the text.
bool Finds(const re2::RE2& pattern, std::string_view text);

}  // namespace switchyard::json_schema
