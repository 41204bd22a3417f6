// Calls that wait: how many may, and that they are no work in flight.
#include "orchestration/waiting/places.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/policy_levels.h"
#include "policies/registry.h"
#include "unit/config/fixtures.h"
#include "unit/orchestration/desk_room.h"

namespace switchyard::orchestration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Places, AreHalfOfThemForOneCaller) {
  Places places(4);
  std::deque<Places::Place> taken;
  const auto take = [&](const std::string& caller) -> std::string {
    Result<Places::Place> place = places.Take(caller);
    if (!place) return place.error().message;
    taken.push_back(std::move(*place));
    return "";
  };
  EXPECT_EQ(take("alice") + take("alice"), "");
  EXPECT_THAT(take("alice"), HasSubstr("2 of your calls wait here already"));
  EXPECT_EQ(take("") + take("bob"), "");
  EXPECT_THAT(take("carol"), HasSubstr("4 calls wait here already, the most that may"));
  taken.pop_front();
  EXPECT_EQ(places.taken(), 3U);
  EXPECT_EQ(take("carol"), "");
  taken.clear();
  EXPECT_EQ(places.taken(), 0U);
  EXPECT_EQ(take("alice") + take("alice"), "") << "what was given back is its own again";
}

TEST(Places, WhoFindsNoneIsToldToComeBack) {
  Places places(1);
  const Result<Places::Place> only = places.Take("a");
  ASSERT_TRUE(only.has_value());
  const Result<Places::Place> none = places.Take("b");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Code::kRateLimited);
  EXPECT_EQ(none.error().origin, Origin::kClient);
  EXPECT_TRUE(none.error().retryable);
  EXPECT_THAT(none.error().message, HasSubstr("ask without wait_ms"));
}

TEST_F(OrchestrationDesk, WaitsForNoMoreThanItsPlaces) {
  std::vector<std::unique_ptr<Pending>> waiting;
  for (std::size_t i = 0; i < Places::kMost / 2; ++i) {
    waiting.push_back(Begin("poll_tasks", R"({"wait_ms":60000})"));
  }
  Settle();
  EXPECT_EQ(desk->waiting(), Places::kMost / 2);
  constexpr const char* kFull = "5000 of your calls wait here already";
  EXPECT_THAT(Call("poll_tasks", R"({"wait_ms":1})"), HasSubstr(kFull));
  EXPECT_THAT(Call("await_task", R"({"task_id":"task_00000001"})"), HasSubstr(kFull));
  EXPECT_THAT(Call("poll_tasks"), Not(HasSubstr("wait here"))) << "who does not wait has none";
  waiting.clear();
  loop.RunReady();
  EXPECT_EQ(Call("create_task", R"({"content":"x"})"), "task_00000001 pending");
  EXPECT_EQ(Call("poll_tasks", R"({"wait_ms":1000})"), "1 task");
}

class WaitersPolicy : public ::testing::Test {
 protected:
  // What `concurrency` is for the tool, by the level that is nearest.
  std::string NearestOf(const std::string& orchestration, const std::string& tool) {
    const std::vector<config::PolicyKey> keys = policies::PolicyKeys();
    const auto loaded = config::LoadText(
        "servers: {a: {command: x}}\npolicies: {concurrency: {max_in_flight: 8}}\norchestration: " +
            orchestration + "\n",
        "c.yaml", keys, environment_);
    if (!loaded) return loaded.error().front().message;
    const auto key = std::ranges::find(keys, "concurrency", &config::PolicyKey::name);
    const config::EffectivePolicy policy = config::Resolve(
        *key, LevelsFor(loaded->config, "", "orchestration", tool), config::WithValues::kYes);
    return std::string(ToString(policy.nearest->level)) + " " + policy.values.at(0).value;
  }
  config::FakeEnvironment environment_;
};

TEST_F(WaitersPolicy, HasNoCapForToolsThatWait) {
  int waiting = 0;
  for (const Tool& tool : Tools()) {
    const bool waits = tool.definition.contains("\"wait_ms\"");
    waiting += waits ? 1 : 0;
    EXPECT_EQ(NearestOf("{}", std::string(kToolPrefix) + std::string(tool.name)),
              waits ? "tool 0" : "global 8")
        << tool.name;
  }
  EXPECT_EQ(waiting, 3);
}

TEST_F(WaitersPolicy, IsAsItIsSaidOfTheToolItself) {
  constexpr const char* kPoll = "orchestration_poll_tasks";
  EXPECT_EQ(NearestOf("{policies: {concurrency: {max_in_flight: 4}}}", kPoll), "tool 0");
  EXPECT_EQ(NearestOf("{tool_policies: {'*': {concurrency: {max_in_flight: 4}}}}", kPoll),
            "tool 0");
  EXPECT_EQ(
      NearestOf("{tool_policies: {orchestration_poll_tasks: {concurrency: {queue: 4}}}}", kPoll),
      "tool 8")
      << "what it does not say comes from the next level, as everywhere";
}

}  // namespace
}  // namespace switchyard::orchestration
