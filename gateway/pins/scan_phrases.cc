#include <array>
#include <cstdint>
#include <memory>
#include <re2/re2.h>
#include <vector>

#include "pins/characters.h"
#include "pins/scan_text.h"

namespace switchyard::pins {
namespace {

constexpr auto kPhrases = std::to_array<PhraseRule>({
#define PHRASE(rule, severity, pattern) {#rule, Severity::severity, pattern},
#include "pins/phrases.def"
#undef PHRASE
});

// Made once, then only read.
class Phrases {
 public:
  static const Phrases& All() {
    static const Phrases phrases;
    return phrases;
  }

  void Find(std::string_view plain, const Report& report) const {
    const re2::StringPiece text(plain.data(), plain.size());
    for (std::size_t i = 0; i < kPhrases.size(); ++i) {
      re2::StringPiece found;
      if (!patterns_[i]->Match(text, 0, text.size(), re2::RE2::UNANCHORED, &found, 1)) continue;
      report(kPhrases[i].rule, kPhrases[i].severity, {found.data(), found.size()});
    }
  }

 private:
  Phrases() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // it is ASCII
    options.set_max_mem(kMemory);
    for (const PhraseRule& phrase : kPhrases) {
      patterns_.push_back(std::make_unique<const re2::RE2>(phrase.pattern, options));
    }
  }

  static constexpr std::int64_t kMemory = 4 << 20;  // at most, of each
  std::vector<std::unique_ptr<const re2::RE2>> patterns_;
};

}  // namespace

std::span<const PhraseRule> PhraseRules() { return kPhrases; }

void ScanPhrases(std::string_view text, const Report& report) {
  Phrases::All().Find(PlainWords(text), report);
  const std::string decoded = DecodedIn(text);
  if (decoded.empty()) return;
  Phrases::All().Find(PlainWords(decoded), report);
}

void ScanNamePhrases(std::string_view name, const Report& report) {
  std::string words;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    const bool hump = at > 0 && c >= 'A' && c <= 'Z' && name[at - 1] >= 'a' && name[at - 1] <= 'z';
    if (hump) words += ' ';
    words += c == '_' || c == '-' || c == '.' ? ' ' : c;
  }
  Phrases::All().Find(PlainWords(words), report);
}

}  // namespace switchyard::pins
