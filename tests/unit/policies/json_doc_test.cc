#include "policies/lib/json_schema/json_doc.h"

#include <compare>
#include <random>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "policies/lib/json_schema/decimal.h"
#include "policies/lib/json_schema/ecma_regex.h"

namespace switchyard::json_schema {
namespace {

using Kind = JsonDoc::Kind;

TEST(JsonDocValues, StandInTheOrderOfTheTextWithWhatFollowsThem) {
  const std::string text = R"( {"a" : [1, {"b":null}], "c":"\u00e9\ud83d\udca9\n"} )";
  const auto doc = JsonDoc::Parse(text);
  ASSERT_TRUE(doc);
  EXPECT_EQ((*doc)[0].count, 2U);
  EXPECT_EQ((*doc)[0].after, doc->size());
  EXPECT_EQ(doc->Raw(2), R"([1, {"b":null}])");
  EXPECT_EQ((*doc)[2].after, 7U);
  std::string scratch;
  EXPECT_EQ(doc->Text(doc->Find(0, "c"), scratch), "é💩\n");
  EXPECT_EQ(doc->Find(0, "b"), 0U);
}

TEST(JsonDocValues, HalfASurrogatePairStaysWhatItIs) {
  const std::string text = R"(["\ud800", "\ud801", "\udc00x", "\ud800\u0041"])";
  const auto doc = JsonDoc::Parse(text);
  ASSERT_TRUE(doc);
  std::string a, b;
  EXPECT_NE(doc->Text(1, a), doc->Text(2, b));
  EXPECT_EQ(CodePoints(doc->Text(3, a)), 2U);
  EXPECT_EQ(CodePoints(doc->Text(4, a)), 2U);
}

// Whatever is cut or changed: it is JSON for us exactly when it is for another reader.
TEST(JsonDocValues, AreReadExactlyWhereAnotherReaderReadsThem) {
  const std::string good = R"({"a":[1,-2.5e+3,true,false,null,"x\n\u00e9"],"b":{"c":{},"d":[]}})";
  std::mt19937 random(20261122);
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (unsigned n = random() % 3 + 1; n > 0; --n) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text.erase(at, 1);
      } else {
        text[at] = R"({}[],:"0-.e tn\u)"[random() % 16];
      }
    }
    boost::system::error_code error;
    boost::json::parse(text, error);
    const bool ours = JsonDoc::Parse(text).has_value();
    EXPECT_EQ(ours, !error) << text;
    read += ours ? 1 : 0;
  }
  EXPECT_GT(read, 500);
}

Decimal Of(const std::string& text) { return Decimal::Parse(text); }

TEST(Decimals, HaveOneFormForEachNumber) {
  EXPECT_EQ(Of("1"), Of("1.000"));
  EXPECT_EQ(Of("100"), Of("1e2"));
  EXPECT_EQ(Of("-0.0"), Of("0e5"));
  EXPECT_EQ(Of("1200000000000000000000"), Of("1.2e21"));
  EXPECT_EQ(Of("0.00000000000000000000012"), Of("12e-23"));
  EXPECT_EQ(Of("12345678901234567890.5").Hash(), Of("123456789012345678905e-1").Hash());
  EXPECT_NE(Of("12345678901234567890"), Of("12345678901234567891"));
}

// Held against the arithmetic of 128 bits.
TEST(Decimals, AreOrderedAndDividedAsNumbersAre) {
  std::mt19937_64 random(7);
  const auto number = [&](int& scale) {
    const std::int64_t digits = static_cast<std::int64_t>(random()) >> (random() % 64);
    scale = static_cast<int>(random() % 7);
    return digits;
  };
  const auto text = [](std::int64_t digits, int scale) {
    return std::to_string(digits) + "e-" + std::to_string(scale);
  };
  for (int i = 0; i < 20'000; ++i) {
    int s = 0, t = 0;
    const std::int64_t a = number(s), b = number(t);
    __int128 x = a, y = b;  // both times 10^6
    for (int k = s; k < 6; ++k) x *= 10;
    for (int k = t; k < 6; ++k) y *= 10;
    const Decimal left = Of(text(a, s)), right = Of(text(b, t));
    EXPECT_EQ(left <=> right, x <=> y) << text(a, s) << " " << text(b, t);
    EXPECT_EQ(left == right, x == y);
    EXPECT_EQ(left.IsInteger(), x % 1'000'000 == 0);
    if (right.CanDivide()) EXPECT_EQ(left.IsMultipleOf(right), x % y == 0) << text(a, s);
  }
}

TEST(Patterns, AreTranslatedFromEcma262) {
  const auto finds = [](std::string_view pattern, std::string_view text) {
    const auto compiled = CompilePattern(pattern);
    EXPECT_TRUE(compiled) << pattern << ": " << compiled.error();
    return compiled && Finds(**compiled, text);
  };
  EXPECT_TRUE(finds(R"(^\p{Letter}+$)", "aé"));
  EXPECT_TRUE(finds(R"(^\p{Script=Greek}$)", "π"));
  EXPECT_TRUE(finds("^[^]$", "\n"));
  EXPECT_FALSE(finds("[]", "a"));
  EXPECT_TRUE(finds(R"(^(?<year>\d{4})$)", "2024"));
  EXPECT_TRUE(finds(R"(^[\b]$)", "\b"));
  EXPECT_TRUE(finds(R"(^\0$)", std::string_view("\0", 1)));
  EXPECT_TRUE(finds(R"(^[\S]$)", "x"));
  EXPECT_FALSE(finds(R"(^[^\s]$)", "\xE2\x80\x83"));  // U+2003
  EXPECT_FALSE(finds("a$", "a\n"));
}

TEST(Patterns, ThatCannotBeHadInLinearTimeAreRefusedWithAReason) {
  for (const char* pattern :
       {"(?=a)", "(?!a)", "(?<=a)b", R"((a)\1)", R"(\z)", R"(\Q)", "a{1,2000}", "(", "["}) {
    EXPECT_FALSE(CompilePattern(pattern)) << pattern;
  }
  EXPECT_EQ(CompilePattern("x(?!a)").error(), kLooksAround);
  EXPECT_EQ(CompilePattern(R"((a)\1)").error(), kRefersBack);
}

TEST(Patterns, ThatWouldTakeForeverElsewhereTakeLinearTime) {
  const auto compiled = CompilePattern("^(a+)+$");
  ASSERT_TRUE(compiled);
  EXPECT_FALSE(Finds(**compiled, std::string(100'000, 'a') + "b"));
}

}  // namespace
}  // namespace switchyard::json_schema
