// Locks on files, as agents see them.
#include "orchestration/locks/locks.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/locks/path.h"
#include "unit/orchestration/lockers.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

// ---- Names ------------------------------------------------------------------------------------

TEST(NormalPath, OneFileHasOneName) {
  for (const char* spelled :
       {"src/a.cc", "./src/a.cc", "src//a.cc", "/src/a.cc", "src/a.cc/", "src/./a.cc",
        "src/b/../a.cc", "x/../src/a.cc", "src\\a.cc", "//src/.//x/y/../../a.cc/."}) {
    EXPECT_EQ(NormalPath(spelled).value_or("refused"), "src/a.cc") << spelled;
  }
  EXPECT_EQ(*NormalPath("SRC/a.cc"), "SRC/a.cc") << "case is kept";
  EXPECT_EQ(*NormalPath("a/..b/...c"), "a/..b/...c") << "dots in names are dots";
  EXPECT_EQ(*NormalPath("\xc3\xa4.txt"), "\xc3\xa4.txt");
}

TEST(NormalPath, LeadsNowhereAboveTheRoot) {
  for (const char* escape : {"..", "../a", "a/../../b", "/../etc/passwd", "a\\..\\..\\b", "./.."}) {
    EXPECT_THAT(NormalPath(escape).error().message, HasSubstr("above the root")) << escape;
  }
}

TEST(NormalPath, MustNameAFile) {
  for (const char* nothing : {"", ".", "/", "//", "a/..", "./", "\\"}) {
    EXPECT_THAT(NormalPath(nothing).error().message, HasSubstr("names no file")) << nothing;
  }
  EXPECT_THAT(NormalPath(std::string(kMaxPath + 1, 'a')).error().message,
              HasSubstr("must have 1 to 1024 bytes, got 1025"));
  EXPECT_THAT(NormalPath(std::string_view("a\0b", 3)).error().message,
              HasSubstr("control characters"));
}

// ---- Locks ------------------------------------------------------------------------------------

TEST_F(Locks, AreExclusiveUnderAnySpelling) {
  EXPECT_EQ(Acquire("a", "src/x.cc"), 1);
  const json::object held = room.Get("acquire_file_lock", Of("b", "/src/../src//x.cc/"));
  EXPECT_EQ(json::serialize(held), R"({"file_path":"src/x.cc","status":"held","held_by":["a"]})");
  EXPECT_EQ(Acquire("b", "src/y.cc"), 2);
}

TEST_F(Locks, SharedOnesAreForManyAndNobodyElse) {
  EXPECT_EQ(Acquire("a", "x", kShared), 1);
  EXPECT_EQ(Acquire("b", "x", kShared), 2);
  EXPECT_EQ(Acquire("c", "x"), 0);
  EXPECT_EQ(Release("a", "x"), "");
  EXPECT_EQ(Acquire("c", "x"), 0);
  EXPECT_EQ(Release("b", "x"), "");
  EXPECT_EQ(Acquire("c", "x"), 3);
  EXPECT_EQ(Acquire("a", "x", kShared), 0);
}

TEST_F(Locks, ASecondCallRenewsAndKeepsTheFence) {
  EXPECT_EQ(Acquire("a", "x", R"(,"lease_ms":10000)"), 1);
  room.now += 9'000;
  EXPECT_EQ(Acquire("a", "x", R"(,"lease_ms":10000)"), 1);
  room.now += 9'000;
  EXPECT_EQ(Acquire("b", "x"), 0);
  room.now += 1'000;
  EXPECT_EQ(Acquire("b", "x"), 2) << "its lease is over";
}

TEST_F(Locks, AHeartbeatRenewsThemAndADeadAgentsComeBackWithTheirLease) {
  Acquire("a", "x", R"(,"lease_ms":10000)");
  room.now += 9'000;
  EXPECT_EQ(room.Get("heartbeat", R"({"agent_id":"a"})").at("renewed"), json::value(1));
  room.now += 9'999;
  EXPECT_EQ(Acquire("b", "x"), 0);
  room.now += 1;
  EXPECT_EQ(Check("x").at("locked"), json::value(false)) << "also before anybody sweeps";
  const auto swept = room.Do([](Records& records) { return SweepLocks(records); });
  EXPECT_TRUE(swept.has_value());
  EXPECT_THAT(Release("a", "x"), HasSubstr("agent a has no lock on x, or no longer"));
}

TEST_F(Locks, AnAgentThatLeavesFreesThem) {
  Acquire("a", "x");
  room.Get("deregister_agent", R"({"agent_id":"a"})");
  EXPECT_EQ(Acquire("b", "x"), 2);
}

TEST_F(Locks, SharedBecomesExclusiveForWhoIsAloneAndBack) {
  EXPECT_EQ(Acquire("a", "x", kShared), 1);
  EXPECT_EQ(Acquire("a", "x"), 2) << "a new fence: it may write now";
  EXPECT_EQ(Acquire("b", "x", kShared), 0);
  EXPECT_EQ(Acquire("a", "x", kShared), 2);
  EXPECT_EQ(Acquire("b", "x", kShared), 3);
  EXPECT_EQ(Acquire("a", "x"), 0) << "b shares it";
}

TEST_F(Locks, ALateReleaseIsToldSo) {
  Acquire("a", "x", R"(,"lease_ms":1000)");
  room.now += 1'000;
  Acquire("b", "x");
  EXPECT_EQ(Release("a", "x"),
            "agent a has no lock on x, or no longer; b has it now; write nothing to the file");
  EXPECT_EQ(Release("b", "x", R"(,"fence":1)"), "the lock of agent b on x has fence 2, not 1");
  EXPECT_EQ(Release("b", "x", R"(,"fence":2)"), "");
}

TEST_F(Locks, TheLineIsFair) {
  Acquire("a", "x", kShared);
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  EXPECT_EQ(Acquire("c", "x", kShared), 0) << "b is before it";
  const json::object told = room.Get("acquire_file_lock", Of("c", "x", kShared));
  EXPECT_EQ(told.at("ahead"), json::value(1));
  EXPECT_EQ(Check("x").at("waiting"), json::value(1));
  Release("a", "x");
  EXPECT_EQ(room.effects.lines, std::vector<std::string>{LineOf("x")});
  EXPECT_EQ(Acquire("c", "x"), 0) << "free, but b is first";
  EXPECT_TRUE(Run(b).acquired);
  EXPECT_FALSE(Check("x").contains("waiting"));
}

TEST_F(Locks, WhoWaitsAndGoesLeavesNothing) {
  Acquire("a", "x");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  Waiting c{.request = {.path = "x", .agent = "c", .wait_ms = 60'000}};
  Run(b);
  Run(c);
  Release("a", "x");
  GiveUp(b);
  EXPECT_EQ(room.effects.lines, std::vector<std::string>{LineOf("x")}) << "c is next";
  EXPECT_TRUE(Run(c).acquired);
  GiveUp(c);
  EXPECT_EQ(Check("x").at("locked"), json::value(false)) << "it was not told of its lock";
}

TEST_F(Locks, ALaterCallOfTheSameAgentTakesOverItsPlace) {
  Acquire("a", "x");
  Waiting first{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  Waiting c{.request = {.path = "x", .agent = "c", .wait_ms = 60'000}};
  Waiting second = first;
  Run(first);
  Run(c);
  EXPECT_TRUE(Run(second).waits);
  EXPECT_FALSE(Run(first).waits) << "the other one waits in its stead";
  GiveUp(first);
  Release("a", "x");
  EXPECT_FALSE(Run(c).acquired);
  EXPECT_TRUE(Run(second).acquired);
}

TEST_F(Locks, AWaitEndsWithItsTime) {
  Acquire("a", "x");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 5'000}};
  EXPECT_TRUE(Run(b).waits);
  room.now += 5'000;
  EXPECT_FALSE(Run(b).waits);
  Release("a", "x");
  EXPECT_EQ(Acquire("c", "x"), 2) << "nobody is in line";
}

TEST_F(Locks, AreTakenAwayWithAReasonOnRecord) {
  Acquire("a", "x");
  EXPECT_EQ(Release("b", "x", R"(,"force":true)"), "force needs reason: it is kept on record");
  const json::object gone =
      room.Get("release_file_lock", Of("b", "x", R"(,"force":true,"reason":"a hangs")"));
  EXPECT_EQ(json::serialize(gone), R"({"file_path":"x","status":"forced","taken_from":["a"]})");
  EXPECT_EQ(room.effects.forced, 1);
  EXPECT_EQ(json::serialize(Check("x").at("last_forced")),
            R"({"from":"a","by":"b","reason":"a hangs","at":"2027-01-15T08:00:00Z"})");
  EXPECT_THAT(Release("a", "x"), HasSubstr("b took it away (a hangs)"));
  EXPECT_EQ(Release("b", "x", R"(,"force":true,"reason":"r")"), "nobody has a lock on x");
}

TEST_F(Locks, AreTakenAwayOfOneFenceAlone) {
  Acquire("a", "x", kShared);
  Acquire("b", "x", kShared);
  const std::string force = R"(,"force":true,"reason":"r","fence":)";
  EXPECT_EQ(json::serialize(room.Get("release_file_lock", Of("c", "x", force + "1"))),
            R"({"file_path":"x","status":"forced","taken_from":["a"]})");
  EXPECT_EQ(Release("c", "x", force + "1"),
            "the lock on x has fence 2 by now, not 1; look who has it before you take it")
      << "the call is made again";
  EXPECT_EQ(Check("x").at("holders").at(0).at("agent_id"), json::value("b"));
}

TEST_F(Locks, WhatWasTakenAwayIsToldUntilTheAgentHasItAgain) {
  const std::string force = R"(,"force":true,"reason":"a hangs")";
  Acquire("a", "x");
  Release("b", "x", force);
  EXPECT_THAT(Release("a", "x"), HasSubstr("took it away"));
  Acquire("a", "x", R"(,"lease_ms":1000)");
  room.now += 1'000;
  EXPECT_EQ(Release("a", "x"), "agent a has no lock on x, or no longer; write nothing to the file");
  EXPECT_EQ(Check("x").at("last_forced").at("reason"), json::value("a hangs")) << "on record";
  Acquire("a", "x");
  Release("b", "x", force);
  room.Get("deregister_agent", R"({"agent_id":"a"})");
  room.Register("a");
  EXPECT_THAT(Release("a", "x"), Not(HasSubstr("took it away"))) << "another one by that name";
}

TEST_F(Locks, KeepsTheNewestOnRecord) {
  const std::string force = R"(,"force":true,"reason":"r")";
  Acquire("a", "x");
  Release("b", "x", force);
  EXPECT_TRUE(room.Do([](Records& records) { return CountUp(records, "lock_forced", kMaxForced); })
                  .has_value());
  Acquire("a", "y");
  Release("b", "y", force);
  EXPECT_TRUE(Check("y").contains("last_forced"));
  EXPECT_FALSE(Check("x").contains("last_forced"));
}

TEST_F(Locks, AreTakenAwayFromOthersByThoseWithTheRightAlone) {
  room.caller = "alice";
  room.Register("hers");
  Acquire("hers", "x");
  room.caller = "bob";
  room.Register("his");
  EXPECT_THAT(Release("hers", "x"), HasSubstr("registered by another caller"));
  const std::string force = R"(,"force":true,"reason":"r")";
  EXPECT_THAT(Release("his", "x", force), HasSubstr("the right to force"));
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
  Roles roles;
  roles.of[static_cast<std::size_t>(Right::kForce)] = std::vector<std::string>{"operator"};
  room.rights = Rights(roles, Principal{.subject = "s", .roles = {"operator"}});
  EXPECT_EQ(Release("his", "x", force), "");
}

TEST_F(Locks, AreListedByAgentInPages) {
  for (int i = 0; i < 12; ++i) Acquire(i % 2 == 0 ? "a" : "b", "f" + std::to_string(i));
  const json::object page = room.Get("check_file_lock", R"({"limit":5})");
  EXPECT_EQ(page.at("locks").as_array().size(), 5U);
  EXPECT_EQ(page.at("next_cursor"), json::value("5"));
  const json::object rest = room.Get("check_file_lock", R"({"cursor":"5","limit":100})");
  EXPECT_EQ(rest.at("locks").as_array().size(), 7U);
  EXPECT_FALSE(rest.contains("next_cursor"));
  const json::object own = room.Get("check_file_lock", R"({"agent_id":"b"})");
  EXPECT_EQ(own.at("locks").as_array().size(), 6U);
  EXPECT_THAT(room.Refusal("check_file_lock", R"({"cursor":"x"})"), HasSubstr("next_cursor"));
}

TEST_F(Locks, BadInputIsToldWhatIsAllowed) {
  EXPECT_THAT(room.Refusal("acquire_file_lock", R"({"agent_id":"a"})"), "file_path is missing");
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("a", "../x")), HasSubstr("above the root"));
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("nobody", "x")), HasSubstr("register_agent"));
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("a", "x", R"(,"mode":"mine")")),
              HasSubstr("exclusive, shared"));
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("a", "x", R"(,"wait_ms":-1)")),
              HasSubstr("from 0 to 60000"));
  EXPECT_THAT(room.Refusal("release_file_lock", Of("a", "x", R"(,"reason":"r")")),
              HasSubstr("force: true"));
}

TEST_F(Locks, ACallerHasItsShareAtMost) {
  const auto filled = room.Do([](Records& records) {
    return records.sql.Execute(
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < $1) INSERT "
        "INTO file_hold (path, agent, shared, fence, ticket, acquired_at, lease_until, lease_ms, "
        "was_fence, owner) SELECT i, i, 0, -i, 0, 0, $2, 1, 0, 'alice' FROM n",
        {kMaxLocksOfCaller, records.now + 1});
  });
  ASSERT_TRUE(filled.has_value());
  room.caller = "alice";
  room.Register("hers");
  EXPECT_EQ(room.Refusal("acquire_file_lock", Of("hers", "x")),
            "your agents have 10000 locks, the most they may have; release some");
  room.caller = "bob";
  room.Register("his");
  EXPECT_GT(Acquire("his", "x"), 0) << "there is room for others";
}

TEST_F(Locks, AnAgentHasSoManyAtMost) {
  const auto all = room.Do([](Records& records) -> Result<int> {
    int got = 0;
    for (; got <= kMaxLocksOfAgent; ++got) {
      Place none;
      auto outcome = AcquireLock(records, {.path = std::to_string(got), .agent = "a"}, none);
      if (outcome) continue;
      EXPECT_THAT(outcome.error().message, HasSubstr("has 1000 locks, the most there may be"));
      break;
    }
    return got;
  });
  EXPECT_EQ(*all, kMaxLocksOfAgent);
}

}  // namespace
}  // namespace switchyard::orchestration
