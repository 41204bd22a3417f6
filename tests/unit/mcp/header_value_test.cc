#include "mcp/header_value.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

using namespace std::string_literals;

TEST(HeaderValue, PlainTextGoesAsItIs) {
  for (const char* text : {"", "wiki.search", "a b", "~!@#$%^&*()", "=?base64?",
                           "?=", "=?base64?=", "=?BASE64?w6k=?=", "x=?base64?w6k=?="}) {
    EXPECT_EQ(EncodeHeaderValue(text), text);
    EXPECT_EQ(DecodeHeaderValue(text), text);
  }
}

TEST(HeaderValue, WhatHttpCannotCarryIsEncoded) {
  EXPECT_EQ(EncodeHeaderValue("é"), "=?base64?w6k=?=");
  EXPECT_EQ(EncodeHeaderValue(" a"), "=?base64?IGE=?=");
  EXPECT_EQ(EncodeHeaderValue("a "), "=?base64?YSA=?=");
  EXPECT_EQ(EncodeHeaderValue(" "), "=?base64?IA==?=");
  EXPECT_EQ(EncodeHeaderValue("a\tb"), "=?base64?YQli?=");
  EXPECT_EQ(EncodeHeaderValue("a\r\nX: y"), "=?base64?YQ0KWDogeQ==?=");
  EXPECT_EQ(EncodeHeaderValue("\x7F"), "=?base64?fw==?=");
}

TEST(HeaderValue, TextThatReadsAsEncodedIsEncoded) {
  EXPECT_EQ(EncodeHeaderValue("=?base64?w6k=?="), "=?base64?PT9iYXNlNjQ/dzZrPT89?=");
  EXPECT_EQ(EncodeHeaderValue("=?base64?"
                              "?="),
            "=?base64?PT9iYXNlNjQ/Pz0=?=");
  EXPECT_EQ(DecodeHeaderValue("=?base64?PT9iYXNlNjQ/dzZrPT89?="), "=?base64?w6k=?=");
}

TEST(HeaderValue, WhitespaceAroundItIsNoPartOfIt) {
  EXPECT_EQ(DecodeHeaderValue(" \t name \t"), "name");
  EXPECT_EQ(DecodeHeaderValue("\t=?base64?w6k=?= "), "é");
  EXPECT_EQ(DecodeHeaderValue(" \t "), "");
}

TEST(HeaderValue, MarkersMustMatchExactlyElseItIsLiteral) {
  for (const char* text :
       {"=?base64?w6k=", "base64?w6k=?=", "=?Base64?w6k=?=", "=?base64:w6k=?=", "=?utf-8?w6k=?="}) {
    EXPECT_EQ(DecodeHeaderValue(text), text);
  }
}

TEST(HeaderValue, AnEmptyEncodedValueIsTheEmptyText) {
  EXPECT_EQ(DecodeHeaderValue("=?base64?"
                              "?="),
            "");
}

TEST(HeaderValue, BadBase64IsRefused) {
  for (const char* text :
       {"=?base64?w6k?=", "=?base64?w6k==?=", "=?base64?w6==?=", "=?base64?w6k=w6k=?=",
        "=?base64?w6-_?=", "=?base64?w 6k=?=", "=?base64?=*?=", "=?base64?====?=",
        "=?base64?w===?=", "=?base64?w6l=?=" /* bits behind the end */, "=?base64?=w6k?="}) {
    EXPECT_EQ(DecodeHeaderValue(text), std::nullopt) << text;
  }
}

TEST(HeaderValue, EncodedBytesThatAreNoUtf8AreRefused) {
  EXPECT_EQ(DecodeHeaderValue("=?base64?/w==?="), std::nullopt);
}

TEST(HeaderValue, RawBytesThatMayNotStandInAHeaderAreRefused) {
  for (const std::string& text : {"é"s, "a\tb"s, "a\x01"s, "a\0b"s, "a\x7F"s}) {
    EXPECT_EQ(DecodeHeaderValue(text), std::nullopt) << text;
  }
}

TEST(HeaderValue, AnyTextComesBack) {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t i = random() % 12; i > 0; --i) text += static_cast<char>(random() % 128);
    if (round % 3 == 0) text += "é";
    const std::string value = EncodeHeaderValue(text);
    ASSERT_EQ(DecodeHeaderValue(value), text) << value;
    ASSERT_EQ(value.find_first_of("\r\n\t\0"s), std::string::npos);
  }
}

TEST(HeaderValueFor, GivesEachJsonTypeItsForm) {
  EXPECT_EQ(HeaderValueFor(R"("x")"), "x");
  EXPECT_EQ(HeaderValueFor(R"("")"), "");
  EXPECT_EQ(HeaderValueFor(R"("\u00e9")"), "=?base64?w6k=?=");
  EXPECT_EQ(HeaderValueFor("42"), "42");
  EXPECT_EQ(HeaderValueFor("42.0"), "42");
  EXPECT_EQ(HeaderValueFor("-4.2e1"), "-42");
  EXPECT_EQ(HeaderValueFor("9007199254740991"), "9007199254740991");
  EXPECT_EQ(HeaderValueFor("true"), "true");
  EXPECT_EQ(HeaderValueFor("false"), "false");
}

TEST(HeaderValueFor, GivesNoneWhereNoneIsDue) {
  for (const char* raw :
       {"null", "{}", "[]", "1.5", "9007199254740993", "1e300", "", R"("\ud800")"}) {
    EXPECT_EQ(HeaderValueFor(raw), std::nullopt) << raw;
  }
}

TEST(HeaderMatches, ComparesByMeaning) {
  EXPECT_TRUE(HeaderMatches("x", R"("x")"));
  EXPECT_TRUE(HeaderMatches(" x ", R"("x")"));
  EXPECT_TRUE(HeaderMatches("x", R"("\u0078")"));
  EXPECT_TRUE(HeaderMatches("=?base64?w6k=?=", R"("é")"));
  EXPECT_TRUE(HeaderMatches("=?base64?eA==?=", R"("x")"));
  EXPECT_TRUE(HeaderMatches("", R"("")"));
  EXPECT_TRUE(HeaderMatches("42", "42"));
  EXPECT_TRUE(HeaderMatches("42", "42.0"));
  EXPECT_TRUE(HeaderMatches("42.0", "42"));
  EXPECT_TRUE(HeaderMatches("true", "true"));
  EXPECT_TRUE(HeaderMatches("123456789012345678901234567890", "123456789012345678901234567890"));
}

TEST(HeaderMatches, SeesDifferences) {
  EXPECT_FALSE(HeaderMatches("X", R"("x")"));
  EXPECT_FALSE(HeaderMatches("x", R"(" x")"));
  EXPECT_FALSE(HeaderMatches("42", "43"));
  EXPECT_FALSE(HeaderMatches("inf", "1"));
  EXPECT_FALSE(HeaderMatches("0x2a", "42"));
  EXPECT_FALSE(HeaderMatches("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(HeaderMatches("True", "true"));
  EXPECT_FALSE(HeaderMatches("1", "true"));
  EXPECT_FALSE(HeaderMatches("null", "null"));
  EXPECT_FALSE(HeaderMatches("", ""));
  EXPECT_FALSE(HeaderMatches("{}", "{}"));
  EXPECT_FALSE(HeaderMatches("1.5", "1.5"));
  EXPECT_FALSE(HeaderMatches("=?base64?bad?=", R"("=?base64?bad?=")"));
}

}  // namespace
}  // namespace switchyard::mcp
