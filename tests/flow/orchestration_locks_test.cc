// File locks, and work that is split and delegated, in a whole gateway.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/temp_dir.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;

class FileLocks : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys = "{}") {
    gateway.GoesBy(clock).With("orchestration", keys).Start();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
  static json::value Call(Client& client, const std::string& tool,
                          const std::string& arguments = "{}") {
    const Answer answer = client.Call("orchestration_" + tool, arguments);
    EXPECT_EQ(answer.status, 200) << answer;
    return answer.at("/result/structuredContent");
  }
  static std::string Lock(const std::string& agent, const std::string& more = "") {
    return R"({"agent_id":")" + agent + R"(","file_path":"src/a.cc")" + more + "}";
  }
  static std::string Waits(const std::string& agent) { return Lock(agent, R"(,"wait_ms":60000)"); }
  void Register(Client& client, std::initializer_list<const char*> agents) {
    for (const char* agent : agents) {
      Call(client, "register_agent", R"({"agent_id":")" + std::string(agent) + R"("})");
    }
  }
  // Calls run side by side: the one that waits is in line once it is seen there.
  static bool OneWaits(Client& client) {
    for (int i = 0; i < 5000; ++i) {
      const json::value seen = Call(client, "check_file_lock", R"({"file_path":"src/a.cc"})");
      if (seen.as_object().contains("waiting")) return true;
    }
    return false;
  }
  // Gauges are as of the last second.
  bool ShowsSoon(const std::string& line) {
    clock.Advance(std::chrono::seconds(2));
    return Shows(gateway, line);
  }
  static std::string StatusOf(Exchange& exchange) {
    return TextAt(exchange.Finish().message(), "/result/structuredContent/status");
  }

  LeapingClock clock;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, FileLocks, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(FileLocks, GoToTheOneThatWaitsWhenTheyAreReleased) {
  Start();
  const auto client = NewClient();
  Register(*client, {"a", "b"});
  Call(*client, "acquire_file_lock", Lock("a"));
  Exchange waiting = client->BeginCall("orchestration_acquire_file_lock", Waits("b"));
  EXPECT_TRUE(OneWaits(*client));
  EXPECT_TRUE(ShowsSoon(R"(switchyard_orchestration_locks{state="waiting"} 1)"));
  Call(*client, "release_file_lock", Lock("a"));
  EXPECT_EQ(StatusOf(waiting), "acquired");
  EXPECT_TRUE(ShowsSoon(R"(switchyard_orchestration_locks{state="held"} 1)"));
  EXPECT_TRUE(Shows(gateway, R"(switchyard_orchestration_locks{state="waiting"} 0)"));
}

TEST_P(FileLocks, OfADeadAgentGoToTheOneThatWaitsWithTheirLease) {
  Start("{lease: 30s}");
  const auto client = NewClient();
  Register(*client, {"a", "b"});
  Call(*client, "acquire_file_lock", Lock("a"));
  Exchange waiting = client->BeginCall("orchestration_acquire_file_lock", Waits("b"));
  EXPECT_TRUE(OneWaits(*client));
  clock.Advance(std::chrono::seconds(31));
  EXPECT_EQ(StatusOf(waiting), "acquired");
}

TEST_P(FileLocks, AWaitThatIsOverLeavesTheLine) {
  Start();
  const auto client = NewClient();
  Register(*client, {"a", "b"});
  Call(*client, "acquire_file_lock", Lock("a"));
  Exchange waiting =
      client->BeginCall("orchestration_acquire_file_lock", Lock("b", R"(,"wait_ms":50)"));
  EXPECT_EQ(StatusOf(waiting), "held");
  Exchange other = client->BeginCall("orchestration_acquire_file_lock", Waits("b"));
  EXPECT_TRUE(OneWaits(*client));
  gateway.server().Stop(std::chrono::minutes(1));
  EXPECT_EQ(StatusOf(other), "held") << "a stop waits for nobody";
}

// A client of the modern era cancels a call by closing its stream.
TEST_P(FileLocks, WhoVanishesLeavesTheLine) {
  if (GetParam() == Era::kLegacy) return;
  Start();
  const auto client = NewClient();
  Register(*client, {"a", "b", "c"});
  Call(*client, "acquire_file_lock", Lock("a"));
  Exchange gone = client->BeginCall("orchestration_acquire_file_lock", Waits("b"));
  EXPECT_TRUE(OneWaits(*client));
  Exchange next = client->BeginCall("orchestration_acquire_file_lock", Waits("c"));
  gone.Abandon();
  Call(*client, "release_file_lock", Lock("a"));
  EXPECT_EQ(StatusOf(next), "acquired");
}

TEST_P(FileLocks, AreHeldByOneAtATimeUnderManyAgents) {
  constexpr int kAgents = 6;
  constexpr int kRounds = 8;
  Start();
  std::atomic<int> inside = 0, most = 0;
  std::mutex mutex;
  std::vector<std::int64_t> fences;  // in the order of the holders
  {
    std::vector<std::jthread> agents;
    for (int i = 0; i < kAgents; ++i) {
      agents.emplace_back([this, i, &inside, &most, &mutex, &fences] {
        const auto client = NewClient();
        const std::string who = "agent" + std::to_string(i);
        Call(*client, "register_agent", R"({"agent_id":")" + who + R"("})");
        for (int round = 0; round < kRounds; ++round) {
          const json::value got = Call(*client, "acquire_file_lock", Waits(who));
          ASSERT_EQ(TextAt(got, "/status"), "acquired");
          most = std::max<int>(most, ++inside);
          {
            const std::lock_guard lock(mutex);
            fences.push_back(At(got, "/fence").as_int64());
          }
          --inside;
          Call(*client, "release_file_lock", Lock(who));
        }
      });
    }
  }
  EXPECT_EQ(most, 1);
  EXPECT_EQ(fences.size(), static_cast<std::size_t>(kAgents * kRounds));
  EXPECT_TRUE(std::ranges::is_sorted(fences)) << "they grow";
}

TEST_P(FileLocks, AreTakenAwayOnRecord) {
  Start();
  const auto client = NewClient();
  Register(*client, {"a", "b"});
  Call(*client, "acquire_file_lock", Lock("a"));
  Call(*client, "release_file_lock", Lock("b", R"(,"force":true,"reason":"a hangs")"));
  EXPECT_THAT(client->Call("orchestration_release_file_lock", Lock("a")).text(),
              HasSubstr("b took it away (a hangs)"));
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_locks_forced_total 1"));
}

TEST_P(FileLocks, SurviveARestart) {
  const TempDir directory;
  gateway.With("state", "{dir: " + directory.path() + "}");
  Start();
  const auto client = NewClient();
  Register(*client, {"a", "b"});
  const std::int64_t fence = At(Call(*client, "acquire_file_lock", Lock("a")), "/fence").as_int64();
  gateway.Stop();
  gateway.Start();
  const auto later = NewClient();
  EXPECT_EQ(TextAt(Call(*later, "acquire_file_lock", Lock("b")), "/status"), "held");
  Call(*later, "release_file_lock", Lock("a"));
  EXPECT_GT(At(Call(*later, "acquire_file_lock", Lock("b")), "/fence").as_int64(), fence);
  gateway.Stop();
}

TEST_P(FileLocks, AProjectIsSplitHandedOutDelegatedAndMerged) {
  Start();
  const auto client = NewClient();
  Register(*client, {"lead", "helper"});
  Call(*client, "create_project", R"({"name":"p"})");
  const json::value split = Call(*client, "decompose_task",
                                 R"({"task":"Count the files; count the lines","create":true})");
  const std::string parent = TextAt(split, "/parent");
  const std::vector<std::string> parts = Each(At(split, "/subtasks"), "task_id");
  ASSERT_EQ(parts.size(), 2U);
  for (const std::string& part : parts) {
    Call(*client, "delegate_subtask",
         R"({"coordinator_agent_id":"lead","assigned_agent_id":"helper","subtask_id":")" + part +
             R"("})");
    Call(*client, "start_task", R"({"task_id":")" + part + R"("})");
    Call(*client, "complete_task", R"({"task_id":")" + part + R"(","result":[7]})");
  }
  const json::value merged =
      Call(*client, "merge_results",
           R"({"parent_task_id":")" + parent + R"(","task_id":")" + parent + R"("})");
  EXPECT_EQ(At(merged, "/result"), json::value({7, 7}));
  EXPECT_EQ(At(Call(*client, "get_lineage", R"({"task_id":")" + parent + R"("})"), "/made_of"),
            At(merged, "/made_of"));
  EXPECT_TRUE(ShowsSoon("switchyard_orchestration_projects_open 1"));
}

}  // namespace
}  // namespace switchyard::tests
