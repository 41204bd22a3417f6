// What a task asks its caller, in every combination of eras: of a modern client in tasks/get, of a
// legacy one on the stream of tasks/result (protocol.md 6.5-F, G; L-TASK), and what a tool asks
// that insists on being a task while its call is held.
#include "flow/tasks.h"
#include "support/legacy_session.h"

namespace switchyard::tests {
namespace {

constexpr const char* kAda = R"({"action":"accept","content":{"name":"Ada"}})";

class TaskQuestions : public TaskMatrix {
 protected:
  void SetUp() override {
    TaskMatrix::SetUp();
    if (client->modern()) return;
    client = std::make_unique<LegacyClient>(Declaring(gateway.port(), R"({"elicitation":{}})"));
  }
  Exchange BeginResult(const std::string& id) {
    return client->Begin({.method = "tasks/result", .members = R"("taskId":)" + Quote(id)});
  }
  // The question that comes next on a stream to a legacy client.
  static std::string QuestionOn(Exchange& stream) {
    const std::string question = stream.NextEvent().value_or("");
    EXPECT_EQ(TextAt(Parse(question), "/method"), "elicitation/create") << question;
    EXPECT_TRUE(TextAt(Parse(question), "/params/message").ends_with("who?")) << question;
    return question;
  }
  void Say(const std::string& question, std::string_view answer) {
    EXPECT_EQ(client->Post(AnswerTo(question, answer), {}).status, 202);
  }
};
INSTANTIATE_TEST_SUITE_P(All, TaskQuestions, AllCombinations(), NameOf);

TEST_P(TaskQuestions, AreAskedAndTheAnswerEndsTheTask) {
  const std::string id = Start("inquire", "x");
  ASSERT_TRUE(Becomes(id, "input_required"));
  if (client->modern()) {
    const json::value requests = Get(id).at("/result/inputRequests");
    ASSERT_TRUE(requests.is_object() && requests.as_object().size() == 1) << requests;
    const std::string key = requests.as_object().begin()->key();
    const Answer told =
        About(id, "tasks/update", R"(,"inputResponses":{)" + Quote(key) + ":" + kAda + "}");
    EXPECT_EQ(told.code(), 0) << told;
    ASSERT_TRUE(Becomes(id, "completed"));
    const Answer done = Get(id);
    EXPECT_EQ(Parse(TextAt(done.message(), "/result/result/content/0/text")), Parse(kAda)) << done;
    EXPECT_TRUE(done.at("/result/inputRequests").is_null())
        << "what was answered is gone: " << done;
    return;
  }
  Exchange result = BeginResult(id);
  const std::string question = QuestionOn(result);
  EXPECT_EQ(TextAt(Parse(question), "/params/_meta/io.modelcontextprotocol~1related-task/taskId"),
            id)
      << question;
  Say(question, kAda);
  const Answer done = result.Finish();
  EXPECT_EQ(Parse(done.text()), Parse(kAda)) << done;
  EXPECT_EQ(TextAt(done.message(), kRelated), id);
  EXPECT_EQ(Status(id), "completed");
}

TEST_P(TaskQuestions, AreAskedAgainOfALegacyClientThatGaveUpWaiting) {
  if (client->modern()) return;  // tasks/get shows them as long as they are open
  const std::string id = Start("inquire", "x");
  ASSERT_TRUE(Becomes(id, "input_required"));
  Exchange first = BeginResult(id);
  QuestionOn(first);
  client->Cancel(first);
  Exchange second = BeginResult(id);
  Say(QuestionOn(second), kAda);
  EXPECT_EQ(Parse(second.Finish().text()), Parse(kAda));
}

TEST_P(TaskQuestions, AreAskedOfACallThatIsHeldForItsTask) {
  if (client->modern() && server_era() == Era::kModern) return;  // the client was told to take it
  if (client->modern()) {
    auto& modern = static_cast<ModernClient&>(*client);
    modern.set_capabilities(R"({"elicitation":{"form":{}}})");
    const std::string members = R"("name":"a__inquire","arguments":{"label":"x"})";
    const Answer asked = client->Request({.method = "tools/call", .members = members});
    ASSERT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
    const std::string key = asked.at("/result/inputRequests").as_object().begin()->key();
    const Answer done =
        client->Request({.method = "tools/call",
                         .members = members + R"(,"inputResponses":{)" + Quote(key) + ":" + kAda +
                                    R"(},"requestState":)" +
                                    Quote(TextAt(asked.message(), "/result/requestState"))});
    EXPECT_EQ(Parse(done.text()), Parse(kAda)) << done;
    return;
  }
  Exchange call = client->BeginCall("a__inquire", R"({"label":"x"})");
  Say(QuestionOn(call), kAda);
  EXPECT_EQ(Parse(call.Finish().text()), Parse(kAda));
}

}  // namespace
}  // namespace switchyard::tests
