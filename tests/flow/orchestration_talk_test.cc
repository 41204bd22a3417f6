// Agents that talk through a whole gateway: messages, sessions, requests for help.
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
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
using ::testing::Not;

constexpr const char* kKey = "orchestration test key, 32 bytes";

class OrchestrationTalk : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys = "{}") {
    gateway.GoesBy(clock).With("orchestration", keys).Start();
  }
  static std::string Hex(std::string_view bytes) {
    std::ostringstream text;
    for (const char c : bytes) text << std::hex << static_cast<int>(c);
    return text.str();
  }
  std::unique_ptr<Client> NewClient(const std::string& token = "") const {
    return gateway.ClientOf(GetParam(), "/mcp", token);
  }
  static json::value Call(Client& client, const std::string& tool, const std::string& arguments) {
    const Answer answer = client.Call("orchestration_" + tool, arguments);
    EXPECT_EQ(answer.status, 200) << answer;
    return answer.at("/result/structuredContent");
  }
  static void Register(Client& client, const std::string& agent) {
    Call(client, "register_agent", R"({"agent_id":")" + agent + R"(","capabilities":["x"]})");
  }
  static std::vector<std::string> Read(Client& client, const std::string& agent) {
    return Each(At(Call(client, "read_messages", R"({"limit":100,"agent_id":")" + agent + "\"}"),
                   "/messages"),
                "content");
  }

  LeapingClock clock;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, OrchestrationTalk, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(OrchestrationTalk, AgentsMeetAskAndAnswer) {
  Start();
  const auto client = NewClient();
  for (const char* agent : {"lead", "a", "b"}) Register(*client, agent);
  const std::string session = TextAt(
      Call(*client, "create_collaboration_session",
           R"({"title":"Paper","participant_model_ids":["a","b"],"coordinator_model_id":"lead"})"),
      "/session_id");
  Call(*client, "send_message",
       R"({"sender_id":"a","content":"hello","session_id":")" + session + "\"}");
  EXPECT_EQ(Read(*client, "b"), (std::vector<std::string>{"Paper", "hello"}));
  const std::string request =
      TextAt(Call(*client, "request_assistance",
                  R"({"requesting_agent_id":"a","task_description":"how?","target_agent_id":"b"})"),
             "/request_id");
  clock.Advance(std::chrono::seconds(2));  // gauges are as of the last second
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_sessions_open 1"));
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_assistance_open 1"));
  Call(*client, "respond_to_assistance",
       R"({"agent_id":"b","response":"so","request_id":")" + request + "\"}");
  EXPECT_EQ(Read(*client, "a"), (std::vector<std::string>{"Paper", request + ": so"}));
  Call(*client, "evaluate_contribution",
       R"({"evaluating_agent_id":"a","contributing_agent_id":"b","score":1,"contribution_ref":")" +
           request + "\"}");
  clock.Advance(std::chrono::seconds(2));
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_messages_sent_total 6"));
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_messages_read_total 4"));
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_assistance_open 0"));
}

TEST_P(OrchestrationTalk, AFloodIsThrottledAndSaysWhenToGoOn) {
  Start("{messages: {limit: 2, window: 10s}}");
  const auto client = NewClient();
  Register(*client, "a");
  Register(*client, "b");
  const std::string message = R"({"sender_id":"a","recipient_id":"b","content":"x"})";
  for (int i = 0; i < 2; ++i) Call(*client, "send_message", message);
  const Answer refused = client->Call("orchestration_send_message", message);
  EXPECT_THAT(refused.text(), HasSubstr("agent a sent 2 messages within 10 s, the most it may"));
  EXPECT_THAT(refused.text(), HasSubstr("the next one in 10 s"));
  EXPECT_TRUE(Shows(gateway, "switchyard_orchestration_messages_throttled_total 1"));
  clock.Advance(std::chrono::seconds(11));
  EXPECT_EQ(TextAt(Call(*client, "send_message", message), "/status"), "queued");
}

TEST_P(OrchestrationTalk, ManyAgentsTalkAtOnceAndEachMessageIsReadOnce) {
  constexpr int kAgents = 6;
  constexpr int kEach = 20;
  Start("{messages: {limit: 10000}}");
  std::vector<std::vector<std::string>> read(kAgents);
  {
    const auto client = NewClient();
    for (int i = 0; i < kAgents; ++i) Register(*client, "agent" + std::to_string(i));
  }
  const auto talk = [&](int self) {
    const auto client = NewClient();
    const std::string name = "agent" + std::to_string(self);
    for (int i = 0; i < kEach; ++i) {
      const std::string to = "agent" + std::to_string((self + 1 + i % (kAgents - 1)) % kAgents);
      Call(*client, "send_message",
           R"({"sender_id":")" + name + R"(","recipient_id":")" + to + R"(","content":")" + name +
               ":" + std::to_string(i) + "\"}");
      if (i % 5 != 0) continue;
      // Two read the same inbox at once.
      for (const int whose : {self, (self + 1) % kAgents}) {
        for (std::string& content : Read(*client, "agent" + std::to_string(whose))) {
          read[static_cast<std::size_t>(self)].push_back(std::move(content));
        }
      }
    }
  };
  {
    std::vector<std::jthread> agents;
    for (int i = 0; i < kAgents; ++i) agents.emplace_back(talk, i);
  }
  std::multiset<std::string> all;
  for (const auto& mine : read) all.insert(mine.begin(), mine.end());
  const auto client = NewClient();
  for (int i = 0; i < kAgents; ++i) {
    for (std::string& content : Read(*client, "agent" + std::to_string(i))) {
      all.insert(std::move(content));
    }
  }
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kAgents * kEach));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size()) << "read twice";
}

TEST_P(OrchestrationTalk, ConfidentialMessagesAreOnNoDiskAndSurviveARestartAndANewKey) {
  const TempDir directory;
  gateway.With("state", "{dir: " + directory.path() + "}");
  const std::string old = Hex(kKey), fresh(64, 'c');
  Start("{keys: [" + old + "]}");
  {
    const auto client = NewClient();
    Register(*client, "a");
    Register(*client, "b");
    Call(*client, "send_message",
         R"({"sender_id":"a","recipient_id":"b","content":"it is swordfish","confidential":true})");
  }
  gateway.Stop();
  for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_THAT(bytes, Not(HasSubstr("swordfish"))) << file.path();
  }
  gateway.With("orchestration", "{keys: [" + fresh + ", " + old + "]}").Start();
  EXPECT_EQ(Read(*NewClient(), "b"), std::vector<std::string>{"it is swordfish"});
  gateway.Stop();
}

TEST_P(OrchestrationTalk, ABadKeyKeepsTheGatewayFromGoingOn) {
  Start();
  gateway.With("orchestration", "{keys: [my-password]}");
  const Result<void> refused = gateway.TryReload();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("orchestration.keys[0]: must be 32 random bytes"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("my-password")));
}

}  // namespace
}  // namespace switchyard::tests
