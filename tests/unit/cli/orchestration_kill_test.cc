// The real program, killed by SIGKILL while agents create, claim and complete tasks, round after
// round: by what the agents were answered, nothing is lost and nothing was given out twice.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/client.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

using tests::Answer;
using tests::ModernClient;
using tests::TextAt;

// What agents were answered, and nothing else.
struct Log {
  std::mutex mutex;
  std::map<std::string, std::string> state;  // of tasks: the furthest that was acknowledged
  std::map<std::string, int> claims;  // of a task under one lease: the times it was given out
  int answers = 0, last = 0;          // at the last one the gateway is killed
  Program* gateway = nullptr;

  void Count() {
    if (++answers == last) gateway->Signal(SIGKILL);
  }
  void Note(const std::string& task, const std::string& now) {
    const std::lock_guard lock(mutex);
    state[task] = now;
    Count();
  }
  void NoteClaim(const std::string& task) {
    const std::lock_guard lock(mutex);
    ++claims[task];
    Count();
  }
};

class OrchestrationUnderKill : public testing::Test {
 protected:
  OrchestrationUnderKill() {
    config_ = place_.Put("my.yaml", R"(listen: 127.0.0.1:0
servers: {}
log: {calls: false}
orchestration: {lease: 1h}
state: {dir: )" + place_.path() + "/state}\n");
  }
  static std::uint16_t PortOf(Program& serve) {
    EXPECT_TRUE(serve.SaysErr("http://127.0.0.1:"));
    EXPECT_TRUE(serve.SaysErr("/mcp"));
    const std::string head = "http://127.0.0.1:";
    const std::size_t begin = serve.err().find(head) + head.size();
    return static_cast<std::uint16_t>(std::stoi(serve.err().substr(begin)));
  }
  // Its answer's structure; null when the gateway is gone, or refused.
  static tests::json::value Call(ModernClient& client, const std::string& tool,
                                 const std::string& arguments) {
    const Answer answer = client.Call("orchestration_" + tool, arguments);
    return answer.complete && answer.status == 200 ? answer.at("/result/structuredContent")
                                                   : tests::json::value();
  }

  // It listens before its servers are up.
  static void UntilItIsThere(ModernClient& client) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (Call(client, "get_queue_metrics", "{}").is_null()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
    }
  }

  // Until the gateway does not answer any more.
  static void Work(std::uint16_t port, int number, Log& log) {
    ModernClient client(port);
    const std::string who = R"("agent_id":"agent)" + std::to_string(number) + "\"";
    for (;;) {
      const std::string made =
          TextAt(Call(client, "create_task", R"({"content":"x"})"), "/task_id");
      if (made.empty()) return;
      log.Note(made, "pending");
      const tests::json::value got =
          Call(client, "poll_tasks", R"({"claim":true,"limit":1,)" + who + "}");
      const std::string id = TextAt(got, "/tasks/0/id");
      if (id.empty()) return;
      log.NoteClaim(id);
      for (const char* tool : {"start_task", "complete_task"}) {
        const tests::json::value moved =
            Call(client, tool, R"({"task_id":")" + id + "\"," + who + "}");
        const std::string status = TextAt(moved, "/status");
        if (status.empty()) return;
        log.Note(id, status);
      }
    }
  }

  static void Round(std::uint16_t port, Program& serve, int answers, Log& log) {
    constexpr int kAgents = 8;
    ModernClient client(port);
    UntilItIsThere(client);
    for (int i = 0; i < kAgents; ++i) {
      Call(client, "register_agent",
           R"({"max_concurrent":1000,"agent_id":"agent)" + std::to_string(i) + "\"}");
    }
    log.last = log.answers + answers;
    log.gateway = &serve;
    {
      std::vector<std::jthread> agents;
      for (int i = 0; i < kAgents; ++i) agents.emplace_back([=, &log] { Work(port, i, log); });
    }
    EXPECT_GE(log.answers, log.last) << "agents were refused before it was killed";
    serve.Signal(SIGKILL);
  }

  static void Check(std::uint16_t port, Log& log) {
    ModernClient client(port);
    UntilItIsThere(client);
    const std::vector<std::string> order = {"pending", "assigned", "in_progress", "completed"};
    const auto place = [&order](const std::string& word) {
      return std::ranges::find(order, word) - order.begin();
    };
    for (const auto& [task, acknowledged] : log.state) {
      const std::string now =
          TextAt(Call(client, "get_task_status", R"({"task_id":")" + task + R"("})"), "/status");
      EXPECT_GE(place(now), place(acknowledged)) << task << " was " << acknowledged;
      EXPECT_LT(place(now), 4) << task << " is lost: " << now;
    }
    for (const auto& [task, times] : log.claims) EXPECT_EQ(times, 1) << task;
  }

  const Workplace place_;
  std::string config_;
};

TEST_F(OrchestrationUnderKill, LosesNothingThatWasAnsweredAndGivesNothingOutTwice) {
  Log log;
  for (int round = 0; round < 4; ++round) {
    Program serve({"serve", "--config", config_});
    Round(PortOf(serve), serve, 60 + 37 * round, log);
    serve.Wait();
  }
  EXPECT_GT(log.answers, 300);
  Program serve({"serve", "--config", config_});
  Check(PortOf(serve), log);
}

}  // namespace
}  // namespace switchyard::cli
