#include "policies/lib/result_pages.h"

#include <random>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mcp/json_string.h"
#include "policies/lib/result_block.h"

namespace switchyard {
namespace {

namespace json = boost::json;

std::string TextsOf(const json::array& blocks, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += std::string(blocks.at(i).at("text").as_string());
  return out;
}

TEST(ResultPages, OfRandomTextsAreWholeUtf8WithinTheCapAndJoinToTheWhole) {
  std::mt19937 random(20261122);
  const auto below = [&](std::size_t n) { return random() % n; };
  const std::vector<std::string> words = {"word ", "a",  "é",    "漢字", "😀", "\n",
                                          ". ",    "\"", "x\ty", "\\",   "。", "longer-than-most"};
  int cut = 0;
  for (int round = 0; round < 600; ++round) {
    const PageSize size{.bytes = 200 + below(800), .tokens = below(2) == 0 ? 0 : 60 + below(200)};
    std::string blocks, whole;
    for (std::size_t i = 0, n = 1 + below(4); i < n; ++i) {
      std::string text;
      for (std::size_t w = below(600); w > 0; --w) text += words[below(words.size())];
      whole += text;
      blocks += (i > 0 ? "," : "") + TextBlock(text);
    }
    const std::string result = R"({"content":[)" + blocks + "]}";
    const std::optional<ResultPages> pages = ResultPages::Of(result, size, true);
    if (!pages) {
      ASSERT_LE(whole.size(), size.bytes);
      continue;
    }
    ++cut;
    const json::value first = json::parse(pages->First(result, "note", R"("a/b":1)"));
    const json::array& shown = first.at("content").as_array();
    std::string joined = TextsOf(shown, shown.size() - 1);
    ASSERT_EQ(joined.size(), pages->shown());
    ASSERT_EQ(whole.size(), pages->total());
    for (std::size_t page = 1; page < pages->pages(); ++page) {
      const json::array more = json::parse("[" + pages->Blocks(page) + "]").as_array();
      const std::string text = TextsOf(more, more.size());
      ASSERT_TRUE(mcp::IsUtf8(text));
      ASSERT_LE(text.size(), size.bytes);
      if (size.tokens != 0) ASSERT_LE(EstimatedTokens()->Count(text), size.tokens + more.size());
      joined += text;
    }
    ASSERT_EQ(joined, whole) << round;
  }
  EXPECT_GT(cut, 400);
}

TEST(ResultPages, AWholeThatIsNotWantedHasOnlyItsFirstPage) {
  const std::string result = R"({"content":[)" + TextBlock(std::string(5000, 'x')) + "]}";
  EXPECT_EQ(ResultPages::Of(result, PageSize{.bytes = 1000}, false)->pages(), 1U);
  EXPECT_GE(ResultPages::Of(result, PageSize{.bytes = 1000}, true)->pages(), 5U);
}

TEST(ResultPages, WhatStandsBesideTextsAndInStructureCountsOnTheFirstPage) {
  const std::string beside = R"("annotations":{"x":")" + std::string(900, 'y') + R"("})";
  std::string blocks;
  for (int i = 0; i < 100; ++i) {
    blocks += (i > 0 ? "," : "") +
              (R"({"type":"text","text":")" + std::to_string(i) + "\"," + beside + "}");
  }
  const std::string result = R"({"content":[)" + blocks + "]}";
  const auto first = [&result](const PageSize& size) {
    const auto pages = ResultPages::Of(result, size, true);
    return pages ? pages->First(result, "note", R"("a/b":1)") : result;
  };
  EXPECT_LE(first(PageSize{.bytes = 8192}).size(), 8192U + 200U);
  EXPECT_LE(EstimatedTokens()->Count(first(PageSize{.tokens = 2048})), 2048U + 100U);
  // What no text says is content as well.
  const std::string text = R"({"content":[)" + TextBlock(std::string(700, 'x')) + "]";
  const PageSize size{.bytes = 1024};
  const std::string other =
      text + R"(,"structuredContent":{"a":[)" + std::string(400, '1') + ",2]}}";
  const auto pages = ResultPages::Of(other, size, true);
  ASSERT_TRUE(pages);
  EXPECT_LE(pages->First(other, "note", R"("a/b":1)").size(), 1024U + 200U);
  EXPECT_EQ(pages->pages(), 2U);
  EXPECT_FALSE(ResultPages::Of(text + R"(,"structuredContent":{"a":[1,2]}})", size, true));
}

TEST(ResultPages, WhatStandsBesideATextStaysWithItsFirstPage) {
  const std::string result =
      R"({"content":[{"annotations":{"priority":1},"type":"text","text":")" +
      std::string(5000, 'x') +
      R"(","x":2},{"type":"resource","resource":{"uri":"u:1","text":"t"}}]})";
  const auto pages = ResultPages::Of(result, PageSize{.bytes = 1000}, true);
  const json::value first = json::parse(pages->First(result, "note", R"("a/b":1)"));
  EXPECT_EQ(first.at("content").at(0).at("annotations").at("priority"), 1);
  EXPECT_EQ(first.at("content").at(0).at("x"), 2);
  EXPECT_EQ(first.at("content").as_array().size(), 2U);  // and the note
}

TEST(ResultPages, AnEmbeddedTextIsCutWhereItStands) {
  const std::string result = R"({"content":[{"type":"resource","resource":{"uri":"u:1","text":")" +
                             std::string(5000, 'x') + R"("}}]})";
  const auto pages = ResultPages::Of(result, PageSize{.bytes = 1000}, true);
  const json::value first = json::parse(pages->First(result, "note", R"("a/b":1)"));
  EXPECT_EQ(first.at("content").at(0).at("resource").at("uri"), "u:1");
  EXPECT_LE(first.at("content").at(0).at("resource").at("text").as_string().size(), 1000U);
}

TEST(ResultPages, WhatCannotBeCutIsLeftAsItIs) {
  const PageSize size{.bytes = 100};
  EXPECT_FALSE(ResultPages::Of("{}", size, true));
  EXPECT_FALSE(ResultPages::Of(R"({"_meta":")" + std::string(500, 'x') + R"("})", size, true));
  EXPECT_FALSE(ResultPages::Of(R"({"content":"no list"})", size, true));
  EXPECT_FALSE(ResultPages::Of(R"({"content":[tru]})", size, true));
  EXPECT_FALSE(ResultPages::Of("[]", size, true));
}

TEST(ResultPages, StructureThatIsTooDeepIsLeftOutAndReadAsText) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  const std::string result = R"({"content":[],"structuredContent":{"a":)" + deep + "}}";
  const auto pages = ResultPages::Of(result, PageSize{.bytes = 200}, true);
  ASSERT_TRUE(pages);
  const json::object first = json::parse(pages->First(result, "note", R"("a/b":1)")).as_object();
  EXPECT_FALSE(first.contains("structuredContent"));
  std::string joined;
  for (std::size_t page = 1; page < pages->pages(); ++page) {
    joined += TextsOf(json::parse("[" + pages->Blocks(page) + "]").as_array(), 1);
  }
  EXPECT_EQ(joined, R"({"a":)" + deep + "}");
}

TEST(ResultBlocks, HalfASurrogatePairReadsAsAReplacement) {
  EXPECT_EQ(TextOfString(R"("a\ud800b\ud83d\ude00\udc00")"), "a\ufffdb😀\ufffd");
  EXPECT_EQ(TextOfString(R"("\\ud800")"), "\\ud800");
}

TEST(ResultBlocks, AreTheSameJsonButForSpace) {
  EXPECT_TRUE(SameJson(R"({"a": [1, 2],"b":" x "})", R"( {"a":[1,2] ,"b" : " x "} )"));
  EXPECT_FALSE(SameJson(R"({"a":" x"})", R"({"a":"x"})"));
  EXPECT_FALSE(SameJson(R"({"a":"\" x"})", R"({"a":"\"x"})"));
  EXPECT_FALSE(SameJson("[1]", "[1]]"));
}

TEST(ResultBlocks, AreDescribedInAFewWords) {
  EXPECT_EQ(
      Describe(
          R"({"type":"resource","resource":{"uri":"file:///x","mimeType":"a/b","blob":"AAAA"}})"),
      "resource, file:///x, a/b, 3 bytes");
  EXPECT_EQ(Describe(R"({"type":"odd"})"), "odd, 14 bytes");
  EXPECT_EQ(ShortBytes(1023), "1023 bytes");
  EXPECT_EQ(ShortBytes(1536), "1.5 KiB");
  EXPECT_EQ(ShortBytes(1024 * 1024), "1.0 MiB");
}

}  // namespace
}  // namespace switchyard
