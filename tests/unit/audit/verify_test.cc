#include "audit/verify.h"

#include <algorithm>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/body.h"
#include "audit/files.h"
#include "unit/audit/support.h"

namespace switchyard::audit {
namespace {

using ::testing::HasSubstr;
using Lines = std::vector<std::string>;

class AuditVerify : public ::testing::Test {
 protected:
  // Genesis and so many calls.
  static Lines Chain(std::size_t count, const Hasher& hasher = Hasher()) {
    Head head;
    Lines lines;
    const ManualClock clock;
    lines.push_back(Link(hasher, head, OwnBody(clock.WallNow(), "genesis").Add("id", "x").text()));
    while (lines.size() < count) {
      lines.push_back(Link(hasher, head, testing::Body(clock, lines.size())));
    }
    return lines;
  }
  // The line from 1 on with a problem, and which; {0, ""}: there is none.
  static std::pair<std::size_t, std::string> Look(const Lines& lines, Verifier::Options how = {}) {
    Verifier verifier(std::move(how));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (auto wrong = verifier.Feed(lines[i])) return {i + 1, *wrong};
    }
    return {0, verifier.End().value_or("")};
  }
};

TEST_F(AuditVerify, AChainThatNobodyTouchedIsWhole) {
  EXPECT_EQ(Look(Chain(50)), std::pair(std::size_t{0}, std::string()));
  EXPECT_EQ(Look({}).second, "there is no record");
}

TEST_F(AuditVerify, ARecordThatWasChangedIsFound) {
  Lines lines = Chain(9);
  lines[4].replace(lines[4].find(R"("n":4)"), 5, R"("n":5)");
  const auto [line, why] = Look(lines);
  EXPECT_EQ(line, 5U);
  EXPECT_EQ(why, "was changed: its hash is not that of its text");
}

TEST_F(AuditVerify, ARecordThatWasRemovedIsMissed) {
  Lines lines = Chain(9);
  lines.erase(lines.begin() + 4);
  EXPECT_EQ(Look(lines),
            std::pair(std::size_t{5}, std::string("is number 6: record 5 is missing before it")));
  lines.erase(lines.begin() + 4);
  EXPECT_THAT(Look(lines).second, HasSubstr("records 5 to 6 are missing before it"));
}

TEST_F(AuditVerify, ARecordThatWasPutInOrMovedIsFound) {
  Lines twice = Chain(9);
  twice.insert(twice.begin() + 4, twice[3]);
  EXPECT_THAT(Look(twice).second, HasSubstr("is number 4 where 5 must follow"));
  Lines moved = Chain(9);
  std::swap(moved[4], moved[5]);
  EXPECT_EQ(Look(moved).first, 5U);
}

// Also with a hash that fits: the next record says what stood there.
TEST_F(AuditVerify, ARecordThatWasMadeAnewIsFoundByTheOneBehindIt) {
  Lines lines = Chain(9);
  const ManualClock clock;
  Head head{.seq = 4, .hash = std::string(*NamedHash(lines[3]))};
  lines[4] = Link(Hasher(), head, testing::Body(clock, 1000));
  EXPECT_EQ(Look(lines), std::pair(std::size_t{6},
                                   std::string("does not follow from the record before it: one of "
                                               "them was replaced")));
}

TEST_F(AuditVerify, ABeginningThatIsGoneIsMissed) {
  Lines lines = Chain(9);
  lines.erase(lines.begin(), lines.begin() + 2);
  EXPECT_EQ(Look(lines), std::pair(std::size_t{1}, std::string("is not how a file begins: records "
                                                               "before number 3 are missing")));
}

TEST_F(AuditVerify, AnEndThatIsGoneIsMissedByWhoKnowsALateHash) {
  Lines lines = Chain(9);
  const std::string late(*NamedHash(lines[8]));
  EXPECT_EQ(Look(lines, {.head = late}).second, "");
  lines.pop_back();
  EXPECT_EQ(Look(lines).second, "") << "nobody can see it in the log";
  EXPECT_THAT(Look(lines, {.head = late}).second, HasSubstr("the newest ones are missing"));
}

// Whoever can write the file makes a new chain of what he likes; not without the key.
TEST_F(AuditVerify, AChainThatWasMadeAnewIsFoundUnderAKey) {
  const Hasher keyed("a key that nobody has");
  EXPECT_EQ(Look(Chain(9, keyed), {.hasher = keyed}).second, "");
  EXPECT_EQ(Look(Chain(9), {.hasher = keyed}).first, 1U);
  EXPECT_EQ(Look(Chain(9, Hasher("some other key")), {.hasher = keyed}).first, 1U);
}

TEST_F(AuditVerify, WhatIsNoRecordIsSaidToBeNone) {
  for (const char* text : {"", "x", "{}", "[1]", R"({"v":1})", R"({"v":2,"seq":1})"}) {
    EXPECT_THAT(Look({text}).second, HasSubstr("is no record: ")) << text;
  }
  EXPECT_THAT(Look({std::string(kLongestLine + 1, 'x')}).second, HasSubstr("too long"));
}

// Any one byte, bit or line: whatever is done to a chain is seen, but for what is cut off its end.
TEST_F(AuditVerify, NoChangeGoesUnseen) {
  std::minstd_rand random(11);
  const Lines whole = Chain(30);
  for (int round = 0; round < 3000; ++round) {
    Lines lines = whole;
    const std::size_t at = random() % (lines.size() - 1);
    const std::size_t other = random() % lines.size();
    switch (random() % 6) {
      case 0:
        lines[at][random() % lines[at].size()] ^= static_cast<char>(1 << (random() % 7));
        break;
      case 1: lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 2: lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), whole[other]); break;
      case 3: std::swap(lines[at], lines[other]); break;
      case 4: lines[at].insert(random() % lines[at].size(), 1, ' '); break;
      default: lines[at].erase(random() % lines[at].size(), 1); break;
    }
    if (lines == whole) continue;
    EXPECT_NE(Look(lines), std::pair(std::size_t{0}, std::string())) << "round " << round;
  }
}

TEST_F(AuditVerify, FindsTheFilesOfLogs) {
  const testing::Place place;
  EXPECT_FALSE(FindLogs(place.path()));
  testing::Put(place.log(), "x");
  testing::Put(RotatedName(place.log(), 7), "x");
  testing::Put(RotatedName(place.log(), 12), "x");
  testing::Put(place.log() + ".lock", "");
  testing::Put(place.path() + "/other.jsonl", "x");
  const auto logs = FindLogs(place.path());
  ASSERT_TRUE(logs);
  ASSERT_EQ(logs->size(), 2U);
  EXPECT_EQ(logs->front().files,
            (Lines{RotatedName(place.log(), 7), RotatedName(place.log(), 12), place.log()}));
  EXPECT_EQ(FindLogs(place.log())->front().files.size(), 3U);
  const auto one = FindLogs(RotatedName(place.log(), 12));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->front().files.size(), 1U);
  EXPECT_FALSE(one->front().whole);
}

}  // namespace
}  // namespace switchyard::audit
