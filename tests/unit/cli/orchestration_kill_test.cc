// The real program, killed by SIGKILL at random moments while 32 agents create, claim, complete and
// give back tasks, round after round. Whether anything was lost or given out twice is judged from
// what the agents wrote down, and from nothing else (support/agents_log.h).
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "cli/client.h"
#include "support/agents_log.h"
#include "support/client.h"
#include "unit/cli/program.h"

namespace switchyard::cli {
namespace {

namespace json = tests::json;
using tests::AgentLog;
using tests::Answer;
using tests::At;
using tests::LogEntry;
using tests::ModernClient;
using tests::TextAt;
using enum LogEntry::What;

constexpr int kAgents = 32;
constexpr int kRounds = 10;

// Ends the gateway at one moment of all that its agents do.
class Trigger {
 public:
  // At the n-th request, when it is written and not answered; or at the n-th answer.
  Trigger(const Program& gateway, int at, bool unanswered)
      : gateway_(gateway), at_(at), unanswered_(unanswered) {}

  bool IsNow() {  // asked before each request
    const std::lock_guard lock(mutex_);
    return unanswered_ && ++count_ == at_;
  }
  void Answered() {
    const std::lock_guard lock(mutex_);
    if (!unanswered_ && ++count_ == at_) Pull();
  }
  void Pull() {
    pulled_ = true;
    gateway_.Signal(SIGKILL);
  }
  bool pulled() const { return pulled_; }

 private:
  const Program& gateway_;
  const int at_;
  const bool unanswered_;
  std::mutex mutex_;
  int count_ = 0;
  bool pulled_ = false;
};

// One agent: what it does is dice, what it knows is its log. When a call is not answered the
// gateway is gone; after that it goes on from what it is told that it has.
class Agent {
 public:
  explicit Agent(int number) : number_(number), random_(static_cast<std::uint64_t>(number) + 1) {}

  bool Register(std::uint16_t port) {
    Meet(port, nullptr);
    return Call("register_agent", "{" + who() + R"(,"max_concurrent":1000})").has_value();
  }
  // Until the gateway does not answer any more.
  void Work(std::uint16_t port, Trigger& trigger) {
    Meet(port, &trigger);
    if (!TakeUp()) return;
    while (Below(3) == 0 ? Create() : ClaimAndDo(true)) {
    }
  }
  // All that is left.
  void Finish(std::uint16_t port) {
    Meet(port, nullptr);
    bool fine = TakeUp();
    for (done_ = 1; fine && done_ > 0;) fine = ClaimAndDo(false);
  }
  // At all that it created.
  void Look() {
    for (const std::string& task : created_) LookAt(task);
  }
  void Count() {
    const std::optional<json::value> numbers = Call("get_queue_metrics", "{}");
    if (!numbers) return;
    std::int64_t sum = 0;
    for (const char* status : {"/pending", "/assigned", "/in_progress", "/completed", "/failed"}) {
      sum += At(*numbers, status).to_number<std::int64_t>();
    }
    Note({.what = kCounted, .fence = sum});
  }
  const AgentLog& log() const { return log_; }

 private:
  std::uint64_t Below(std::uint64_t end) { return random_.Next() % end; }
  std::string who() const { return R"("agent_id":"agent)" + std::to_string(number_) + "\""; }
  void Note(LogEntry entry) { log_.push_back(std::move(entry)); }
  void Meet(std::uint16_t port, Trigger* trigger) {
    client_ = std::make_unique<ModernClient>(port);
    trigger_ = trigger;
  }

  std::optional<json::value> Call(const std::string& tool, const std::string& arguments);
  bool TakeUp();
  bool Create();
  bool AskFor(const std::string& tasks, const std::vector<std::string>& keys);
  bool ClaimAndDo(bool may_give_back);
  bool Do(const std::string& task, std::int64_t fence, bool started, bool may_give_back);
  void LookAt(const std::string& task);

  const int number_;
  FastRandom random_;
  AgentLog log_;
  std::unique_ptr<ModernClient> client_;
  Trigger* trigger_ = nullptr;
  int keys_ = 0;
  std::size_t done_ = 0;                 // of the last claim
  std::vector<std::string> created_;     // and acknowledged
  std::string unanswered_;               // a batch, to be asked for again
  std::vector<std::string> their_keys_;  // of its tasks
};

// nullopt: the gateway is gone, or refused, which is in the log.
std::optional<json::value> Agent::Call(const std::string& tool, const std::string& arguments) {
  Answer answer;
  if (trigger_ != nullptr && trigger_->IsNow()) {
    tests::Exchange last = client_->BeginCall("orchestration_" + tool, arguments);
    trigger_->Pull();
    answer = last.Finish();
  } else {
    answer = client_->Call("orchestration_" + tool, arguments);
  }
  if (!answer.complete || answer.body.empty()) return std::nullopt;
  json::value content = answer.at("/result/structuredContent");
  if (content.is_null()) {
    Note({.what = kRefused, .words = tool + ": " + answer.body});
    return std::nullopt;
  }
  if (trigger_ != nullptr) trigger_->Answered();
  return content;
}

// What was not answered is asked for again, and what it had is gone on with.
bool Agent::TakeUp() {
  if (!unanswered_.empty() && !AskFor(unanswered_, std::exchange(their_keys_, {}))) return false;
  for (const char* status : {"assigned", "in_progress"}) {
    const auto has =
        Call("poll_tasks", "{" + who() + R"(,"limit":100,"status":")" + status + R"("})");
    if (!has) return false;
    for (const json::value& task : At(*has, "/tasks").as_array()) {
      const std::string id = TextAt(task, "/id");
      const auto fence = At(task, "/fence").to_number<std::int64_t>();
      Note({.what = kFoundAgain, .task = id, .fence = fence});
      if (!Do(id, fence, status == std::string("in_progress"), false)) return false;
    }
  }
  return true;
}

bool Agent::Create() {
  std::string tasks;
  std::vector<std::string> keys;
  for (std::uint64_t more = 1 + Below(3); more > 0; --more) {
    keys.push_back("key-" + std::to_string(number_) + "-" + std::to_string(++keys_));
    tasks += (tasks.empty() ? "" : ",") +
             (R"({"content":"x","max_attempts":100,"idempotency_key":")" + keys.back() + "\"}");
  }
  return AskFor(tasks, keys);
}

bool Agent::AskFor(const std::string& tasks, const std::vector<std::string>& keys) {
  unanswered_ = tasks;
  their_keys_ = keys;
  const auto made = Call("create_tasks", R"({"tasks":[)" + tasks + "]}");
  if (!made) return false;
  unanswered_.clear();
  const json::array ids = At(*made, "/task_ids").as_array();
  for (std::size_t i = 0; i < ids.size() && i < keys.size(); ++i) {
    created_.emplace_back(ids[i].as_string());
    Note({.what = kCreated, .task = created_.back(), .words = keys[i]});
  }
  return true;
}

bool Agent::ClaimAndDo(bool may_give_back) {
  const auto got = Call(
      "poll_tasks", "{" + who() + R"(,"claim":true,"limit":)" + std::to_string(1 + Below(3)) + "}");
  if (!got) return false;
  const json::array tasks = At(*got, "/tasks").as_array();
  done_ = tasks.size();
  for (const json::value& task : tasks) {
    Note({.what = kClaimed,
          .task = TextAt(task, "/id"),
          .fence = At(task, "/fence").to_number<std::int64_t>()});
  }
  for (const json::value& task : tasks) {
    const auto fence = At(task, "/fence").to_number<std::int64_t>();
    if (!Do(TextAt(task, "/id"), fence, false, may_give_back)) return false;
  }
  return true;
}

bool Agent::Do(const std::string& task, std::int64_t fence, bool started, bool may_give_back) {
  const std::string its =
      R"({"task_id":")" + task + "\"," + who() + R"(,"fence":)" + std::to_string(fence);
  if (!started && !Call("start_task", its + "}")) return false;
  if (may_give_back && Below(5) == 0) {
    Note({.what = kGivingBack, .task = task, .fence = fence});
    return Call("fail_task", its + R"(,"error":"later","should_retry":true})").has_value();
  }
  LogEntry entry{.what = kCompleting, .task = task, .fence = fence};
  entry.words = std::to_string(number_) + " under " + std::to_string(fence);
  Note(entry);
  if (!Call("complete_task", its + R"(,"result":")" + entry.words + "\"}")) return false;
  entry.what = kCompleted;
  Note(entry);
  return true;
}

void Agent::LookAt(const std::string& task) {
  const Answer answer =
      client_->Call("orchestration_get_task_status", R"({"task_id":")" + task + R"("})");
  const json::value content = answer.at("/result/structuredContent");
  Note({.what = kSaw,
        .task = task,
        .words = TextAt(content, "/result"),
        .status = TextAt(content, "/status")});
}

class OrchestrationUnderKill : public testing::Test {
 protected:
  OrchestrationUnderKill() {
    config_ = place_.Put("my.yaml", R"(listen: 127.0.0.1:0
servers: {}
log: {calls: false}
orchestration: {lease: 1h}
state: {dir: )" + place_.path() + "/state}\n");
    for (int i = 0; i < kAgents; ++i) agents_.emplace_back(i);
  }
  // When its service is there, too, on every worker: it listens before that.
  static std::uint16_t PortOf(Program& serve) {
    EXPECT_TRUE(serve.SaysErr("http://127.0.0.1:"));
    EXPECT_TRUE(serve.SaysErr("/mcp"));
    const std::string head = "http://127.0.0.1:";
    const std::size_t begin = serve.err().find(head) + head.size();
    const auto port = static_cast<std::uint16_t>(std::stoi(serve.err().substr(begin)));
    const GatewayUrl url{.text = head + std::to_string(port) + "/mcp"};
    const auto end = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      const Result<Fetched> ready = Get(url, "/readyz", kPatience);
      if (ready && ready->status == 200) return port;
      if (std::chrono::steady_clock::now() < end) continue;
      ADD_FAILURE() << "the service is not there; stderr: " << serve.err();
      return port;
    }
  }
  template <class Run>
  void AllAtOnce(Run run) {
    std::vector<std::jthread> threads;
    for (Agent& agent : agents_) threads.emplace_back([&agent, &run] { run(agent); });
  }

  const Workplace place_;
  std::string config_;
  std::vector<Agent> agents_;
};

TEST_F(OrchestrationUnderKill, LosesNothingThatWasAnsweredAndGivesNothingOutTwice) {
  FastRandom random(20'261'123);
  for (int round = 0; round < kRounds; ++round) {
    Program serve({"serve", "--config", config_});
    const std::uint16_t port = PortOf(serve);
    for (Agent& agent : agents_) {
      if (round == 0) ASSERT_TRUE(agent.Register(port));
    }
    Trigger trigger(serve, static_cast<int>(kAgents + random.Next() % 1500),
                    random.Next() % 2 == 0);
    AllAtOnce([&](Agent& agent) { agent.Work(port, trigger); });
    ASSERT_TRUE(trigger.pulled()) << "all agents were refused before it was killed";
    serve.Wait();
  }
  Program serve({"serve", "--config", config_});
  const std::uint16_t port = PortOf(serve);
  AllAtOnce([port](Agent& agent) { agent.Finish(port); });
  AllAtOnce([](Agent& agent) { agent.Look(); });
  agents_.front().Count();
  std::vector<AgentLog> logs;
  std::size_t claims = 0;
  for (const Agent& agent : agents_) {
    logs.push_back(agent.log());
    for (const LogEntry& entry : agent.log()) claims += entry.what == kClaimed ? 1 : 0;
  }
  EXPECT_THAT(tests::WhatIsWrong(logs), testing::IsEmpty());
  EXPECT_GT(claims, 500U) << "too little was done to prove anything";
}

}  // namespace
}  // namespace switchyard::cli
