// Random calls for locks: whatever agents do in whatever order, a file has one writer or several
// readers, fences grow, the counters are right, and nobody waits beside a lock that he may have.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "orchestration/locks/locks.h"
#include "orchestration/statistics.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

constexpr std::int64_t kLockLease = 10'000;

class LocksOfMany : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  struct Waiting {
    LockRequest request;
    Place place = {};
  };

  LocksOfMany() {
    room.settings.lease_ms = kLockLease;
    for (int i = 0; i < 5; ++i) room.Register("a" + std::to_string(i));
  }
  std::uint64_t Below(std::uint64_t end) { return random.Next() % end; }
  std::string AnyAgent() { return "a" + std::to_string(Below(5)); }
  std::string AnyPath() { return "f" + std::to_string(Below(3)); }

  // True: it got the lock.
  bool Run(Waiting& call, bool& goes_on) {
    std::int64_t before = 0;
    const auto held = room.Do([&](Records& r) { return HoldsOn(r, call.request.path); });
    for (const Hold& hold : *held) {
      if (hold.agent == call.request.agent) before = hold.fence;
    }
    const auto outcome =
        room.Do([&](Records& r) { return AcquireLock(r, call.request, call.place); });
    goes_on = false;
    if (!outcome) {
      EXPECT_THAT(outcome.error().message, ::testing::HasSubstr("this would be a deadlock: "));
      return false;
    }
    goes_on = outcome->waits;
    if (!outcome->acquired) return false;
    std::int64_t& last = fences[call.request.path];
    if (outcome->hold.fence != before) {
      EXPECT_GT(outcome->hold.fence, last) << call.request.path;
      last = outcome->hold.fence;
    }
    return true;
  }
  // Wakes those in line, as the desk does.
  void Wake() {
    std::vector<std::string> lines = room.effects.lines;
    while (!lines.empty()) {
      const std::string line = lines.back();
      lines.pop_back();
      for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (LineOf(waiting[i].request.path) != line) continue;
        bool goes_on = false;
        const bool got = Run(waiting[i], goes_on);
        if (goes_on) continue;
        if (got) std::ranges::copy(room.effects.lines, std::back_inserter(lines));
        const Waiting over = waiting[i];
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
        if (got && Below(3) == 0) Go(over, lines);
        if (got) break;
        GiveUp(over);
        std::ranges::copy(room.effects.lines, std::back_inserter(lines));
        break;
      }
    }
  }
  // The client of a call that got the lock is gone before it was told. Another call of the agent
  // may have been told meanwhile: what it was told stays.
  void Go(const Waiting& call, std::vector<std::string>& lines) {
    Waiting other{.request = {.path = call.request.path, .agent = call.request.agent}};
    other.request.shared = Below(2) == 0;
    bool goes_on = false;
    const bool told = Below(2) == 0 && Run(other, goes_on);
    if (told) std::ranges::copy(room.effects.lines, std::back_inserter(lines));
    GiveUp(call);
    std::ranges::copy(room.effects.lines, std::back_inserter(lines));
    if (!told) return;
    const auto holds = room.Do([&](Records& r) { return HoldsOn(r, call.request.path); });
    const auto own = std::ranges::find(*holds, call.request.agent, &Hold::agent);
    ASSERT_NE(own, holds->end()) << "it was told that it has it";
    EXPECT_EQ(own->shared, other.request.shared);
  }
  void GiveUp(const Waiting& call) {
    EXPECT_TRUE(
        room.Do([&](Records& r) { return GiveUpLock(r, call.request, call.place); }).has_value());
  }
  void Acquire() {
    Waiting call{.request = {.path = AnyPath(), .agent = AnyAgent(), .shared = Below(2) == 0}};
    if (Below(3) > 0) call.request.wait_ms = 5'000 + static_cast<std::int64_t>(Below(60'000));
    bool goes_on = false;
    Run(call, goes_on);
    const std::vector<std::string> lines = room.effects.lines;
    if (goes_on) waiting.push_back(call);
    room.effects.lines = lines;
    Wake();
  }
  void Release() {
    room.Get("release_file_lock",
             R"({"agent_id":")" + AnyAgent() + R"(","file_path":")" + AnyPath() + R"("})");
    Wake();
  }
  void Pass() {
    room.now += static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(kLockLease)));
    EXPECT_TRUE(room.Do([](Records& r) { return SweepLocks(r); }).has_value());
    Wake();
    // Those whose time is over go.
    for (std::size_t i = waiting.size(); i-- > 0;) {
      if (waiting[i].place.ends_at > room.now) continue;
      const Waiting over = waiting[i];
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
      GiveUp(over);
      Wake();
      i = std::min(i, waiting.size());
    }
  }
  void Compare() {
    std::int64_t held = 0;
    for (int i = 0; i < 3; ++i) {
      const std::string path = "f" + std::to_string(i);
      const auto holds = room.Do([&](Records& r) { return HoldsOn(r, path); });
      const auto writers = std::ranges::count(*holds, false, &Hold::shared);
      EXPECT_TRUE(writers == 0 || (writers == 1 && holds->size() == 1)) << path;
      held += static_cast<std::int64_t>(holds->size());
    }
    EXPECT_TRUE(room.Do([](Records& r) { return SweepLocks(r); }).has_value());
    Wake();
    const auto counters = room.Do([](Records& r) { return CountersOf(r); });
    EXPECT_EQ(counters->at("locks_held"), held);
    const auto rows =
        room.Do([](Records& r) { return r.sql.Query("SELECT count(*) FROM file_wait"); });
    EXPECT_EQ(counters->at("locks_waiting"), rows->front().Number(0));
    EXPECT_EQ(WaitsWithoutReason(), 0);
  }
  // Of whoever is not in line, or for whoever neither has the file nor is in line.
  std::int64_t WaitsWithoutReason() {
    const auto rows = room.Do([](Records& r) {
      return r.sql.Query(
          "SELECT count(*) FROM wait_for WHERE NOT EXISTS (SELECT 1 FROM file_wait WHERE agent = "
          "waiter AND 'lock ' || path = about) OR NOT (EXISTS (SELECT 1 FROM file_wait WHERE agent "
          "= holder AND 'lock ' || path = about) OR EXISTS (SELECT 1 FROM file_hold WHERE agent = "
          "holder AND 'lock ' || path = about))");
    });
    return rows ? rows->front().Number(0) : -1;
  }
  void NobodyWaitsBesideALockThatHeMayHave() {
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      bool goes_on = false;
      EXPECT_FALSE(Run(waiting[i], goes_on))
          << waiting[i].request.agent << " " << waiting[i].request.path;
    }
  }

  FastRandom random{GetParam()};
  Room room;
  std::vector<Waiting> waiting;
  std::map<std::string, std::int64_t> fences;
};

TEST_P(LocksOfMany, HaveOneWriterOrSeveralReadersAndGrowingFences) {
  for (int i = 0; i < 400 && !HasFailure(); ++i) {
    const std::uint64_t dice = Below(100);
    if (dice < 50) {
      Acquire();
    } else if (dice < 85) {
      Release();
    } else if (dice < 90 && !waiting.empty()) {
      const std::size_t which = Below(waiting.size());
      const Waiting gone = waiting[which];
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(which));
      GiveUp(gone);
      Wake();
    } else {
      Pass();
    }
    if (i % 10 == 0) Compare();
    if (i % 40 == 0) NobodyWaitsBesideALockThatHeMayHave();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LocksOfMany, ::testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace switchyard::orchestration
