#include "mcp/json_tokens.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

constexpr int kDepth = 1024;

// "" = good; else the word of the first stage, or the byte at which the grammar ends.
std::string JudgeText(const std::string& text) {
  const auto tokens = JsonTokens::Find(text);
  if (!tokens) return std::string(tokens.error());
  bool too_deep = false;
  const std::size_t fault = tokens->FindFault(kDepth, too_deep);
  if (too_deep) return "too deep";
  return fault == JsonTokens::kNoFault ? "" : std::to_string(fault);
}

TEST(JsonTokens, AcceptsJson) {
  for (const char* text :
       {"0", "-0", "1.5e+10", "1E-2", "true", "false", "null", "\"\"", R"("\u00e9\ud800")", "[]",
        "{}", " [ ] ", "[1,2]", R"({"a":{"b":[{},[],{"c":null}]}})", "\t\n\r 1 ",
        R"(["\"","\\",{"":""}])", "123456789012345678901234567890", "1e999"}) {
    EXPECT_EQ(JudgeText(text), "") << text;
  }
}

TEST(JsonTokens, RefusesWhatIsNotJsonAndSaysWhere) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "no content"},
      {"  ", "no content"},
      {"{", "1"},
      {"[1", "2"},
      {"}", "0"},
      {"[}", "1"},
      {"{]", "1"},
      {"[1]]", "3"},
      {"[1,]", "3"},
      {"[,1]", "1"},
      {"[1 2]", "3"},
      {"{,}", "1"},
      {R"({"a"})", "1"},
      {R"({"a":})", "5"},
      {R"({"a":1,})", "7"},
      {R"({"a" 1})", "1"},
      {R"({1:1})", "1"},
      {R"({"a":1 "b":2})", "7"},
      {R"({"a":1,,"b":2})", "7"},
      {R"({"a"::1})", "5"},
      {R"([1:2])", "2"},
      {"1 2", "2"},
      {"tru", "0"},
      {"True", "0"},
      {"nulll", "0"},
      {"NaN", "0"},
      {"-Infinity", "0"},
      {"01", "0"},
      {"-", "0"},
      {"+1", "0"},
      {".5", "0"},
      {"1.", "0"},
      {"1e", "0"},
      {"1e+", "0"},
      {"0x10", "0"},
      {"1_0", "0"},
      {"1\"a\"", "0"},
      {"\"a\"b", "3"},
      {"\"a\"\"b\"", "3"},
      {"'a'", "0"},
      {"// c\n1", "0"},
      {"\"a", "a string does not end"},
      {"\"a\\\"", "a string does not end"},
      {"\"a\nb\"", "a control character in a string"},
      {R"("\x")", "0"},
      {R"("\u12")", "0"},
      {R"("\u12g4")", "0"},
      {R"({"\q":1})", "1"},
      {"\"\xFF\"", "invalid UTF-8"},
      {"\"\xED\xA0\x80\"", "invalid UTF-8"},
      {"\xEF\xBB\xBF{}", "0"},
  };
  for (const auto& [text, expected] : kCases) EXPECT_EQ(JudgeText(text), expected) << text;
}

TEST(JsonTokens, RefusesLoneNulBytes) {
  EXPECT_EQ(JudgeText(std::string("[\0]", 3)), "1");
  EXPECT_EQ(JudgeText(std::string("{}\0", 3)), "2");
  EXPECT_EQ(JudgeText(std::string("\"\0\"", 3)), "a control character in a string");
}

TEST(JsonTokens, KnowsTheDepthLimitToTheLevel) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(JudgeText(nested(1024)), "");
  EXPECT_EQ(JudgeText(nested(1025)), "too deep");
  EXPECT_EQ(JudgeText(std::string(100'000, '[')), "too deep");
}

TEST(JsonTokens, ReadsTextsThatTheThreadsBufferCannotHold) {
  const std::string big = "[\"" + std::string(1'000'000, 'x') + "\",1]";
  const std::string broken = "[\"" + std::string(1'000'000, 'x') + "\",01]";
  EXPECT_EQ(JudgeText(big), "");
  EXPECT_EQ(JudgeText(broken), "1000004");
  EXPECT_EQ(JudgeText("[1]"), "");
}

TEST(JsonTokens, SkipStepsOverOneValue) {
  const std::string text = R"([{"a":[1,2]},"x",3])";
  const auto tokens = JsonTokens::Find(text);
  ASSERT_TRUE(tokens);
  const std::size_t behind = tokens->Skip(1, kDepth);
  EXPECT_EQ(tokens->at(behind), ',');
  EXPECT_EQ(tokens->EndBefore(behind), 12u);
  EXPECT_EQ(tokens->Skip(behind + 1, kDepth), behind + 2);
  EXPECT_EQ(tokens->Skip(behind, kDepth), 0u) << "a comma starts no value";
  EXPECT_EQ(tokens->Skip(0, 2), 0u) << "three levels";
  EXPECT_EQ(tokens->Skip(0, 3), tokens->size());
  EXPECT_EQ(tokens->Skip(tokens->size(), kDepth), 0u);
}

TEST(JsonNumbers, AreIntegersOrNot) {
  for (const char* raw : {"0", "-0", "7", "-7", "123456789012345678901234567890"}) {
    EXPECT_TRUE(IsJsonInteger(raw)) << raw;
    EXPECT_TRUE(IsJsonNumber(raw)) << raw;
  }
  for (const char* raw : {"", "-", "00", "01", "+1", "1.0", "1e3", "1 ", " 1", "1a", "--1"}) {
    EXPECT_FALSE(IsJsonInteger(raw)) << raw;
  }
  for (const char* raw : {"", ".", "1.", "1.e3", "e3", "1e", "inf", "nan", "1.5x"}) {
    EXPECT_FALSE(IsJsonNumber(raw)) << raw;
  }
}

}  // namespace
}  // namespace switchyard::mcp
