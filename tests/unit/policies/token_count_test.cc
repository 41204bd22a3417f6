#include "policies/lib/token_count.h"

#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/byte_pair.h"
#include "policies/lib/text_cut.h"
#include "policies/lib/vocabulary_file.h"
#include "support/paths.h"

namespace switchyard {
namespace {

using ::testing::HasSubstr;

std::string Base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t have = std::min<std::size_t>(3, text.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8U | (j < have ? static_cast<unsigned char>(text[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= have ? kDigits[bits >> (18U - 6U * j) & 63U] : '=';
    }
  }
  return out;
}

// All single bytes, then these, each made of two that come before.
std::string Vocabulary(const std::vector<std::string>& merges) {
  std::string out;
  std::size_t rank = 0;
  for (int byte = 0; byte < 256; ++byte) {
    out += Base64(std::string(1, static_cast<char>(byte))) + " " + std::to_string(rank++) + "\n";
  }
  for (const std::string& token : merges)
    out += Base64(token) + " " + std::to_string(rank++) + "\n";
  return out;
}

const std::vector<std::string> kMerges = {"th",   "he",       "in",   "the", " t",  "er",
                                          " the", "an",       "  ",   "12",  "123", "aa",
                                          "aaaa", "\xc3\xa9", "\n\n", "ing"};

std::shared_ptr<const TokenCounter> Small(TokenPattern pattern = TokenPattern::kCl100k) {
  return ReadVocabulary(Vocabulary(kMerges), pattern).value();
}

TEST(BytePairs, AreMergedLowestRankFirst) {
  const auto counter = Small();
  EXPECT_EQ(counter->Count(""), 0U);
  EXPECT_EQ(counter->Count("the"), 1U);
  EXPECT_EQ(counter->Count(" the"), 1U);
  EXPECT_EQ(counter->Count("then"), 2U);   // the n
  EXPECT_EQ(counter->Count("hethe"), 2U);  // he the
  EXPECT_EQ(counter->Count("thing"), 2U);  // th ing
  EXPECT_EQ(counter->Count("aaaaa"), 2U);  // aaaa a
  EXPECT_EQ(counter->Count("é"), 1U);
  EXPECT_EQ(counter->Count("漢"), 3U);
}

TEST(BytePairs, WordsAreSplitAsTheVocabularyWantsThem) {
  // cl100k: numbers by three digits, a run of spaces leaves its last to the word behind it.
  EXPECT_EQ(Small()->Count("1234"), 2U);    // 123 4
  EXPECT_EQ(Small()->Count("   the"), 2U);  // two spaces, " the"
  EXPECT_EQ(Small()->Count("the  "), 2U);   // at the end it keeps them all
  EXPECT_EQ(Small()->Count("the\n\nthe"), 3U);
  EXPECT_EQ(Small()->Count("\n the"), 2U);  // lines end a run of spaces
  EXPECT_EQ(Small()->Count("\xc2\xa0\xc2\xa0the"), 5U);
  // gpt2 takes digits as they come.
  EXPECT_EQ(Small(TokenPattern::kGpt2)->Count("12312"), 2U);
  EXPECT_EQ(Small(TokenPattern::kGpt2)->Count("\n\nthe"), 3U);  // \n \n the: the last goes alone
  // o200k splits words where case changes.
  EXPECT_EQ(Small(TokenPattern::kO200k)->Count("theThe"), 3U);  // the T he
  EXPECT_EQ(Small(TokenPattern::kCl100k)->Count("theaa"), 2U);
}

// What the definition says, without any thought of time.
std::size_t CountSlowly(const std::map<std::string, std::size_t>& ranks, const std::string& word) {
  std::vector<std::string> parts;
  for (const char c : word) parts.emplace_back(1, c);
  for (;;) {
    std::size_t best = ranks.size(), at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks.find(parts[i] + parts[i + 1]);
      if (found != ranks.end() && found->second < best) {
        best = found->second;
        at = i;
      }
    }
    if (best == ranks.size()) return parts.size();
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

TEST(BytePairs, LongWordsAreMergedAsShortOnesAre) {
  std::mt19937 random(7);
  std::vector<std::string> merges;
  std::map<std::string, std::size_t> ranks;
  for (int byte = 0; byte < 256; ++byte) {
    ranks[std::string(1, static_cast<char>(byte))] = static_cast<std::size_t>(byte);
  }
  std::vector<std::string> known = {"a", "b", "c"};
  while (merges.size() < 300) {
    const std::string token = known[random() % known.size()] + known[random() % known.size()];
    if (token.size() > 24 || ranks.contains(token)) continue;
    ranks[token] = 256 + merges.size();
    merges.push_back(token);
    known.push_back(token);
  }
  const auto counter = ReadVocabulary(Vocabulary(merges), TokenPattern::kCl100k).value();
  for (int round = 0; round < 300; ++round) {
    std::string word;
    for (std::size_t n = 1 + random() % 300; n > 0; --n)
      word += static_cast<char>('a' + random() % 3);
    const std::size_t expected = ranks.contains(word) ? 1 : CountSlowly(ranks, word);
    ASSERT_EQ(counter->Count(word), expected) << word;
  }
}

TEST(BytePairs, AWordOfAMegabyteTakesNoTime) {
  const std::string word(1 << 20, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NEAR(static_cast<double>(Small()->Count(word)), (1 << 20) / 4.0, 32);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(BytePairs, WrongVocabulariesAreRefusedWithTheLine) {
  const auto why = [](const std::string& text) {
    return ReadVocabulary(text, TokenPattern::kO200k).error().message;
  };
  EXPECT_EQ(why("QQ== 0\nnope"), "line 2: must be BASE64 RANK");
  EXPECT_EQ(why("Q?== 0"), "line 1: the token is not base64");
  EXPECT_EQ(why("QQ== x"), "line 1: the rank is not a number");
  EXPECT_EQ(why("QQ== 0\nQQ== 1"), "line 2: the token stands there twice");
  EXPECT_EQ(why("QQ== 0\n"), "it has no token for the byte 0");
  EXPECT_THAT(VocabularyFile("/no/such", TokenPattern::kO200k).error().message,
              HasSubstr("/no/such: "));
}

TEST(BytePairs, AFileIsReadOnceAsLongAsItIsInUse) {
  const std::string path = ::testing::TempDir() + "/small.tiktoken";
  std::ofstream(path) << Vocabulary(kMerges);
  const auto first = VocabularyFile(path, TokenPattern::kCl100k).value();
  EXPECT_EQ(VocabularyFile(path, TokenPattern::kCl100k).value(), first);
  EXPECT_NE(VocabularyFile(path, TokenPattern::kGpt2).value(), first);
}

TEST(TokenCounts, FitIsTheLongestBeginningOfWholeCharactersWithinTheLimit) {
  std::mt19937 random(11);
  const std::vector<std::string> parts = {"the ", "aaaa", "é",  "漢字", "😀", "\n\n",
                                          "1234", "...",  "  ", "Word", "\t", "x"};
  for (const auto& counter : {EstimatedTokens(), Small(), Small(TokenPattern::kO200k)}) {
    for (int round = 0; round < 300; ++round) {
      std::string text;
      for (std::size_t n = random() % 40; n > 0; --n) text += parts[random() % parts.size()];
      const std::size_t limit = random() % 40;
      const TokenCounter::Prefix fit = counter->Fit(text, limit);
      ASSERT_LE(fit.bytes, text.size());
      ASSERT_LE(fit.tokens, limit);
      ASSERT_TRUE(fit.bytes == text.size() ||
                  (static_cast<unsigned char>(text[fit.bytes]) & 0xC0U) != 0x80U);
      if (counter->Count(text) <= limit) ASSERT_EQ(fit.bytes, text.size());
      if (fit.bytes == text.size()) ASSERT_LE(counter->Count(text), limit);
    }
  }
}

TEST(TokenCounts, TheEstimateIsOfTheRightSize) {
  // Counted with o200k_base.
  const std::vector<std::pair<std::string, double>> kKnown = {
      {"The quick brown fox jumps over the lazy dog. ", 10},
      {"{\"id\":12345,\"name\":\"Alice\",\"active\":true}", 14},
      {"for (int i = 0; i < count; ++i) sum += values[i];", 19}};
  for (const auto& [text, tokens] : kKnown) {
    const auto estimate = static_cast<double>(EstimatedTokens()->Count(text));
    EXPECT_GT(estimate, tokens * 0.7) << text;
    EXPECT_LT(estimate, tokens * 1.5) << text;
  }
}

TEST(TextCut, PrefersLinesThenSentencesThenWords) {
  const auto cut = [](const std::string& text, std::size_t most) {
    return text.substr(0, CutText(text, most));
  };
  EXPECT_EQ(cut("one two\nthree. four five", 20), "one two\nthree. ");
  EXPECT_EQ(cut("one two three\nfour five", 20), "one two three\n");
  EXPECT_EQ(cut("one two three four five", 20), "one two three four ");
  EXPECT_EQ(cut("onetwothreefourfive-six", 20), "onetwothreefourfive-");
  EXPECT_EQ(cut("漢字漢字。漢字漢字", 20), "漢字漢字。");
  EXPECT_EQ(cut("ééééé", 5), "éé");
  EXPECT_EQ(cut("😀", 3), "");
  EXPECT_EQ(cut("short", 20), "short");
  // A line's end too far back is no place to cut.
  EXPECT_EQ(cut("a\nbcdefghijklmnopqrstuvwxyz", 20), "a\nbcdefghijklmnopqrs");
}

}  // namespace
}  // namespace switchyard
