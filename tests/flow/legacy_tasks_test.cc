// What only legacy clients know of tasks (L-TASK), over servers of both eras (protocol.md 6.5-G).
#include "flow/tasks.h"

namespace switchyard::tests {
namespace {

class LegacyTasks : public TaskMatrix {};
INSTANTIATE_TEST_SUITE_P(All, LegacyTasks,
                         ::testing::Combine(::testing::Values(Era::kLegacy),
                                            ::testing::Values(Kind::kHttp, Kind::kChild),
                                            ::testing::Values(Era::kModern, Era::kLegacy)),
                         NameOf);

TEST_P(LegacyTasks, ALegacySessionListsItsOwn) {
  EXPECT_EQ(client->Request({.method = "tasks/list"}).at("/result"), Parse(R"({"tasks":[]})"));
  const std::string first = Start("job", "x");
  const std::string second = Start("flop", "y");
  Status(second);
  const Answer list = client->Request({.method = "tasks/list"});
  EXPECT_EQ(Each(list.at("/result/tasks"), "taskId"), (std::vector<std::string>{first, second}))
      << list;
  EXPECT_EQ(TextAt(list.message(), "/result/tasks/1/status"), "failed");
  EXPECT_EQ(client->Request({.method = "tasks/list", .members = R"("cursor":"x")"}).code(), -32602);
  const std::unique_ptr<Client> other = NewClient();
  EXPECT_EQ(other->Request({.method = "tasks/list"}).at("/result"), Parse(R"({"tasks":[]})"));
}

TEST_P(LegacyTasks, TheResultIsWaitedForByLegacyClients) {
  const std::string id = Start("job", "x");
  Exchange waiting =
      client->Begin({.method = "tasks/result", .members = R"("taskId":)" + Quote(id)});
  EXPECT_EQ(Status(id), "working");
  Release("x");
  const Answer answer = waiting.Finish();
  EXPECT_EQ(answer.text(), "done x") << answer;
  EXPECT_EQ(TextAt(answer.message(), kRelated), id);
}

TEST_P(LegacyTasks, ToWaitForTheResultAndGiveUpCancelsNothing) {
  const std::string id = Start("job", "x");
  Exchange waiting =
      client->Begin({.method = "tasks/result", .members = R"("taskId":)" + Quote(id)});
  EXPECT_EQ(Status(id), "working");
  client->Cancel(waiting);
  EXPECT_EQ(waiting.Finish().body, "");
  EXPECT_EQ(Status(id), "working");
  Release("x");
  EXPECT_TRUE(Becomes(id, "completed"));
}

// The legacy dialect promises a task to whoever asks for one; a modern server decides itself.
TEST_P(LegacyTasks, AnAnswerAtOnceBecomesATaskForLegacyClients) {
  if (server_era() == Era::kLegacy) {
    const Answer refused = client->Request(
        {.method = "tools/call", .members = R"("name":"a__quick","arguments":{},"task":{})"});
    EXPECT_EQ(refused.code(), -32601) << refused;
    return;
  }
  const std::string id = Start("quick", "x");
  EXPECT_EQ(Status(id), "completed");
  const Answer answer = About(id, "tasks/result");
  EXPECT_EQ(answer.text(), "at once x") << answer;
  EXPECT_EQ(TextAt(answer.message(), kRelated), id);
  EXPECT_FALSE(answer.body.contains("resultType"));
  EXPECT_EQ(About(id, "tasks/cancel").code(), -32602);
}

TEST_P(LegacyTasks, OlderRevisionsKnowNone) {
  LegacyClient older(gateway.port(), "/mcp", "2025-06-18");
  EXPECT_TRUE(older.initialized().at("/result/capabilities/tasks").is_null());
  EXPECT_EQ(older.Request({.method = "tasks/list"}).code(), -32601);
  const Answer answer =
      older.Request({.method = "tools/call",
                     .members = R"("name":"a__job","arguments":{"label":"x"},"task":{"ttl":1})"});
  EXPECT_EQ(answer.text(), "at once x") << answer;
}

}  // namespace
}  // namespace switchyard::tests
