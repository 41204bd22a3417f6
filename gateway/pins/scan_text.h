// What one text of a definition shows, whatever it is the text of. Pure.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "pins/definition_scan.h"

namespace switchyard::pins {

// `around`: the bytes that the excerpt is made of.
using Report =
    std::function<void(std::string_view rule, Severity severity, std::string_view around)>;

// Characters that are not seen, or not as what they are.
void ScanCharacters(std::string_view text, const Report& report);
// Words that mix alphabets; of names every letter counts.
void ScanScripts(std::string_view text, bool name, const Report& report);
// Room that pushes text out of sight, and text that has to be decoded.
void ScanLayout(std::string_view text, const Report& report);
// Orders, hints and markup, by phrases.def. Reads what ScanLayout() can decode, too.
void ScanPhrases(std::string_view text, const Report& report);
// The same of a name: its parts are words.
void ScanNamePhrases(std::string_view name, const Report& report);

struct PhraseRule {
  std::string_view rule;
  Severity severity;
  const char* pattern;
};
std::span<const PhraseRule> PhraseRules();

// What base64 in the text says, where that is text; "" = nothing.
std::string DecodedIn(std::string_view text);

}  // namespace switchyard::pins
