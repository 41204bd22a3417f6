#include "config/section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

// A document, its root, and what was wrong once the root is finished.
class Reading {
 public:
  explicit Reading(std::string text)
      : document_(std::move(text), "s.yaml", environment_), root_(document_.Root()) {}

  Section* operator->() { return &*root_; }
  std::vector<std::string> Problems() {
    root_->Finish();
    std::vector<std::string> out;
    for (const Problem& problem : document_.problems().Errors()) out.push_back(problem.ToString());
    return out;
  }
  Document& document() { return document_; }

 private:
  FakeEnvironment environment_;
  Document document_;
  std::optional<Section> root_;
};

TEST(Section, WhatIsAStringAnywayMayBeQuoted) {
  Reading read("d: \"250ms\"\nz: '64KiB'\ni: \"3\"\n");
  EXPECT_EQ(read->Duration("d"), 250ms);
  EXPECT_EQ(read->Bytes("z"), 65536U);
  EXPECT_FALSE(read->Integer("i", 0, 5)) << "that is no number";
}

TEST(Section, GivesTypedValues) {
  Reading read(
      "s: text\nb: true\ni: -3\nn: 0.5\nd: 250ms\nz: 64KiB\ne: two\nl: [a, 1, yes]\n"
      "m: {a: b, c: 1.0}\n");
  EXPECT_EQ(read->String("s"), "text");
  EXPECT_EQ(read->Bool("b"), true);
  EXPECT_EQ(read->Integer("i", -5, 5), -3);
  EXPECT_EQ(read->Number("n", 0, 1), 0.5);
  EXPECT_EQ(read->Duration("d"), 250ms);
  EXPECT_EQ(read->Bytes("z"), 65536U);
  EXPECT_EQ(read->Enum("e", {"one", "two"}), "two");
  EXPECT_THAT(*read->Strings("l"), ElementsAre("a", "1", "yes"));
  EXPECT_THAT(*read->StringMap("m"), ElementsAre(Pair("a", "b"), Pair("c", "1.0")));
  EXPECT_THAT(read.Problems(), ElementsAre());
}

TEST(Section, AnAbsentKeyIsNoProblem) {
  Reading read("a: 1\n");
  EXPECT_FALSE(read->String("s"));
  EXPECT_FALSE(read->Child("c"));
  EXPECT_TRUE(read->Children("cs").empty());
  EXPECT_TRUE(read->Items("is").empty());
  EXPECT_TRUE(read->Has("a"));
  EXPECT_THAT(read.Problems(), ElementsAre());
}

TEST(Section, ReportsWhatIsOutOfRange) {
  Reading read("n: 1.5\ni: 3\nopen: 0\nd: 1ms\nz: 1\n");
  EXPECT_FALSE(read->Number("n", 0, 1));
  EXPECT_FALSE(read->Integer("i", 5, 9));
  EXPECT_FALSE(read->Integer("open", 1, std::numeric_limits<std::int64_t>::max()));
  EXPECT_FALSE(read->Duration("d", 1s, 1h));
  EXPECT_FALSE(read->Bytes("z", 1024, 4096));
  EXPECT_THAT(read.Problems(), ElementsAre("s.yaml:1:4: n: must be between 0 and 1, got 1.5",
                                           "s.yaml:2:4: i: must be between 5 and 9, got 3",
                                           "s.yaml:3:7: open: must be at least 1, got 0",
                                           "s.yaml:4:4: d: must be between 1s and 1h, got 1ms",
                                           "s.yaml:5:4: z: must be between 1KiB and 4KiB, got 1"));
}

TEST(Section, ReportsANumberThatIsTooLargeToCount) {
  Reading read("d: 99999999999d\nz: 99999999999999999999\n");
  EXPECT_FALSE(read->Duration("d", 0s, 1h));
  EXPECT_FALSE(read->Bytes("z", 0, 4096));
  EXPECT_THAT(read.Problems(),
              ElementsAre("s.yaml:1:4: d: must be between 0s and 1h, got 99999999999d",
                          "s.yaml:2:4: z: must be between 0B and 4KiB, got 99999999999999999999"));
}

TEST(Section, ReportsKeysThatNobodyAskedForOnce) {
  Reading read("total: 1s\nunasked: 1\n");
  read->Duration("total");
  read->Duration("asked");
  read->Finish();
  EXPECT_THAT(
      read.Problems(),
      ElementsAre("s.yaml:2:1: unasked: unknown key, did you mean asked? allowed: asked, total"));
}

TEST(Section, ReportsUnknownKeysWhenItIsDestroyedAndNotWhenMovedFrom) {
  Reading read("c: {bad: 1}\n");
  {
    auto child = read->Child("c");
    Section moved = std::move(*child);
    child.reset();
    EXPECT_FALSE(read.document().problems().has_errors());
  }
  EXPECT_THAT(read.Problems(), ElementsAre("s.yaml:1:5: c.bad: unknown key, allowed: none"));
}

TEST(Section, GivesChildrenInFileOrderWithTheirPaths) {
  Reading read("cs:\n  z: {v: 1}\n  a: {v: 2}\n  bad: 3\n");
  auto children = read->Children("cs");
  ASSERT_EQ(children.size(), 2U);
  EXPECT_EQ(children[0].first, "z");
  EXPECT_EQ(children[1].second.path(), "cs.a");
  for (auto& [name, child] : children) EXPECT_TRUE(child.Integer("v", 0, 9));
  EXPECT_THAT(read.Problems(), ElementsAre("s.yaml:4:8: cs.bad: must be a mapping, got 3"));
}

TEST(Section, GivesItemsOfAListWithTheirPaths) {
  Reading read("rules:\n  - {tool: a}\n  - {tol: b}\n  - c\n");
  for (Section& item : read->Items("rules")) item.String("tool");
  EXPECT_THAT(read.Problems(),
              ElementsAre("s.yaml:3:6: rules[1].tol: unknown key, did you mean tool? allowed: tool",
                          "s.yaml:4:5: rules[2]: must be a mapping, got c"));
  EXPECT_THAT(read.document().asked().at("rules[]"), ElementsAre("tool"));
}

TEST(Section, PointsAProblemAtTheItemThatItNames) {
  Reading read("l:\n  - a\n  - b\nm:\n  k: v\n");
  read->Strings("l");
  read->StringMap("m");
  read->Error("l[1]", "is odd");
  read->Error("l[7]", "is not there");
  read->Error("m.k", "is odd");
  read->Error("nothing", "is missing");
  EXPECT_THAT(read.Problems(),
              ElementsAre("s.yaml:1:1: nothing: is missing", "s.yaml:2:3: l[7]: is not there",
                          "s.yaml:3:5: l[1]: is odd", "s.yaml:5:6: m.k: is odd"));
}

TEST(Section, ExpandsVariablesInEveryKindOfValue) {
  Reading read(
      "i: ${PORT}\nq: \"${PORT}\"\nd: ${PORT}ms\nl: [\"${TOKEN}\"]\nm: {a: \"${TOKEN}\"}\n");
  EXPECT_EQ(read->Integer("i", 0, 65535), 9000);
  EXPECT_EQ(read->Integer("q", 0, 65535), 9000);
  EXPECT_EQ(read->Duration("d"), 9s);
  EXPECT_THAT(*read->Strings("l"), ElementsAre("s3cret"));
  EXPECT_THAT(*read->StringMap("m"), ElementsAre(Pair("a", "s3cret")));
  EXPECT_THAT(read.Problems(), ElementsAre());
}

TEST(Section, SecretsShowTheTextAsWrittenOrNothing) {
  Reading read("s: a ${TOKEN}\nl: [\"x${TOKEN:-y}\"]\nm: {plain: hunter2}\n");
  EXPECT_EQ(read->SecretString("s")->Reveal(), "a s3cret");
  EXPECT_EQ(read->SecretString("s")->Shown(), "a ${TOKEN}");
  EXPECT_EQ(read->SecretStrings("l")->front().Shown(), "x${TOKEN}");
  EXPECT_EQ(read->SecretMap("m")->at("plain").Reveal(), "hunter2");
  EXPECT_EQ(read->SecretMap("m")->at("plain").Shown(), "***");
  std::ostringstream out;
  out << read->SecretMap("m")->at("plain");
  EXPECT_EQ(out.str(), "***");
}

TEST(Section, LeavesIgnoredKeysAlone) {
  Reading read("x-mine: {a: [1]}\ny: 1\n");
  read->Ignore("x-");
  EXPECT_THAT(read.Problems(), ElementsAre("s.yaml:2:1: y: unknown key, allowed: none"));
}

TEST(Section, PrintsNoControlCharactersOfAKey) {
  Reading read("\"a\\e[31m\\nb\": 1\n");
  EXPECT_THAT(read.Problems(),
              ElementsAre("s.yaml:1:1: a\\x1b[31m\\x0ab: unknown key, allowed: none"));
}

}  // namespace
}  // namespace switchyard::config
