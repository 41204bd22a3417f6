// The vocabularies that configurations name. The one thing in lib that reads a file: at start, at a
// reload and at `check`, never for a call. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "policies/lib/byte_pair.h"

namespace switchyard {

// Who asks for a file that somebody still uses, and that did not change, gets the same counter.
Result<std::shared_ptr<const TokenCounter>> VocabularyFile(const std::string& path,
                                                           TokenPattern pattern);

// How a policy counts tokens.
struct TokenSettings {
  std::string vocabulary;  // a file; "" = the estimate
  TokenPattern pattern = TokenPattern::kO200k;
  std::shared_ptr<const TokenCounter> counter = EstimatedTokens();
};

// The keys `vocabulary` and `pattern` of a policy. (A Section is config::Section, which lib does
// not know.)
template <class Section>
void TakeTokenSettings(Section& section, TokenSettings& into) {
  const bool named = section.Take("vocabulary", into.vocabulary);
  const auto word = section.Enum("pattern", {"o200k", "cl100k", "gpt2"});
  if (word) into.pattern = *TokenPatternOf(*word);
  section.Shows("pattern", std::string(ToString(into.pattern)));
  if (!named && !word) return;
  into.counter = EstimatedTokens();
  if (into.vocabulary.empty()) return;
  auto counter = VocabularyFile(into.vocabulary, into.pattern);
  if (counter) {
    into.counter = std::move(*counter);
  } else {
    section.Error(named ? "vocabulary" : "pattern", counter.error().message);
  }
}

}  // namespace switchyard
