#include "mcp/raw_object.h"

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

TEST(RawObject, KeepsEveryValueAsItWasWritten) {
  const RawObject object =
      RawObject::Parse(R"({ "a" : 1.50e+2 , "b":{ "c":[ 1 , 2 ] }, "é":"\/"})");
  EXPECT_EQ(object.ToText(), R"({"a":1.50e+2,"b":{ "c":[ 1 , 2 ] },"é":"\/"})");
  EXPECT_EQ(object.Get("b"), R"({ "c":[ 1 , 2 ] })");
  EXPECT_EQ(object.GetString("é"), "/");
  EXPECT_EQ(object.GetString("a"), "");
  EXPECT_EQ(object.Get("none"), "");
}

TEST(RawObject, FindsEscapedKeysByTheirText) {
  EXPECT_EQ(RawObject::Parse(R"({"\u0061":1})").Get("a"), "1");
}

TEST(RawObject, SetsInPlaceAndAddsAtTheEnd) {
  RawObject object = RawObject::Parse(R"({"a":1,"b":2})");
  object.Set("a", "3");
  object.SetString("q\"", "x\"");
  object.Erase("b");
  EXPECT_EQ(object.ToText(), R"({"a":3,"q\"":"x\""})");
}

TEST(RawObject, OfAnythingElseHasNoMembers) {
  for (const char* text :
       {"", "7", "[1]", "\"{}\"", "{", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a" 1})",
        R"({"a":1,)", "{]", R"({"a":1,})", R"({"a":1}})", R"({"a":1]})", R"({"\ud800":1})"}) {
    EXPECT_TRUE(RawObject::Parse(text).empty()) << text;
  }
  EXPECT_EQ(RawObject::Parse("{}").ToText(), "{}");
}

TEST(RawObject, TakesTheFirstOfTwoMembersWithOneKey) {
  EXPECT_EQ(RawObject::Parse(R"({"a":1,"a":2})").ToText(), R"({"a":1})");
}

}  // namespace
}  // namespace switchyard::mcp
