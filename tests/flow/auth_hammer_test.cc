// Callers who hammer the ids of one of them, all at once: tasks, questions that wait, approvals,
// pages of results, agents. For the thread sanitizer as much as for what it sees. (Sessions:
// auth_test.cc; one after the other, with what exactly is answered: auth_foreign_test.cc.)
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/admin.h"
#include "support/fake_tasks.h"
#include "support/gateway_fixture.h"
#include "support/questions.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

constexpr int kCallers = 3, kRounds = 15;
constexpr const char* kOffers = R"({"roots":{},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
const std::string kSecret = "of user-0 alone";

Ask ToolCall(const std::string& tool, const std::string& arguments, const std::string& more = "") {
  return {.method = "tools/call",
          .members = R"("name":")" + tool + R"(","arguments":)" + arguments + more,
          .id = "1"};  // the same of all
}

class HammeredIds : public ::testing::TestWithParam<Era> {
 protected:
  void SetUp() override {
    AddTasks(fake.surface(), GetParam());
    fake.surface().AddTool("wipe", [this](Turn& turn) {
      ++wiped;
      turn.Text("wiped");
    });
    fake.surface().AddTool("long", [](Turn& turn) {
      std::string text;
      for (int i = 0; i < 300; ++i) text += "line " + std::to_string(i) + " " + kSecret + "\n";
      turn.Text(text);
    });
    gateway.Serves("a", fake)
        .With("auth", "{issuers: [" + issuer.Config("audience: [gateway]") + "]}")
        .With("admin", std::string("{token: ") + kAdminToken + "}")
        .With("orchestration", "{}")
        .With("policies",
              "{result_cap: {max_bytes: 1KiB}, approval: {hold: 0s, rules: [{name: wipes, tool: "
              "wipe}]}}")
        .Start();
  }
  ~HammeredIds() override { gateway.Stop(); }

  ModernClient As(int user) const {
    ModernClient client(gateway.port(), "/mcp", issuer.Token("user-" + std::to_string(user)));
    client.set_capabilities(kOffers);
    return client;
  }
  // What each caller does, again and again; the owner is user 0. Says whether all was well.
  void Hammer(const std::function<bool(Client&, bool mine)>& turn) const {
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int user = 0; user < kCallers; ++user) {
      threads.emplace_back([&, user] {
        ModernClient client = As(user);
        for (int i = 0; i < kRounds; ++i) {
          if (!turn(client, user == 0)) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
  }
  static std::string ApprovalOf(const Answer& answer) {
    return TextAt(answer.message(), "/result/_meta/switchyard~1approval/id");
  }

  std::atomic<int> wiped{0};
  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  TokenIssuer issuer;
  Gateway gateway;
};

// Of the server.
INSTANTIATE_TEST_SUITE_P(Server, HammeredIds, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(HammeredIds, OfATaskShowAndEndItForItsCallerAlone) {
  ModernClient owner = As(0);
  const Answer begun = owner.Request(ToolCall("a__must", R"({"label":")" + kSecret + "\"}"));
  const std::string id = TextAt(begun.message(), "/result/taskId");
  ASSERT_FALSE(id.empty()) << begun;
  const auto about = [&id](Client& client, const std::string& method) {
    return client.Request({.method = method, .members = R"("taskId":)" + Quote(id), .id = "1"});
  };
  Hammer([&](Client& client, bool mine) {
    const Answer got = about(client, "tasks/get");
    if (mine) return TextAt(got.message(), "/result/status") == "working";
    const Answer cancelled = about(client, "tasks/cancel");
    const Answer result = about(client, "tasks/result");
    return got.code() != 0 && cancelled.code() != 0 && result.code() != 0 &&
           !got.Contains(kSecret) && !result.Contains(kSecret);
  });
  EXPECT_EQ(TextAt(about(owner, "tasks/get").message(), "/result/status"), "working");
  about(owner, "tasks/cancel");
}

TEST_P(HammeredIds, OfAQuestionLetItsCallerAnswerAlone) {
  ModernClient owner = As(0);
  const std::string arguments = R"({"method":"roots/list","params":{}})";
  const Answer asked = owner.Request(ToolCall("a__ask", arguments));
  ASSERT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  const json::value requests = asked.at("/result/inputRequests");
  const std::string key(requests.as_object().begin()->key());
  const Ask retry = ToolCall("a__ask", arguments,
                             R"(,"inputResponses":{")" + key +
                                 R"(":{"roots":[{"uri":"file:///r"}]}},"requestState":)" +
                                 Quote(TextAt(asked.message(), "/result/requestState")));
  std::atomic<int> answered{0};
  Hammer([&](Client& client, bool mine) {
    const Answer answer = client.Request(retry);
    const bool ran = answer.text().find("file:///r") != std::string::npos;
    if (ran) ++answered;
    return mine || !ran;
  });
  EXPECT_EQ(answered, 1) << "once, whoever else tried";
}

TEST_P(HammeredIds, OfAnApprovalAreOfOneCaller) {
  ModernClient owner = As(0);
  const Ask wipe = ToolCall("a__wipe", R"({"label":"x"})");
  const std::string id = ApprovalOf(owner.Request(wipe));
  ASSERT_FALSE(id.empty());
  Hammer([&](Client& client, bool mine) {
    const std::string got = ApprovalOf(client.Request(wipe));
    return !got.empty() && (got == id) == mine;
  });
  EXPECT_EQ(wiped, 0);
  const Answer decided =
      AskAdmin(gateway, "POST /admin/approvals/" + id, R"({"decision":"approve"})", kAsAdmin);
  ASSERT_EQ(decided.status, 200) << decided;
  std::atomic<int> ran{0}, stolen{0};
  Hammer([&](Client& client, bool mine) {
    if (client.Request(wipe).text() == "wiped") ++(mine ? ran : stolen);
    return true;
  });
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(stolen, 0);
  EXPECT_EQ(wiped, 1);
}

TEST_P(HammeredIds, OfTheRestOfAResultAreOfOneCaller) {
  ModernClient owner = As(0);
  const Answer cut = owner.Request(ToolCall("a__long", "{}"));
  const std::string handle = TextAt(cut.message(), "/result/_meta/switchyard~1cut/handle");
  ASSERT_FALSE(handle.empty()) << cut;
  Hammer([&](Client& client, bool mine) {
    const Answer page = client.Request(
        ToolCall("switchyard_read_result", R"({"handle":")" + handle + "\",\"page\":2}"));
    return page.Contains(kSecret) == mine;
  });
}

// Tasks are one queue for all; who acts as an agent is another matter.
TEST_P(HammeredIds, OfAnAgentSpeakForWhoRegisteredIt) {
  ModernClient owner = As(0);
  for (const char* agent : {"agent-0", "agent-1"}) {
    owner.Call("orchestration_register_agent",
               R"({"agent_id":")" + std::string(agent) + R"(","capabilities":["x"]})");
  }
  const Answer sent = owner.Call(
      "orchestration_send_message",
      R"({"sender_id":"agent-1","recipient_id":"agent-0","content":")" + kSecret + "\"}");
  ASSERT_NE(sent.at("/result/isError"), true) << sent;
  const std::string task = TextAt(
      owner.Call("orchestration_create_task", R"({"content":"c","task_type":"t"})").message(),
      "/result/structuredContent/task_id");
  owner.Call("orchestration_assign_task", R"({"task_id":")" + task + R"(","agent_id":"agent-0"})");
  Hammer([&](Client& client, bool mine) {
    if (mine)
      return client.Call("orchestration_get_agent_health", R"({"agent_id":"agent-0"})").code() == 0;
    const Answer read = client.Call("orchestration_read_messages", R"({"agent_id":"agent-0"})");
    const Answer polled = client.Call("orchestration_poll_tasks", R"({"agent_id":"agent-0"})");
    const Answer said = client.Call(
        "orchestration_send_message",
        R"({"sender_id":"agent-0","recipient_id":"agent-1","content":"not from agent-0"})");
    return !read.Contains(kSecret) && read.at("/result/isError") == true &&
           polled.at("/result/isError") == true && said.at("/result/isError") == true;
  });
  const Answer read = owner.Call("orchestration_read_messages", R"({"agent_id":"agent-0"})");
  EXPECT_TRUE(read.Contains(kSecret)) << read;
  EXPECT_FALSE(owner.Call("orchestration_read_messages", R"({"agent_id":"agent-1"})")
                   .Contains("not from agent-0"));
}

}  // namespace
}  // namespace switchyard::tests
