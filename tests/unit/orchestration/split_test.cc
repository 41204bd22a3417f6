// What texts split into.
#include "orchestration/decomposition/split.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace switchyard::orchestration {
namespace {

using ::testing::HasSubstr;

// "1: text <- needs; 2: ..."
std::string Shown(std::string_view text, SplitLimits limits = {}) {
  const Result<Split> split = SplitText(text, limits);
  if (!split) return split.error().message;
  std::string shown(split->found);
  for (const Piece& piece : split->pieces) {
    shown += " | " + piece.ref + ": " + piece.text;
    if (!piece.needs.empty()) shown += fmt::format(" <- {}", fmt::join(piece.needs, ","));
  }
  return shown;
}

TEST(SplitText, ABulletedListIsDoneInAnyOrder) {
  EXPECT_EQ(Shown("Get ready:\n- Load the data\n* Clean it\n"),
            "list | 1: Load the data | 2: Clean it");
}

TEST(SplitText, NumberedStepsWaitForEachOther) {
  const char* expected = "steps | 1: Load | 2: Clean <- 1 | 3: Report <- 2";
  EXPECT_EQ(Shown("1. Load\n2. Clean\n3. Report"), expected);
  EXPECT_EQ(Shown("1) Load\r\n2) Clean\r\n\r\n3) Report"), expected);
  EXPECT_EQ(Shown("a) Load\nb) Clean\nc) Report"), expected);
  EXPECT_EQ(Shown("Step 1: Load\nStep 2: Clean\nStep 3: Report"), expected);
}

TEST(SplitText, PartsOfAStepComeBeforeItAndAfterTheStepBefore) {
  EXPECT_EQ(
      Shown("1. Load\n2. Check\n   - types\n   - ranges\n3. Report"),
      "steps | 1: Load | 2.1: types <- 1 | 2.2: ranges <- 1 | 2: Check <- 2.1,2.2 | 3: Report "
      "<- 2");
}

TEST(SplitText, WhatIsTooDeepStaysInTheTextAboveIt) {
  EXPECT_EQ(Shown("- a\n  - b\n    - c\n- d", {.depth = 2}),
            "list | 1.1: b\nc | 1: a <- 1.1 | 2: d");
  EXPECT_EQ(Shown("- a\n  - b\n    - c\n- d", {.depth = 1}), "list | 1: a\nb\nc | 2: d");
}

TEST(SplitText, LinesGoOnWithTheirItem) {
  EXPECT_EQ(Shown("- Load\n  from the lake\n- Clean"), "list | 1: Load\nfrom the lake | 2: Clean");
}

TEST(SplitText, WordsBetweenClausesOrderThem) {
  const char* expected = "connectives | 1: Load the data | 2: clean it <- 1 | 3: report <- 2";
  EXPECT_EQ(Shown("Load the data, then clean it, and then report."), expected);
  EXPECT_EQ(Shown("Load the data and then clean it and finally report"), expected);
  EXPECT_EQ(Shown("First load it. Then clean it. Finally, report."),
            "connectives | 1: load it | 2: clean it <- 1 | 3: report <- 2");
  EXPECT_EQ(Shown("Load the data; check the schema"),
            "connectives | 1: Load the data | 2: check the schema");
}

TEST(SplitText, SentencesAreDoneInAnyOrder) {
  EXPECT_EQ(Shown("Write the page. Draw a picture."),
            "sentences | 1: Write the page | 2: Draw a picture");
  EXPECT_EQ(Shown("Use version 3.5 of e.g. this one"), "nothing");
}

TEST(SplitText, WhatHasNoPartsHasNone) {
  for (const char* text : {"", "Write a page", "- only one", "...", "and then", "1."}) {
    EXPECT_EQ(Shown(text), "nothing") << text;
  }
}

TEST(SplitText, MoreThanThereMayBeIsRefused) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "- x\n";
  EXPECT_THAT(Shown(text), HasSubstr("it splits into 30 subtasks, expected at most 20"));
}

// Of whatever text: refs are unique, needs come before, nothing is empty.
TEST(SplitText, MakesSenseOfAnything) {
  const char* parts[] = {"- ",  "1. ", "\n",    "  ",       "a",  "b) ",      ", then ", ". ",
                         "Xy ", "\t",  " and ", "\xc3\xa4", "; ", "Step 2: ", "finally "};
  FastRandom random{7};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::uint64_t i = random.Next() % 40; i > 0; --i) {
      text += parts[random.Next() % std::size(parts)];
    }
    const Result<Split> split =
        SplitText(text, {.most = kMostPieces, .depth = 1 + random.Next() % kDeepestSplit});
    ASSERT_TRUE(split.has_value()) << text;
    std::set<std::string> known;
    for (const Piece& piece : split->pieces) {
      EXPECT_FALSE(piece.text.empty()) << text;
      for (const std::string& need : piece.needs) EXPECT_TRUE(known.contains(need)) << text;
      EXPECT_TRUE(known.insert(piece.ref).second) << text;
    }
    EXPECT_EQ(split->last.empty(), split->pieces.empty());
  }
}

}  // namespace
}  // namespace switchyard::orchestration
