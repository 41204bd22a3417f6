#include "orchestration/decomposition/clauses.h"

#include <algorithm>
#include <array>

namespace switchyard::orchestration {
namespace {

// Between clauses; the longer ones first, so that "and then" is not read as "then".
struct Connective {
  std::string_view words;
  bool ordered;
};
constexpr std::array kBetween = {
    Connective{", and then ", true},   Connective{"; and then ", true},
    Connective{" and then ", true},    Connective{", after that ", true},
    Connective{"; after that ", true}, Connective{", then ", true},
    Connective{"; then ", true},       Connective{", and finally ", true},
    Connective{" and finally ", true}, Connective{", finally ", true},
    Connective{" while also ", false}, Connective{"; meanwhile ", false},
    Connective{", and also ", false},  Connective{" and also ", false},
    Connective{"; ", false},
};
// At the start of a sentence.
constexpr std::array<std::string_view, 12> kOrderWords = {
    "first, ",      "first ",      "then, ",       "then ",     "next, ",   "next ",
    "after that, ", "after that ", "afterwards, ", "finally, ", "finally ", "lastly, "};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool StartsWith(std::string_view text, std::string_view words) {
  return text.size() >= words.size() &&
         std::ranges::equal(text.substr(0, words.size()), words, {}, Lower);
}

const Connective* ConnectiveAt(std::string_view text) {
  if (text.front() != ',' && text.front() != ';' && text.front() != ' ') return nullptr;
  const auto* const found = std::ranges::find_if(
      kBetween, [text](const Connective& one) { return StartsWith(text, one.words); });
  return found == kBetween.end() ? nullptr : found;
}

// A sentence ends with . ! or ? before a blank and something that is no small letter: "e.g. this"
// and "3.5" go on.
bool EndsSentence(std::string_view text) {
  if (text.size() < 3 || (text[0] != '.' && text[0] != '!' && text[0] != '?')) return false;
  if (text[1] != ' ' && text[1] != '\n') return false;
  const std::string_view next = Trimmed(text.substr(1));
  return !next.empty() && (next.front() < 'a' || next.front() > 'z');
}

// Cuts order words off the front; true: there were some.
bool CutOrderWords(std::string_view& text) {
  for (const std::string_view words : kOrderWords) {
    if (!StartsWith(text, words)) continue;
    text = Trimmed(text.substr(words.size()));
    return true;
  }
  return false;
}

void Add(Clauses& clauses, std::string_view text) {
  text = Trimmed(text);
  if (CutOrderWords(text)) clauses.ordered = clauses.by_connectives = true;
  while (!text.empty() && (text.back() == '.' || text.back() == ',' || text.back() == ';')) {
    text.remove_suffix(1);
  }
  text = Trimmed(text);
  if (!text.empty()) clauses.texts.emplace_back(text);
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

Clauses ClausesOf(std::string_view text) {
  Clauses clauses;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (const Connective* const between = ConnectiveAt(text.substr(at))) {
      Add(clauses, text.substr(begin, at - begin));
      clauses.by_connectives = true;
      if (between->ordered) clauses.ordered = true;
      at += between->words.size();
      begin = at;
    } else if (EndsSentence(text.substr(at, 64))) {
      Add(clauses, text.substr(begin, at + 1 - begin));
      begin = ++at;
    } else {
      ++at;
    }
  }
  Add(clauses, text.substr(begin));
  return clauses;
}

}  // namespace switchyard::orchestration
