#include "mcp/json_string.h"

#include <random>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

using namespace std::string_literals;

TEST(Quote, EscapesWhatJsonWants) {
  EXPECT_EQ(Quote(""), R"("")");
  EXPECT_EQ(Quote("plain / text"), R"("plain / text")");
  EXPECT_EQ(Quote("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Quote("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(Quote("\x01\x1f\b"s), R"("\u0001\u001f\u0008")");
  EXPECT_EQ(Quote("\0"s), R"("\u0000")");
  EXPECT_EQ(Quote("é€😀"), "\"é€😀\"");
}

TEST(Quote, ReplacesWhatIsNotUtf8) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(Quote("a\xFFz"), "\"a" + mark + "z\"");
  EXPECT_EQ(Quote("\xC3"), "\"" + mark + "\"");
  EXPECT_EQ(Quote("\xC0\xAF"), "\"" + mark + mark + "\"");
  EXPECT_EQ(Quote("\xED\xA0\x80"), "\"" + mark + mark + mark + "\"");
  EXPECT_EQ(Quote("\xC3\""), "\"" + mark + "\\\"\"");
}

TEST(Quote, GivesBackAnyTextThroughUnquoteAndThroughAnotherReader) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t i = random() % 40; i > 0; --i) text += static_cast<char>(random() % 128);
    ASSERT_EQ(Unquote(Quote(text)), text);
    ASSERT_EQ(boost::json::parse(Quote(text)).as_string(), text);
  }
}

TEST(Unquote, DecodesEveryEscape) {
  EXPECT_EQ(Unquote(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Unquote(R"("\u0041\u00e9\u20AC\uD83D\uDE00")"), "Aé€😀");
  EXPECT_EQ(Unquote(R"("\u0000")"), "\0"s);
}

TEST(Unquote, RefusesWhatIsNoString) {
  for (const char* raw : {"", "\"", "a", "\"a", "a\"", "7", "null", "{}", R"("\")", R"("\x")",
                          R"("\u12")", R"("\u12g4")", R"("a"b")", R"("\u-123")"}) {
    EXPECT_EQ(Unquote(raw), std::nullopt) << raw;
  }
}

TEST(Unquote, RefusesHalfASurrogatePair) {
  for (const char* raw : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")",
                          R"("\ud800\ud800")", R"("\udc00\ud800")", R"("\ud800\u0041")"}) {
    EXPECT_EQ(Unquote(raw), std::nullopt) << raw;
  }
}

TEST(Utf8, IsJudgedByTheUnicodeTable) {
  for (const char* good : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace switchyard::mcp
