#include "policies/lib/json_cut.h"

#include <random>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;

struct Shown {
  std::vector<std::string> texts;
  std::vector<JsonPiece> pieces;
};

Shown Cut(const std::string& text, const PageSize& size) {
  Shown shown;
  std::optional<JsonCutter> cutter = JsonCutter::For(text);
  if (!cutter) return shown;
  while (!cutter->done() && shown.pieces.size() < 100'000) {
    const JsonPiece piece = cutter->Next(size, size.whole(), true);
    EXPECT_FALSE(piece.empty()) << text;
    if (piece.empty()) break;
    shown.texts.push_back(piece.before + text.substr(piece.begin, piece.end - piece.begin) +
                          piece.after);
    shown.pieces.push_back(piece);
  }
  return shown;
}

std::vector<std::string> Cut(const std::string& text, std::size_t bytes) {
  return Cut(text, PageSize{.bytes = bytes}).texts;
}

TEST(JsonCut, ArraysAreCutBetweenTheirElements) {
  EXPECT_THAT(Cut(R"({"rows":[1,2,3],"n":3})", 13),
              ElementsAre(R"({"rows":[1,2]})", R"({"rows":[3]})", R"({"n":3})"));
}

TEST(JsonCut, AnElementThatGoesOnAPageIsNotCut) {
  EXPECT_THAT(
      Cut(R"([{"id":1,"s":"aaaa"},{"id":2,"s":"bbbb"},{"id":3,"s":"cccc"}])", 44),
      ElementsAre(R"([{"id":1,"s":"aaaa"},{"id":2,"s":"bbbb"}])", R"([{"id":3,"s":"cccc"}])"));
}

TEST(JsonCut, OneThatDoesNotIsCutWithinAlsoItsStrings) {
  const std::vector<std::string> texts = Cut(R"([0,{"s":")" + std::string(60, 'x') + R"("}])", 40);
  ASSERT_THAT(texts, ::testing::SizeIs(2));
  EXPECT_TRUE(texts[0].starts_with(R"([0,{"s":"x)")) << texts[0];
  EXPECT_TRUE(texts[1].starts_with(R"([{"s":"x)")) << texts[1];
}

TEST(JsonCut, SaysWhereAPieceBegins) {
  const std::string text = R"({"a/b":{"rows":[10,20,30,40,50,60]}})";
  const Shown shown = Cut(text, PageSize{.bytes = 28});
  ASSERT_GE(shown.pieces.size(), 2U);
  EXPECT_EQ(shown.pieces[0].at, "");
  EXPECT_TRUE(shown.pieces[1].at.starts_with("/a~1b/rows/")) << shown.pieces[1].at;
}

TEST(JsonCut, WhatIsNoObjectOrArrayOrTooDeepIsNotCut) {
  EXPECT_FALSE(JsonCutter::For("12"));
  EXPECT_FALSE(JsonCutter::For(R"("text")"));
  EXPECT_FALSE(JsonCutter::For("{\"a\":}"));
  EXPECT_FALSE(JsonCutter::For(""));
  EXPECT_TRUE(JsonCutter::For(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(JsonCutter::For(std::string(65, '[') + std::string(65, ']')));
  EXPECT_FALSE(JsonCutter::For("[1" + std::string(300, '0') + "]"));
  EXPECT_FALSE(JsonCutter::For("{\"" + std::string(300, 'k') + "\":1}"));
}

TEST(JsonCut, ALittleRoomIsLeftWhenNothingWholeFits) {
  const std::string text = R"({"rows":["aaaaaaaaaaaaaaaaaaaa","b"]})";
  const PageSize size{.bytes = 40};
  JsonCutter cutter = *JsonCutter::For(text);
  EXPECT_TRUE(cutter.Next(size, {.bytes = 12}, false).empty());
  const JsonPiece whole = cutter.Next(size, size.whole(), true);
  EXPECT_EQ(whole.end, text.size());
  EXPECT_TRUE(cutter.done());
}

// ---- Random documents: each piece is JSON, none is larger than allowed, and together they are
// the whole.

class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}
  std::size_t Below(std::size_t n) { return random_() % n; }

  std::string Space() { return Below(6) == 0 ? " \n" : ""; }
  std::string String() {
    static const std::vector<std::string> kParts = {
        "a", "word ", "\\n", "\\u00e9", "\\ud83d\\ude00", "é", "漢", "😀", "\\\"", "\\\\", "x. "};
    std::string out = "\"";
    for (std::size_t i = Below(8) == 0 ? Below(80) : Below(6); i > 0; --i) {
      out += kParts[Below(kParts.size())];
    }
    return out + "\"";
  }
  std::string Value(int depth) {
    switch (Below(depth > 0 ? 8 : 4)) {
      case 0: return std::to_string(Below(100000));
      case 1: return Below(2) == 0 ? "true" : "null";
      case 2:
      case 3: return String();
      case 4:
      case 5: return Array(depth);
      default: return Object(depth);
    }
  }
  std::string Array(int depth) {
    std::string out = "[" + Space();
    for (std::size_t i = 0, n = Below(9); i < n; ++i) {
      out += (i > 0 ? "," + Space() : "") + Value(depth - 1) + Space();
    }
    return out + "]";
  }
  std::string Object(int depth) {
    std::string out = "{" + Space();
    for (std::size_t i = 0, n = Below(7); i < n; ++i) {
      out += (i > 0 ? "," + Space() : "") + "\"k/" + std::to_string(i) + "\"" + Space() + ":" +
             Space() + Value(depth - 1);
    }
    return out + Space() + "}";
  }

 private:
  std::mt19937 random_;
};

// Adds what a piece shows to what the pieces before it showed; `open`: how many objects and arrays
// were open where it was cut, `text` whether within a string.
void Join(json::value& whole, const json::value& piece, std::size_t open, bool text) {
  if (open == 0) {
    ASSERT_TRUE(text && whole.is_string() && piece.is_string());
    whole.as_string().append(piece.as_string());
    return;
  }
  const bool goes_on = open > 1 || text;
  if (whole.is_array()) {
    bool first = goes_on;
    for (const json::value& element : piece.as_array()) {
      if (std::exchange(first, false)) {
        Join(whole.as_array().back(), element, open - 1, text);
      } else {
        whole.as_array().push_back(element);
      }
    }
    return;
  }
  bool first = goes_on;
  for (const auto& [key, value] : piece.as_object()) {
    if (std::exchange(first, false)) {
      ASSERT_EQ((whole.as_object().end() - 1)->key(), key);
      Join((whole.as_object().end() - 1)->value(), value, open - 1, text);
    } else {
      ASSERT_TRUE(whole.as_object().emplace(key, value).second);
    }
  }
}

TEST(JsonCut, PiecesOfRandomDocumentsAreJsonAndJoinToTheWhole) {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Maker maker(seed);
    const std::string text = maker.Below(2) == 0 ? maker.Array(5) : maker.Object(5);
    const std::size_t most = 24 + maker.Below(200);
    const Shown shown = Cut(text, PageSize{.bytes = most});
    ASSERT_FALSE(shown.pieces.empty()) << text;
    std::optional<json::value> whole;
    for (std::size_t i = 0; i < shown.texts.size(); ++i) {
      boost::system::error_code error;
      json::value piece = json::parse(shown.texts[i], error);
      ASSERT_FALSE(error) << shown.texts[i];
      const JsonPiece& at = shown.pieces[i];
      // The path has its room; closing brackets and the one element that must be shown come on top.
      ASSERT_LE(at.end - at.begin, most + 64) << shown.texts[i];
      if (!whole) {
        whole = std::move(piece);
        continue;
      }
      const std::string& closed = shown.pieces[i - 1].after;
      const bool in_string = closed.starts_with('"');
      Join(*whole, piece, closed.size() - (in_string ? 1 : 0), in_string);
    }
    ASSERT_EQ(*whole, json::parse(text)) << text;
  }
}

}  // namespace
}  // namespace switchyard
