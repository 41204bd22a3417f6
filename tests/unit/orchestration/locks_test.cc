// Locks on files, as agents see them.
#include "orchestration/locks/locks.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/coordination/waits.h"
#include "orchestration/locks/path.h"
#include "orchestration/moves.h"
#include "orchestration/statistics.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

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

class Locks : public ::testing::Test {
 protected:
  Locks() {
    for (const char* agent : {"a", "b", "c"}) room.Register(agent);
  }
  static std::string Of(const std::string& agent, const std::string& path,
                        const std::string& more = "") {
    return R"({"agent_id":")" + agent + R"(","file_path":")" + path + "\"" + more + "}";
  }
  // The fence, 0 when it is held by another, -1 of a refusal.
  std::int64_t Acquire(const std::string& agent, const std::string& path,
                       const std::string& more = "") {
    const json::object got = room.Get("acquire_file_lock", Of(agent, path, more));
    if (got.contains("fence")) return got.at("fence").as_int64();
    return got.contains("error") ? -1 : 0;
  }
  std::string Release(const std::string& agent, const std::string& path,
                      const std::string& more = "") {
    return room.Refusal("release_file_lock", Of(agent, path, more));
  }
  json::object Check(const std::string& path) {
    return room.Get("check_file_lock", R"({"file_path":")" + path + R"("})");
  }
  // A call that waits, and runs again when it is woken.
  struct Waiting {
    LockRequest request;
    Place place = {};
  };
  LockOutcome Run(Waiting& call) {
    const auto outcome = room.Do(
        [&call](Records& records) { return AcquireLock(records, call.request, call.place); });
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
    return outcome.value_or(LockOutcome());
  }
  void GiveUp(const Waiting& call) {
    EXPECT_TRUE(
        room.Do([&call](Records& records) { return GiveUpLock(records, call.request, call.place); })
            .has_value());
  }

  static constexpr const char* kShared = R"(,"mode":"shared")";
  static constexpr const char* kWait = R"(,"wait_ms":60000)";

  Room room;
};

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

// ---- Circles ----------------------------------------------------------------------------------

TEST_F(Locks, AWaitThatWouldNeverEndIsRefusedAndNamesTheCircle) {
  Acquire("a", "x");
  Acquire("b", "y");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  EXPECT_EQ(
      room.Refusal("acquire_file_lock", Of("a", "y", kWait)),
      "this would be a deadlock: a waits for b (lock y), b waits for a (lock x); release a lock "
      "first, or ask without wait_ms");
  EXPECT_EQ(Acquire("a", "y"), 0) << "to ask is no wait";
}

TEST_F(Locks, WhoLetGoIsWaitedForNoMore) {
  Acquire("a", "x");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  Release("a", "x");
  Waiting a{.request = {.path = "x", .agent = "a", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(a).waits) << "behind b, who has not come to take it";
  EXPECT_TRUE(Run(b).acquired);
  EXPECT_TRUE(Run(a).waits);
  const auto waits = room.Do([](Records& records) { return WaitsOf(records, "a"); });
  ASSERT_EQ(waits->size(), 1U);
  EXPECT_EQ(waits->front().holder, "b");
  EXPECT_TRUE(room.Do([](Records& records) { return WaitsOf(records, "b"); })->empty());
}

TEST_F(Locks, AWaitForALockClosesCyclesWithRequestsForAssistance) {
  Acquire("a", "x");
  room.Get("request_assistance",
           R"({"requesting_agent_id":"a","target_agent_id":"b","task_description":"d"})");
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("b", "x", kWait)),
              HasSubstr("b waits for a (lock x), a waits for b (assistance_00000001)"));
}

// ---- Time -------------------------------------------------------------------------------------

TEST_F(Locks, GoWithJumpsOfTheWallClock) {
  Acquire("a", "x", R"(,"lease_ms":10000)");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 5'000}};
  EXPECT_TRUE(Run(b).waits);
  room.now += 3'600'000;
  EXPECT_TRUE(room.Do([](Records& records) { return MoveLeases(records, 3'600'000); }).has_value());
  EXPECT_TRUE(Run(b).waits);
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("c", "x")), "");
  room.now += 5'000;
  EXPECT_FALSE(Run(b).waits) << "its time is over, but not the lease";
  EXPECT_EQ(Check("x").at("locked"), json::value(true));
}

TEST_F(Locks, BeginAnewAtTheStartAndNobodyIsInLine) {
  Acquire("a", "x", R"(,"lease_ms":10000)");
  Waiting b{.request = {.path = "x", .agent = "b", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(b).waits);
  room.now += 20'000;
  EXPECT_TRUE(room.Do([](Records& records) { return BeginLeasesAnew(records); }).has_value());
  EXPECT_EQ(Check("x").at("holders").at(0).at("expires_in_ms"), json::value(10'000));
  EXPECT_FALSE(Check("x").contains("waiting"));
  EXPECT_TRUE(room.Do([](Records& records) { return WaitsOf(records, "b"); })->empty());
  const auto counters = room.Do([](Records& records) { return CountersOf(records); });
  EXPECT_EQ(counters->at("locks_waiting"), 0);
}

// ---- Circles through others -------------------------------------------------------------------

TEST_F(Locks, TwoThatShareAndBothWantItAloneWouldWaitForever) {
  Acquire("a", "x", kShared);
  Acquire("b", "x", kShared);
  Waiting a{.request = {.path = "x", .agent = "a", .wait_ms = 60'000}};
  EXPECT_TRUE(Run(a).waits);
  EXPECT_THAT(room.Refusal("acquire_file_lock", Of("b", "x", kWait)),
              HasSubstr("b waits for a (lock x), a waits for b (lock x)"));
  Release("b", "x");
  EXPECT_EQ(room.effects.lines, std::vector<std::string>{LineOf("x")});
  EXPECT_TRUE(Run(a).acquired);
}

TEST_F(Locks, ACircleMayGoThroughWork) {
  const std::string parent = room.Create("p");
  room.Claim("a");
  const std::string need = room.Create("n");
  const std::string child =
      room.Create("c", R"(,"parent":")" + parent + R"(","depends_on":[")" + need + R"("])");
  room.Claim("b");
  Acquire("a", "x");
  EXPECT_EQ(room.Refusal("acquire_file_lock", Of("b", "x", kWait)),
            "this would be a deadlock: b waits for a (lock x), a waits for b (" + need +
                "); release a lock first, or ask without wait_ms");
  room.Get("start_task", Room::Id(need));
  room.Get("complete_task", Room::Id(need));
  EXPECT_EQ(room.Refusal("acquire_file_lock", Of("b", "x", kWait)), "") << "nobody has the child";
}

}  // namespace
}  // namespace switchyard::orchestration
