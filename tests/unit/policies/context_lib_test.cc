#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/seal.h"
#include "mcp/json_string.h"
#include "policies/lib/context_size.h"
#include "policies/lib/context_window.h"
#include "policies/lib/context_words.h"
#include "policies/lib/meta_note.h"
#include "policies/lib/result_shelves.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = ContextShare::Kind;

constexpr ContextWindow kWindow = {.total = 11'000,
                                   .for_system = 400,
                                   .for_response = 600,
                                   .min_available = 1000,
                                   .max_fraction = 0.25,
                                   .warn_at = 0.8};

TEST(ContextWindow, AResultTakesAFractionOfWhatIsLeft) {
  ContextUse use;
  ASSERT_TRUE(LetIn(kWindow, 0, use));
  ContextShare share = TakeShare(kWindow, 9000, true, use);
  EXPECT_EQ(share.kind, Kind::kCut);
  EXPECT_EQ(share.tokens, 2500);
  EXPECT_EQ(use.used, 2500);
  ASSERT_TRUE(LetIn(kWindow, 0, use));
  share = TakeShare(kWindow, 9000, true, use);
  EXPECT_EQ(share.tokens, 1875) << "of what the first one left";
  ASSERT_TRUE(LetIn(kWindow, 0, use));
  share = TakeShare(kWindow, 100, true, use);
  EXPECT_EQ(share.kind, Kind::kWhole);
  EXPECT_EQ(share.tokens, 100);
}

TEST(ContextWindow, WithTooLittleLeftNoCallIsLetIn) {
  ContextUse use{.used = 9001};
  EXPECT_FALSE(LetIn(kWindow, 0, use));
  EXPECT_EQ(use.used, 9001) << "a refused call takes nothing";
  use.used = 9000;
  EXPECT_FALSE(LetIn(kWindow, 1000, use)) << "arguments that take all of it";
  EXPECT_TRUE(LetIn(kWindow, 100, use));
}

TEST(ContextWindow, WhatShowsNothingUsefulIsWithheld) {
  ContextUse use{.used = 9500};
  const ContextShare share = TakeShare(kWindow, 3000, false, use);
  EXPECT_EQ(share.kind, Kind::kWithheld);
  EXPECT_EQ(use.used, 9500 + kContextAside);
}

TEST(ContextWindow, ASmallerWindowAfterAReloadHasNothingLeft) {
  ContextUse use{.used = 20'000};
  EXPECT_EQ(AvailableOf(kWindow, use), 0);
  EXPECT_EQ(TakeShare(kWindow, 10, false, use).tokens, 0);
  EXPECT_EQ(use.used, 20'000);
}

TEST(ContextWindow, IsReadAsItWasWritten) {
  const ContextUse use{.began = -7, .used = 12};
  const auto read = ContextUse::Parse(use.ToText());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->began, -7);
  EXPECT_EQ(read->used, 12);
  for (const char* text : {"", "1", "1 ", "x 2", "1 2 3", "1 -2"}) {
    EXPECT_FALSE(ContextUse::Parse(text)) << text;
  }
}

// Calls that begin and end in any order, with arguments and results of any size.
TEST(ContextWindowProperty, WhatIsGivenOutNeverExceedsTheCapacityAndNoResultItsFraction) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::int64_t most) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(most));
    };
    ContextWindow window;
    window.total = 8000 + below(100'000);
    window.max_fraction = 0.05 + static_cast<double>(below(96)) / 100;
    window.min_available = 300 + below(1000);
    ContextUse use;
    std::int64_t given = 0, under_way = 0;
    for (int i = 0; i < 500; ++i) {
      if (under_way == 0 || below(3) != 0) {
        const std::int64_t arguments = below(4) == 0 ? below(5000) : below(50);
        if (LetIn(window, arguments, use)) {
          given += arguments;
          ++under_way;
        }
      } else {
        --under_way;
        const ContextUse before = use;
        const ContextShare share = TakeShare(window, below(60'000), true, use);
        given += share.tokens;
        const auto most = window.max_fraction * static_cast<double>(share.available);
        EXPECT_EQ(share.available, AvailableOf(window, before) + kContextAside);
        if (share.kind == Kind::kWithheld) {
          EXPECT_LE(share.tokens, kContextAside);
        } else {
          EXPECT_LE(static_cast<double>(share.tokens), most) << seed;
        }
        if (below(2) == 0) {  // the cut was smaller than it might have been
          const std::int64_t unused = below(share.tokens + 1);
          GiveBack(unused, use);
          given -= unused;
        }
      }
      ASSERT_LE(given, window.capacity()) << seed;
      ASSERT_EQ(use.used, given + under_way * kContextAside) << seed;
      ASSERT_LE(use.used, window.capacity()) << seed;
    }
  }
}

TEST(ContextWords, ARefusalSaysWhatIsUsedWhatIsLeftAndWhatToDo) {
  const Error error = ContextRefusal(
      kWindow, {.used = 9500}, 3, std::chrono::duration_cast<Duration>(std::chrono::seconds(90)));
  EXPECT_EQ(error.message,
            "context budget: 9500 of 10000 tokens are used and 500 are left, a call needs 1000: "
            "answer from what is there, without further calls; this is forgotten 90s after the "
            "last call that passed");
  EXPECT_TRUE(error.for_agent);
  EXPECT_EQ(error.data,
            R"({"origin":"gateway","code":"rate_limited","retryable":true,"budget":"context",)"
            R"("used":9500,"available":500,"total":11000,"minAvailable":1000,)"
            R"("forgottenAfterMs":90000})");
  EXPECT_THAT(ContextRefusal(kWindow, {.used = 8000}, 1900, {}).message,
              HasSubstr("2000 are left, the arguments of this call take 1900"));
}

TEST(ContextWords, TheSentenceForAWithheldResultTakesNoMoreThanWasSetAside) {
  constexpr std::int64_t kLarge = 999'999'999;
  for (const std::int64_t tokens : {std::int64_t{1}, kLarge}) {
    const std::string text = ContextWithheld({.total = kLarge}, tokens, kLarge);
    EXPECT_LT(TokensOfText(text, *EstimatedTokens(), 1000), kContextAside) << text;
  }
}

TEST(ContextWords, ANoticeIsGivenFromItsShareOn) {
  EXPECT_EQ(ContextNotice(kWindow, {.used = 7999}), "");
  EXPECT_EQ(ContextNotice(kWindow, {.used = 8000}),
            R"({"used":8000,"available":2000,"total":11000})");
}

TEST(ContextBudgetConfig, SettingsThatContradictThemselvesAreProblemsWithTheReason) {
  const auto problems = [](const std::string& yaml) {
    return testing::ProblemsOf("context_budget", yaml);
  };
  EXPECT_THAT(problems("{total: 6096}"),
              ElementsAre("total: 6096 leaves nothing for tools: 6096 are reserved"));
  EXPECT_THAT(problems("{total: 10000, min_available: 4000}"),
              ElementsAre("min_available: 4000 is more than there ever is: 6096 of total 10000 are "
                          "reserved"));
  EXPECT_THAT(problems("{total: 100000, max_fraction: 0.1, min_available: 500}"),
              ElementsAre("min_available: a result may take max_fraction 0.1 of 500, and less than "
                          "192 tokens show nothing useful"));
  EXPECT_THAT(problems("{total: 100000, max_fraction: 1.5}"),
              ElementsAre(HasSubstr("max_fraction: ")));
  EXPECT_THAT(problems("{total: 100000, per: tool}"), ElementsAre(HasSubstr("per: ")));
  EXPECT_THAT(problems("{reserved: {agent: 5}}"), ElementsAre(HasSubstr("reserved.agent")));
  EXPECT_THAT(problems("{min_available: 5}"), ElementsAre()) << "nobody keeps count";
}

std::string ResultText(const std::string& text, const std::string& more = "") {
  return R"({"content":[{"type":"text","text":)" + mcp::Quote(text) + "}]" + more + "}";
}

std::int64_t TokensOf(const std::string& result, std::int64_t enough = 1'000'000) {
  return TokensOfResult(result, *EstimatedTokens(), enough);
}

TEST(ContextSize, IsOfWhatAModelReads) {
  const std::string words = "one two three four five six seven eight nine ten";
  const std::int64_t text = TokensOf(ResultText(words));
  EXPECT_GE(text, 10);
  EXPECT_LE(text, 16);
  EXPECT_EQ(
      TokensOf(ResultText(words, R"(,"_meta":{"a/b":"not for a model, however long it is"})")),
      text);
  EXPECT_EQ(TokensOf(ResultText(words, R"(,"structuredContent":{"a":1})")), text)
      << "the larger of the two, since a host gives one of them";
  EXPECT_GT(TokensOf(ResultText("x", R"(,"structuredContent":{"all":)" + mcp::Quote(words) + "}")),
            10);
  EXPECT_EQ(TokensOf("{}"), 0);
  EXPECT_EQ(TokensOf(ResultText(words), 5), 5) << "counted no further than that";
}

TEST(ContextSize, OfAPictureIsBounded) {
  const std::string image = R"({"content":[{"type":"image","mimeType":"image/png","data":")";
  EXPECT_LE(TokensOf(image + std::string(100'000, 'A') + R"("}]})"), 1604);
}

TEST(ContextSize, OfABlobIsBounded) {
  const std::string blob = R"("uri":"a:b","blob":")" + std::string(100'000, 'A') + "\"}";
  for (const std::string& result :
       {R"({"content":[{"type":"resource","resource":{)" + blob + "}]}",
        R"({"contents":[{)" + blob + "]}",
        R"({"messages":[{"role":"user","content":{"type":"resource","resource":{)" + blob +
            "}}]}"}) {
    EXPECT_GT(TokensOf(result), 5) << result.substr(0, 40);
    EXPECT_LE(TokensOf(result), 1604) << result.substr(0, 40);
  }
}

TEST(ContextSize, IsOfResourcesPromptsAndErrorsToo) {
  const std::string words = "one two three four five six seven eight nine ten";
  const auto close = [&](const std::string& result) {
    const std::int64_t tokens = TokensOf(result);
    EXPECT_GE(tokens, 10) << result;
    EXPECT_LE(tokens, 30) << result;
    EXPECT_EQ(TokensOf(result, 5), 5) << result;
  };
  close(R"({"contents":[{"uri":"a:b","text":")" + words + R"("}],"_meta":{"x":")" + words + words +
        words + R"("}})");
  close(R"({"messages":[{"role":"user","content":{"type":"text","text":")" + words + R"("}}]})");
  close(R"({"code":-32603,"message":")" + words + R"("})");
  EXPECT_EQ(TokensOf(R"({"resultType":"complete","_meta":{"a/b":"not for a model"}})"), 0);
}

TEST(ContextSize, OfATextIsExactForItsFirstMiBAndAllOfIt) {
  const TokenCounter& counter = *EstimatedTokens();
  const std::string text =
      "some words and " + std::string(kExactlyCountedBytes, 'a') + " more of it";
  EXPECT_EQ(TokensOfText(text, counter),
            static_cast<std::int64_t>(counter.Count(text.substr(0, kExactlyCountedBytes)) +
                                      counter.Count(text.substr(kExactlyCountedBytes))));
  EXPECT_EQ(TokensOfText("", counter), 0);
}

// A result as it would be given out, cut to so many tokens; "" = it cannot be.
std::string CutTo(const std::string& result, std::int64_t most) {
  static const Sealer sealer(Sealer::RandomKey());
  static ResultShelves shelves;
  static const auto shelf = shelves.Make(std::size_t{1} << 24, std::chrono::hours(24));
  std::optional<ResultPages> pages = PagesWithin(result, most, EstimatedTokens(), true);
  if (!pages) return "";
  mcp::Message message = testing::Parsed(R"({"jsonrpc":"2.0","id":"c1","result":)" + result + "}");
  PutFirstPage(message, {.pages = std::move(*pages), .tool = "t", .meant = {}, .owner = "o"},
               {.shelf = shelf.get(),
                .sealer = &sealer,
                .now = {},
                .why = " to what the context has room for"});
  return std::string(message.result());
}

std::string RandomResult(std::mt19937& random) {
  std::string text, rows;
  const std::uint32_t many = 1 + random() % 400;
  for (std::uint32_t i = 0; i < many; ++i) {
    text += "line " + std::to_string(random()) + (random() % 3 == 0 ? "\n" : " \u65e5\u672c. ");
    rows += (i == 0 ? "" : ",") + ("{\"id\":" + std::to_string(i)) + R"(,"deep":[[[{"n":")" +
            std::to_string(random()) + "\"}]]]}";
  }
  switch (random() % 4) {
    case 0: return ResultText(text);
    case 1: return ResultText("{\"rows\":[" + rows + "]}");
    case 2: return ResultText("see there", R"(,"structuredContent":{"rows":[)" + rows + "]}");
    default:
      return R"({"content":[{"type":"text","text":"a"},{"type":"resource","resource":{"uri":"u:x",)"
             R"("text":)" +
             mcp::Quote(text) + R"(}},{"type":"text","text":)" + mcp::Quote(text) + "}]}";
  }
}

TEST(ContextSizeProperty, AResultThatIsCutTakesNoMoreThanItMayWithItsNote) {
  int cut = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const std::string result = RandomResult(random);
    const std::int64_t most = kLeastOfContext + static_cast<std::int64_t>(random() % 2000);
    if (TokensOf(result) <= most) continue;
    const std::string shown = CutTo(result, most);
    if (shown.empty()) continue;
    ++cut;
    EXPECT_LE(TokensOf(shown), most) << seed;
    EXPECT_THAT(shown, HasSubstr("cut to what the context has room for: "));
  }
  EXPECT_GT(cut, 150);
}

TEST(ContextSize, WhatStandsBesideATextIsCutAwayToo) {
  std::string words;
  for (int i = 0; i < 50; ++i) words += "word ";
  const std::string block = R"({"type":"resource","resource":{"uri":"file:///)" +
                            std::string(800, 'x') + R"(","text":)" + mcp::Quote(words) + "}}";
  std::string blocks = block;
  for (int i = 0; i < 20; ++i) blocks += "," + block;
  const std::string shown = CutTo(R"({"content":[)" + blocks + "]}", 700);
  EXPECT_NE(shown, "");
  EXPECT_LE(TokensOf(shown), 700);
}

TEST(MetaNote, AMemberIsPutInOrReplaced) {
  const auto with = [](const std::string& result) {
    mcp::Message message = testing::Parsed(R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}");
    NoteInMeta(message, "a/b", "7");
    return std::string(message.result());
  };
  EXPECT_EQ(with("{}"), R"({"_meta":{"a/b":7}})");
  EXPECT_EQ(with(R"({"x":1})"), R"({"_meta":{"a/b":7},"x":1})");
  EXPECT_EQ(with(R"({"_meta":{"c":1,"a/b":2}})"), R"({"_meta":{"c":1,"a/b":7}})");
}

}  // namespace
}  // namespace switchyard::policies
