// What is pinned of one thing that a server offers: all that a model or a policy goes by, in one
// writing for all writings of the same JSON, and its SHA-256. Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::pins {

// The first four as in core's ItemKind; of a server's instructions there is one.
enum class Kind : std::uint8_t { kTool, kPrompt, kResource, kTemplate, kInstructions };
inline constexpr std::size_t kKinds = 5;

std::string_view Word(Kind kind);  // "tool", "prompt", ...
std::optional<Kind> KindOf(std::string_view word);

struct Definition {
  std::string text;  // canonical JSON; what has none (see canonical) as the server wrote it
  std::string hash;  // of `text`: 64 hexadecimal digits
  bool canonical = true;
};

// Members sorted by their names, strings in their shortest writing, no spaces; numbers stay as they
// are written. nullopt: no JSON, nested deeper than kDeepest, half a surrogate pair, or an object
// with the same key twice, which two readers may read as two values.
std::optional<std::string> CanonicalJson(std::string_view raw);
inline constexpr int kDeepest = 64;

// Of an item of a list result, which must be valid JSON. A tool's name, title, description, schemas
// and annotations; a prompt's name, title, description and arguments; of resources and templates
// URI, name, title, description and type. Not `_meta` and icons, which say nothing to a model.
Definition DefinitionOf(Kind kind, std::string_view item);
Definition InstructionsOf(std::string_view text);
// What was kept of one; as DefinitionOf() made it.
Definition KeptDefinition(std::string text, bool canonical);

// Canonical JSON over several lines, each after `indent` spaces but the first. What a reader cannot
// see, or what turns the direction of what it sees, stands there as an escape (still JSON).
std::string PrettyJson(std::string_view canonical, std::size_t indent = 0);

// As one line that a terminal and a log can show: the same characters as \u{200B}.
std::string Visible(std::string_view text);

}  // namespace switchyard::pins
