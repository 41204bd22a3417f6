#include "mcp/splice.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

// An object text with the spans of its members.
struct Object {
  std::string text;
  std::vector<std::string> names;
  std::vector<Member> members;
};

Object MakeObject(std::mt19937& random, std::size_t count) {
  const auto space = [&random] { return std::string(random() % 3, " \n\t "[random() % 4]); };
  static const std::vector<std::string> kValues = {
      "1", "\"a,b\"", "{}", "[1,{\"x\":2}]", "null", "{\"k\":\"}\"}", "-0.5e3", "\"\\\",\""};
  Object object;
  object.text = space() + "{" + space();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "m" + std::to_string(i);
    const std::string& value = kValues[random() % kValues.size()];
    const auto begin = static_cast<std::uint32_t>(object.text.size());
    object.text += "\"" + name + "\"" + space() + ":" + space();
    const auto at = static_cast<std::uint32_t>(object.text.size());
    object.text += value;
    const auto end = static_cast<std::uint32_t>(object.text.size());
    object.names.push_back(name);
    object.members.push_back(Member{.whole = {begin, end}, .value = {at, end}});
    object.text += space() + (i + 1 < count ? "," : "") + space();
  }
  object.text += "}" + space();
  return object;
}

Member FindMember(const std::string& text, const std::string& name, const std::string& value) {
  const auto begin = static_cast<std::uint32_t>(text.find("\"" + name + "\""));
  const auto at = static_cast<std::uint32_t>(text.find(value, begin + name.size() + 2));
  const auto end = static_cast<std::uint32_t>(at + value.size());
  return {.whole = {begin, end}, .value = {at, end}};
}

TEST(Edits, WithoutEditsTheBytesGoOutInOnePiece) {
  const Edits edits;
  Pieces pieces;
  edits.AppendTo("abc", pieces);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0], "abc");
  EXPECT_TRUE(edits.empty());
}

TEST(Edits, OfNothingGiveNoPieces) {
  Pieces pieces;
  Edits().AppendTo("", pieces);
  EXPECT_TRUE(pieces.empty());
}

TEST(Edits, AreAppliedInOrderOfPlaceWhateverTheOrderOfCalls) {
  Edits edits;
  edits.Replace({4, 5}, "E");
  edits.Replace({0, 1}, "AAA");
  edits.Insert(2, "-");
  EXPECT_EQ(edits.Apply("abcdef"), "AAAb-cdEf");
}

TEST(Edits, LeaveUntouchedBytesWhereTheyAre) {
  const std::string bytes = "0123456789";
  Edits edits;
  edits.Replace({3, 5}, "x");
  Pieces pieces;
  edits.AppendTo(bytes, pieces);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].data(), bytes.data());
  EXPECT_EQ(pieces[2].data(), bytes.data() + 5);
  EXPECT_EQ(TotalSize(pieces), 9u);
  EXPECT_EQ(Join(pieces), "012x56789");
}

TEST(Edits, ALaterEditOfTheSameSpanWins) {
  Edits edits;
  edits.Replace({1, 2}, "first");
  edits.Replace({1, 2}, "second");
  edits.Insert(3, "one");
  edits.Insert(3, "two");
  EXPECT_EQ(edits.Apply("abcd"), "asecondctwod");
}

TEST(Edits, ALargerEditDropsThoseInsideIt) {
  Edits edits;
  edits.Replace({2, 3}, "x");
  edits.Insert(4, "y");
  edits.Replace({1, 5}, "-");
  EXPECT_EQ(edits.Apply("abcdef"), "a-f");
}

TEST(Edits, AnEditInsideALargerOneIsDropped) {
  Edits edits;
  edits.Replace({1, 5}, "-");
  edits.Replace({2, 3}, "x");
  edits.Insert(4, "y");
  EXPECT_EQ(edits.Apply("abcdef"), "a-f");
}

TEST(Edits, InsertsAtTheEdgesOfAReplacementStay) {
  Edits edits;
  edits.Insert(1, "<");
  edits.Replace({1, 3}, "-");
  edits.Insert(3, ">");
  EXPECT_EQ(edits.Apply("abcd"), "a<->d");
}

TEST(Edits, ReplaceWithNothingDeletes) {
  Edits edits;
  edits.Replace({0, 3}, "");
  EXPECT_EQ(edits.Apply("abcd"), "d");
}

TEST(Edits, ThereMayBeManyOfThemFromEitherEnd) {
  constexpr std::uint32_t kCount = 5'000;
  const std::string bytes(2 * kCount, '.');
  Edits ascending, descending;
  std::string expected;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    ascending.Replace({2 * i, 2 * i + 1}, "x");
    descending.Replace({2 * (kCount - i - 1), 2 * (kCount - i - 1) + 1}, "x");
    expected += "x.";
  }
  EXPECT_EQ(ascending.Apply(bytes), expected);
  EXPECT_EQ(descending.Apply(bytes), expected);
}

TEST(Edits, RemovingAMemberTakesOneCommaWithIt) {
  const std::string text = R"({"a":1,"b":2, "c":3 , "d":4})";
  const auto without = [&text](std::vector<std::pair<std::string, std::string>> members) {
    Edits edits;
    for (const auto& [name, value] : members) {
      edits.RemoveMember(text, FindMember(text, name, value));
    }
    return edits.Apply(text);
  };
  EXPECT_EQ(without({{"a", "1"}}), R"({"b":2, "c":3 , "d":4})");
  EXPECT_EQ(without({{"b", "2"}}), R"({"a":1,"c":3 , "d":4})");
  EXPECT_EQ(without({{"d", "4"}}), R"({"a":1,"b":2, "c":3 })");
  EXPECT_EQ(without({{"c", "3"}, {"d", "4"}}), R"({"a":1,"b":2})");
  EXPECT_EQ(without({{"a", "1"}, {"d", "4"}}), R"({"b":2, "c":3 })");
  EXPECT_EQ(without({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}), "{}");
}

TEST(Edits, RemovingTheOnlyMemberLeavesAnEmptyObject) {
  const std::string text = R"({ "only" : [1,2] })";
  Edits edits;
  edits.RemoveMember(text, FindMember(text, "only", "[1,2]"));
  EXPECT_EQ(edits.Apply(text), "{  }");
}

TEST(Edits, RemovingAMemberTwiceIsRemovingItOnce) {
  const std::string text = R"({"a":1,"b":2})";
  for (const auto& [name, value] : {std::pair("a", "1"), std::pair("b", "2")}) {
    Edits edits;
    edits.RemoveMember(text, FindMember(text, name, value));
    const std::string once = edits.Apply(text);
    edits.RemoveMember(text, FindMember(text, name, value));
    EXPECT_EQ(edits.Apply(text), once);
  }
}

TEST(Edits, AnInsertBeforeARemovedFirstMemberStays) {
  const std::string text = R"({"a":1,"b":2})";
  Edits edits;
  edits.Insert(1, R"("new":0,)");
  edits.RemoveMember(text, FindMember(text, "a", "1"));
  EXPECT_EQ(edits.Apply(text), R"({"new":0,"b":2})");
}

TEST(Edits, AnySubsetOfMembersCanGoInAnyOrder) {
  std::mt19937 random(20260728);
  for (int round = 0; round < 4000; ++round) {
    const Object object = MakeObject(random, random() % 8);
    std::vector<std::size_t> order(object.members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (round % 2 == 0) std::shuffle(order.begin(), order.end(), random);
    boost::json::object expected = boost::json::parse(object.text).as_object();
    Edits edits;
    for (const std::size_t i : order) {
      if (random() % 2 == 0) continue;
      edits.RemoveMember(object.text, object.members[i]);
      expected.erase(object.names[i]);
    }
    const std::string text = edits.Apply(object.text);
    boost::system::error_code problem;
    const boost::json::value left = boost::json::parse(text, problem);
    ASSERT_FALSE(problem) << object.text << "\n-> " << text;
    ASSERT_EQ(left, boost::json::value(expected)) << object.text << "\n-> " << text;
  }
}

TEST(Edits, ValuesCanBeReplacedNextToRemovedMembers) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const Object object = MakeObject(random, 1 + random() % 6);
    boost::json::object expected = boost::json::parse(object.text).as_object();
    Edits edits;
    for (std::size_t i = 0; i < object.members.size(); ++i) {
      if (random() % 2 == 0) {
        edits.Replace(object.members[i].value, "\"new\"");
        expected[object.names[i]] = "new";
      } else {
        edits.RemoveMember(object.text, object.members[i]);
        expected.erase(object.names[i]);
      }
    }
    const std::string text = edits.Apply(object.text);
    boost::system::error_code problem;
    const boost::json::value left = boost::json::parse(text, problem);
    ASSERT_FALSE(problem) << object.text << "\n-> " << text;
    ASSERT_EQ(left, boost::json::value(expected)) << object.text << "\n-> " << text;
  }
}

}  // namespace
}  // namespace switchyard::mcp
