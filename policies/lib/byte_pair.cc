#include "policies/lib/byte_pair.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <queue>
#include <re2/re2.h>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/string_hash.h"

namespace switchyard {
namespace {

constexpr std::size_t kMaxFile = std::size_t{64} << 20;
constexpr std::size_t kMaxWord = std::size_t{64} << 10;
constexpr std::size_t kFewBytes = 64;  // a plain search beats a heap up to here
constexpr std::uint32_t kNoRank = ~std::uint32_t{0};

// The patterns of tiktoken (openai_public.py), without their one look-ahead, `\s+(?!\S)`, which
// Splitter does by hand, and with Unicode's white space written out, for RE2's \s is ASCII.
#define SPACES \
  R"(\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})"
#define SHORT_FORMS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define SPACE_RUNS "|[" SPACES "]*[\\r\\n]+|[" SPACES "]+"

std::string_view WordsOf(TokenPattern pattern) {
  switch (pattern) {
    case TokenPattern::kO200k:
      return R"([^\r\n\p{L}\p{N}]?)" UPPER "*" LOWER "+" SHORT_FORMS R"(?|[^\r\n\p{L}\p{N}]?)" UPPER
             "+" LOWER "*" SHORT_FORMS R"(?|\p{N}{1,3}| ?[^)" SPACES
             R"(\p{L}\p{N}]+[\r\n/]*)" SPACE_RUNS;
    case TokenPattern::kCl100k:
      return SHORT_FORMS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^)" SPACES
                         R"(\p{L}\p{N}]+[\r\n]*)" SPACE_RUNS;
    case TokenPattern::kGpt2:
      return R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^)" SPACES R"(\p{L}\p{N}]+|[)" SPACES
             "]+";
  }
  return "";
}

#undef SPACES
#undef SHORT_FORMS
#undef UPPER
#undef LOWER
#undef SPACE_RUNS

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Of the last character of a run of white space.
std::size_t LastLength(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && IsContinuation(text[text.size() - length])) ++length;
  return length;
}

// Unicode's white space beyond ASCII, in UTF-8.
bool IsWideSpace(std::string_view character) {
  constexpr std::array<std::string_view, 18> kSpaces = {
      "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
      "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
      "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
      "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f"};
  return character == "\xe3\x80\x80" || std::ranges::find(kSpaces, character) != kSpaces.end();
}

class Splitter {
 public:
  explicit Splitter(TokenPattern pattern)
      : word_(std::string(WordsOf(pattern)), Options()),
        lines_end_runs_(pattern != TokenPattern::kGpt2) {}

  // The length of the word that begins at `at`; what is no UTF-8 goes by bytes.
  std::size_t Next(std::string_view text, std::size_t at) const {
    const re2::StringPiece whole(text.data(), text.size());
    const std::size_t limit = std::min(text.size(), at + kMaxWord);
    re2::StringPiece found;
    const bool matches = word_.Match(whole, at, limit, RE2::ANCHOR_START, &found, 1);
    if (!matches || found.empty()) return 1;
    const std::string_view word(found.data(), found.size());
    const bool line = word.ends_with('\n') || word.ends_with('\r');
    const bool to_the_end = at + word.size() == text.size();
    if (to_the_end || (line && lines_end_runs_) || !EndsInSpace(word)) return word.size();
    // A run of spaces, and something else follows: it takes the last one.
    const std::size_t last = LastLength(word);
    return word.size() > last ? word.size() - last : word.size();
  }

 private:
  static RE2::Options Options() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
  }

  // But for lines, only runs of spaces do.
  static bool EndsInSpace(std::string_view word) {
    const char c = word.back();
    if (c == ' ' || (c >= '\t' && c <= '\r')) return true;
    return IsWideSpace(word.substr(word.size() - LastLength(word)));
  }

  const RE2 word_;
  const bool lines_end_runs_;
};

using Ranks = std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>>;

// One word, merged: where its tokens end.
class Merger {
 public:
  Merger(const Ranks& ranks, std::string_view word) : ranks_(ranks), word_(word) {}

  std::vector<std::uint32_t> Ends() {
    if (word_.size() == 1 || ranks_.contains(word_)) {
      return {static_cast<std::uint32_t>(word_.size())};
    }
    const auto size = static_cast<std::uint32_t>(word_.size());
    parts_.resize(size + 1);
    for (std::uint32_t i = 0; i <= size; ++i) {
      parts_[i] = {.before = i - 1, .after = std::min(i + 1, size), .rank = kNoRank};
    }
    for (std::uint32_t i = 0; i + 1 < size; ++i) parts_[i].rank = RankAt(i);
    if (size <= kFewBytes) {
      MergeBySearch();
    } else {
      MergeByHeap();
    }
    std::vector<std::uint32_t> ends;
    for (std::uint32_t at = 0; at < size; at = parts_[at].after) ends.push_back(parts_[at].after);
    return ends;
  }

 private:
  // A part begins at its own index. `rank`: of it together with the one behind it.
  struct Part {
    std::uint32_t before, after, rank;
  };

  std::uint32_t RankAt(std::uint32_t at) const {
    const std::uint32_t next = parts_[at].after;
    if (next >= word_.size()) return kNoRank;
    const auto found = ranks_.find(word_.substr(at, parts_[next].after - at));
    return found == ranks_.end() ? kNoRank : found->second;
  }

  // Takes the part behind it in.
  void Join(std::uint32_t at) {
    const std::uint32_t gone = parts_[at].after;
    parts_[at].after = parts_[gone].after;
    parts_[parts_[at].after].before = at;
    parts_[gone].rank = kNoRank;
    parts_[at].rank = RankAt(at);
    if (at > 0) parts_[parts_[at].before].rank = RankAt(parts_[at].before);
  }

  void MergeBySearch() {
    for (;;) {
      std::uint32_t best = 0;
      for (std::uint32_t at = 0; at < word_.size(); at = parts_[at].after) {
        if (parts_[at].rank < parts_[best].rank) best = at;
      }
      if (parts_[best].rank == kNoRank) return;
      Join(best);
    }
  }

  void MergeByHeap() {
    using Entry = std::pair<std::uint32_t, std::uint32_t>;  // rank, where
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap;
    const auto push = [&](std::uint32_t at) {
      if (parts_[at].rank != kNoRank) heap.emplace(parts_[at].rank, at);
    };
    for (std::uint32_t at = 0; at < word_.size(); ++at) push(at);
    while (!heap.empty()) {
      const auto [rank, at] = heap.top();
      heap.pop();
      if (parts_[at].rank != rank) continue;  // merged otherwise since
      Join(at);
      push(at);
      if (at > 0) push(parts_[at].before);
    }
  }

  const Ranks& ranks_;
  const std::string_view word_;
  std::vector<Part> parts_;
};

class BytePair final : public TokenCounter {
 public:
  BytePair(Ranks ranks, TokenPattern pattern) : ranks_(std::move(ranks)), splitter_(pattern) {}

  Prefix Fit(std::string_view text, std::size_t limit) const override {
    Prefix fit;
    while (fit.bytes < text.size()) {
      const std::string_view word = text.substr(fit.bytes, splitter_.Next(text, fit.bytes));
      const std::size_t room = limit - fit.tokens;
      if (room == 0) return fit;
      std::size_t tokens = 1;
      if (word.size() > 1 && !ranks_.contains(word)) {
        const std::vector<std::uint32_t> ends = Merger(ranks_, word).Ends();
        tokens = ends.size();
        if (tokens > room) {
          return {.bytes = WholeCharacters(text, fit.bytes + ends[room - 1]), .tokens = limit};
        }
      }
      fit.tokens += tokens;
      fit.bytes += word.size();
    }
    return fit;
  }

 private:
  static std::size_t WholeCharacters(std::string_view text, std::size_t bytes) {
    std::size_t begin = bytes;
    while (begin > 0 && bytes - begin < 3 && IsContinuation(text[begin])) --begin;
    return IsContinuation(text[begin]) ? bytes : begin;
  }

  const Ranks ranks_;
  const Splitter splitter_;
};

std::optional<std::string> FromBase64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out += static_cast<char>(bits >> static_cast<unsigned>(have) & 0xFFU);
  }
  return out;
}

std::unexpected<Error> Wrong(std::size_t line, std::string_view why) {
  return Failure(Code::kInvalid, Origin::kGateway,
                 "line " + std::to_string(line) + ": " + std::string(why));
}

Result<Ranks> ReadRanks(std::string_view text) {
  Ranks ranks;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (row.empty()) continue;
    const std::size_t space = row.find(' ');
    if (space == std::string_view::npos) return Wrong(line, "must be BASE64 RANK");
    const std::optional<std::string> token = FromBase64(row.substr(0, space));
    std::uint32_t rank = kNoRank;
    const char* const last = row.data() + row.size();
    const auto [stop, fault] = std::from_chars(row.data() + space + 1, last, rank);
    if (!token || token->empty()) return Wrong(line, "the token is not base64");
    if (fault != std::errc() || stop != last || rank == kNoRank) {
      return Wrong(line, "the rank is not a number");
    }
    if (!ranks.emplace(*token, rank).second) return Wrong(line, "the token stands there twice");
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (ranks.contains(std::string(1, static_cast<char>(byte)))) continue;
    return Failure(Code::kInvalid, Origin::kGateway,
                   "it has no token for the byte " + std::to_string(byte));
  }
  return ranks;
}

struct PatternWord {
  TokenPattern pattern;
  std::string_view word;
};
constexpr std::array<PatternWord, 3> kPatternWords = {{{TokenPattern::kO200k, "o200k"},
                                                       {TokenPattern::kCl100k, "cl100k"},
                                                       {TokenPattern::kGpt2, "gpt2"}}};

}  // namespace

std::optional<TokenPattern> TokenPatternOf(std::string_view word) {
  const auto* const found = std::ranges::find(kPatternWords, word, &PatternWord::word);
  return found == kPatternWords.end() ? std::nullopt : std::optional(found->pattern);
}

std::string_view ToString(TokenPattern pattern) {
  return std::ranges::find(kPatternWords, pattern, &PatternWord::pattern)->word;
}

Result<std::shared_ptr<const TokenCounter>> ReadVocabulary(std::string_view vocabulary,
                                                           TokenPattern pattern) {
  if (vocabulary.size() > kMaxFile) {
    return Failure(Code::kInvalid, Origin::kGateway, "it is larger than 64 MiB");
  }
  Result<Ranks> ranks = ReadRanks(vocabulary);
  if (!ranks) return Failure(std::move(ranks.error()));
  return std::make_shared<const BytePair>(std::move(*ranks), pattern);
}

}  // namespace switchyard
