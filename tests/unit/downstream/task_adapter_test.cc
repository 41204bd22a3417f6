// A legacy server's tasks in the form of the extension; end to end in flow/tasks_test.cc.
#include "downstream/task_adapter.h"

#include <gtest/gtest.h>

#include "support/json.h"
#include "unit/core/support.h"
#include "unit/downstream/server_fixture.h"

namespace switchyard::downstream {
namespace {

using switchyard::testing::ClientWho;
using tests::At;
using tests::Parse;
using tests::TextAt;

const std::string kOffers =
    R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{"requests":{"tools":)"
    R"({"call":{}}}}},"serverInfo":{"name":"old"}})";
const std::string kWaits = R"({"taskId":"t","status":"input_required","ttl":5})";

class TaskAdapterTest : public DownstreamTest {
 protected:
  void Serves(Scripts scripts) {
    scripts["server/discover"] = Refuses(-32601);
    scripts["initialize"] = Gives(kOffers);
    Answers(std::move(scripts));
    Connect();
  }
  Call& About(const std::string& method, const std::string& more = "",
              const std::string& capabilities = R"({"elicitation":{}})") {
    Call& call = NewCall(method, R"({"taskId":"sealed")" + more + "}");
    call.client = ClientWho(mcp::kModern, Tasks::kAccepted, capabilities);
    call.target.name = "t";
    return call;
  }
  // While time passes, for the answer may wait for questions.
  tests::json::value Answer(Call& call) {
    std::optional<Result<ReplyPtr>> reply;
    switchyard::Spawn(
        loop_.deps().executor(), "call",
        [](Downstream& server, Call& own, std::optional<Result<ReplyPtr>>& out) -> Task<void> {
          Result<ReplyPtr> got = co_await server.Handle(own);
          out = std::move(got);
        }(*server_, call, reply));
    EXPECT_TRUE(loop_.RunUntilWithTime([&] { return reply.has_value(); }));
    return Parse(Next(*reply));
  }
  std::string IdOf(const std::string& method) {
    return std::string(wire_.Last(method)->message.id());
  }
  std::string Question(const std::string& id, const std::string& task = "t") {
    return R"({"jsonrpc":"2.0","id":")" + id +
           R"(","method":"elicitation/create","params":{"message":"who?","_meta":)"
           R"({"io.modelcontextprotocol/related-task":{"taskId":")" +
           task + R"("}}}})";
  }
  std::vector<std::string> Responses() {
    std::vector<std::string> texts;
    for (const Sent& sent : wire_.sent) {
      if (sent.message.is_response()) texts.push_back(sent.text());
    }
    return texts;
  }
};

TEST_F(TaskAdapterTest, TheServersOwnIdGoesOut) {
  Serves({{"tasks/get", Gives(R"({"taskId":"t","status":"working","ttl":5})")}});
  const auto answer = Answer(About("tasks/get"));
  EXPECT_EQ(TextAt(answer, "/result/status"), "working") << answer;
  EXPECT_EQ(At(answer, "/result/ttlMs"), 5);
  EXPECT_EQ(At(Parse(wire_.Last("tasks/get")->text()), "/params"), Parse(R"({"taskId":"t"})"));
}

TEST_F(TaskAdapterTest, OfATaskThatEndedTheOutcomeIsFetchedAndPutIn) {
  Serves(
      {{"tasks/get", Gives(R"({"taskId":"t","status":"failed","ttl":5})")},
       {"tasks/result",
        Gives(
            R"({"isError":true,"n":1.50,"_meta":{"io.modelcontextprotocol/related-task":{}}})")}});
  const auto result = Answer(About("tasks/get"));
  EXPECT_EQ(TextAt(result, "/result/status"), "completed") << result;
  EXPECT_EQ(At(result, "/result/result"),
            Parse(R"({"isError":true,"n":1.50,"resultType":"complete"})"));
  Serves({{"tasks/get", Gives(R"({"taskId":"t","status":"failed","ttl":5})")},
          {"tasks/result", Gives(R"({"resultType":"input_required"})")}});
  EXPECT_EQ(At(Answer(About("tasks/get")), "/result/result"),
            Parse(R"({"resultType":"complete"})"));
  Serves({{"tasks/get", Gives(R"({"taskId":"t","status":"failed","ttl":5})")},
          {"tasks/result", Refuses(-32002)}});
  const auto error = Answer(About("tasks/get"));
  EXPECT_EQ(TextAt(error, "/result/status"), "failed") << error;
  EXPECT_EQ(At(error, "/result/error/code"), -32602);  // as modern clients know it
}

TEST_F(TaskAdapterTest, AQuestionOnTheResultStreamIsShownAndAnsweredThere) {
  Serves({{"tasks/get", Gives(kWaits)}});
  EXPECT_EQ(TextAt(Answer(About("tasks/get")), "/result/status"), "working");  // none yet
  wire_.open[IdOf("tasks/result")]->Put(Question("q1"));
  loop_.RunReady();
  const auto asks = Answer(About("tasks/get"));
  EXPECT_EQ(TextAt(asks, "/result/status"), "input_required") << asks;
  EXPECT_EQ(wire_.Count("tasks/result"), 1);  // one stream for all polls
  const auto requests = At(asks, "/result/inputRequests");
  ASSERT_EQ(requests.as_object().size(), 1u);
  const std::string key(requests.as_object().begin()->key());
  EXPECT_EQ(requests.as_object().begin()->value(),
            Parse(R"({"method":"elicitation/create","params":{"mode":"form",)"
                  R"("message":"[x] who?"}})"));
  const std::string more =
      R"(,"inputResponses":{"unknown":{},")" + key + R"(":{"action":"accept"}})";
  EXPECT_EQ(At(Answer(About("tasks/update", more)), "/result"),
            Parse(R"({"resultType":"complete"})"));
  loop_.RunReady();
  EXPECT_EQ(Responses(), std::vector<std::string>{
                             R"({"jsonrpc":"2.0","id":"q1","result":{"action":"accept"}})"});
  Answer(About("tasks/update", more));  // answered once
  EXPECT_EQ(Responses().size(), 1u);
}

TEST_F(TaskAdapterTest, OnASharedChannelAQuestionBelongsToTheTaskThatItNames) {
  Serves({{"tasks/get", Gives(kWaits)}});
  Answer(About("tasks/get"));
  wire_.unsolicited(*mcp::Message::Parse(Question("q1")));
  wire_.unsolicited(*mcp::Message::Parse(Question("q2", "another")));
  loop_.RunReady();
  EXPECT_EQ(Responses().size(), 1u);  // refused, for nobody waits for that task
  EXPECT_TRUE(Responses()[0].contains(R"("id":"q2","error")"));
  EXPECT_EQ(TextAt(Answer(About("tasks/get")), "/result/status"), "input_required");
}

TEST_F(TaskAdapterTest, WhatTheClientCannotBeAskedIsRefusedInItsName) {
  Serves({{"tasks/get", Gives(kWaits)}});
  Answer(About("tasks/get"));
  wire_.open[IdOf("tasks/result")]->Put(Question("q1"));
  loop_.RunReady();
  EXPECT_EQ(TextAt(Answer(About("tasks/get", "", "{}")), "/result/status"), "working");
  loop_.RunReady();
  ASSERT_EQ(Responses().size(), 1u);
  EXPECT_TRUE(Responses()[0].contains(R"("id":"q1","result":{"action":"decline"})"));
}

TEST_F(TaskAdapterTest, KeysAreNeverUsedTwice) {
  Serves({{"tasks/get", Gives(kWaits)}});
  Answer(About("tasks/get"));
  std::set<std::string> keys;
  for (const char* id : {"q1", "q2"}) {
    wire_.open[IdOf("tasks/result")]->Put(Question(id));
    loop_.RunReady();
    const auto requests = At(Answer(About("tasks/get")), "/result/inputRequests");
    ASSERT_EQ(requests.as_object().size(), 1u);
    const std::string key(requests.as_object().begin()->key());
    EXPECT_TRUE(keys.insert(key).second);
    Answer(About("tasks/update", R"(,"inputResponses":{")" + key + R"(":{"action":"decline"}})"));
  }
}

TEST_F(TaskAdapterTest, AnAnswerThatIsNoneIsRefusedAndTheQuestionStaysOpen) {
  Serves({{"tasks/get", Gives(kWaits)}});
  Answer(About("tasks/get"));
  wire_.open[IdOf("tasks/result")]->Put(Question("q1"));
  loop_.RunReady();
  const auto requests = At(Answer(About("tasks/get")), "/result/inputRequests");
  const std::string key(requests.as_object().begin()->key());
  for (const char* answer :
       {"7", "{}", R"({"action":"maybe"})", R"({"action":"accept","_meta":7})"}) {
    const Result<ReplyPtr> refused =
        Handle(About("tasks/update", R"(,"inputResponses":{")" + key + "\":" + answer + "}"));
    ASSERT_FALSE(refused) << answer;
    EXPECT_EQ(refused.error().code, Code::kInvalid);
    EXPECT_TRUE(refused.error().message.contains(key)) << refused.error().message;
  }
  loop_.RunReady();
  EXPECT_TRUE(Responses().empty());
  EXPECT_EQ(At(Answer(About("tasks/get")), "/result/inputRequests"), requests);
}

TEST_F(TaskAdapterTest, AFloodOfQuestionsIsRefused) {
  Serves({{"tasks/get", Gives(kWaits)}});
  Answer(About("tasks/get"));
  for (int i = 0; i < 20; ++i) {
    wire_.open[IdOf("tasks/result")]->Put(Question("q" + std::to_string(i)));
  }
  loop_.RunReady();
  EXPECT_EQ(Responses().size(), 20u - TaskAdapter::kMaxQuestions);
}

TEST_F(TaskAdapterTest, AStreamThatBrokeIsOpenedAgain) {
  Serves({{"tasks/get", Gives(kWaits)}});
  Answer(About("tasks/get"));
  wire_.open[IdOf("tasks/result")]->Break({.code = Code::kUnavailable, .message = "cut"});
  loop_.RunReady();
  Answer(About("tasks/get"));
  EXPECT_EQ(wire_.Count("tasks/result"), 2);
}

TEST_F(TaskAdapterTest, ATaskThatNobodyAsksForIsLetGoOf) {
  Serves({{"tasks/get", Gives(kWaits)}});
  Answer(About("tasks/get"));
  const std::shared_ptr<Feed> stream = wire_.open[IdOf("tasks/result")];
  stream->Put(Question("q1"));
  loop_.RunReady();
  for (int minute = 0; minute < 12; ++minute) loop_.Pass(std::chrono::minutes(1));
  EXPECT_TRUE(stream->dropped);
  ASSERT_EQ(Responses().size(), 1u);
  EXPECT_TRUE(Responses()[0].contains(R"("id":"q1","error")"));
}

TEST_F(TaskAdapterTest, CancellingIsAcknowledgedWhateverTheServerSaysOfIt) {
  Serves({{"tasks/get", Gives(kWaits)}, {"tasks/cancel", Refuses(-32602)}});
  EXPECT_EQ(At(Answer(About("tasks/cancel")), "/result"), Parse(R"({"resultType":"complete"})"));
  EXPECT_EQ(wire_.Count("tasks/cancel"), 1);
  Serves({{"tasks/get", Gives(R"({"taskId":"t","status":"completed"})")}});
  EXPECT_EQ(At(Answer(About("tasks/cancel")), "/result"), Parse(R"({"resultType":"complete"})"));
  EXPECT_EQ(wire_.Count("tasks/cancel"), 0);
}

TEST_F(TaskAdapterTest, AnUnknownTaskIsUnknownToEveryMethod) {
  Serves({{"tasks/get", Refuses(-32602)}});
  for (const char* method : {"tasks/get", "tasks/update", "tasks/cancel"}) {
    EXPECT_EQ(At(Answer(About(method, R"(,"inputResponses":{})")), "/error/code"), -32602);
  }
}

TEST_F(TaskAdapterTest, ACallBecomesATaskWhereItsToolAndItsClientSaySo) {
  Serves({{"tools/call", Gives(R"({"task":{"taskId":"t","status":"working","ttl":null}})")}});
  Definition tool{.kind = ItemKind::kTool,
                  .server = "x",
                  .name = "slow",
                  .exposed = "slow",
                  .json = "{}",
                  .annotations = {},
                  .tasks = TaskSupport::kRequired};
  const auto call = [&](TaskSupport support, Tasks tasks, mcp::Version version,
                        const std::string& more) {
    tool.tasks = support;
    Call& made = NewCall("tools/call", R"({"name":"slow")" + more + "}");
    made.client = ClientWho(version, tasks);
    made.target = {.server = "x", .name = "slow", .definition = &tool, .pin = nullptr};
    const auto answer = Answer(made);
    const auto sent = At(Parse(wire_.Last("tools/call")->text()), "/params/task");
    return std::pair(tests::json::serialize(sent), TextAt(answer, "/result/resultType"));
  };
  const auto modern = mcp::kModern;
  const auto legacy = mcp::kNewestLegacy;
  const std::string wish = R"(,"task":{"ttl":7})";
  using Seen = std::pair<std::string, std::string>;
  EXPECT_EQ(call(TaskSupport::kRequired, Tasks::kAccepted, modern, ""), Seen("{}", "task"));
  EXPECT_EQ(call(TaskSupport::kRequired, Tasks::kAccepted, modern, wish), Seen("{}", "task"));
  EXPECT_EQ(call(TaskSupport::kOptional, Tasks::kWanted, legacy, wish),
            Seen(R"({"ttl":7})", "task"));
  EXPECT_EQ(call(TaskSupport::kOptional, Tasks::kAccepted, modern, wish), Seen("null", "complete"));
  EXPECT_EQ(call(TaskSupport::kRequired, Tasks::kNone, modern, wish), Seen("null", "complete"));
  EXPECT_EQ(call(TaskSupport::kNone, Tasks::kNone, legacy, wish), Seen("null", "complete"));
}

class ModernTasksTest : public DownstreamTest {
 protected:
  std::string Call(Tasks tasks, const std::string& method = "tools/call",
                   const std::string& more = "") {
    switchyard::Call& call = NewCall(method, R"({"name":"slow")" + more + "}");
    call.client = ClientWho(version, tasks);
    Result<ReplyPtr> reply = Handle(call);
    return Next(reply);
  }
  const std::string created =
      R"({"resultType":"task","taskId":"t","status":"working","ttlMs":null})";
  const std::string discovered =
      R"({"supportedVersions":["2026-07-28"],"capabilities":{"extensions":)"
      R"({"io.modelcontextprotocol/tasks":{}}}})";
  mcp::Version version = mcp::kModern;
};

TEST_F(ModernTasksTest, ATaskIsTakenOnlyOfCallsThatDeclaredTheExtension) {
  Modern({{"server/discover", Gives(discovered)},
          {"tools/call", Gives(created)},
          {"prompts/get", Gives(created)}});
  EXPECT_TRUE(Call(Tasks::kAccepted).contains(R"("resultType":"task")"));
  EXPECT_TRUE(wire_.Last("tools/call")->text().contains("io.modelcontextprotocol/tasks"));
  EXPECT_TRUE(Call(Tasks::kNone).contains("unknown resultType"));
  EXPECT_FALSE(wire_.Last("tools/call")->text().contains("io.modelcontextprotocol/tasks"));
  EXPECT_TRUE(Call(Tasks::kAccepted, "prompts/get").contains("unknown resultType"));
}

TEST_F(ModernTasksTest, ATaskOfAServerThatOffersNoneIsRefused) {
  Modern({{"tools/call", Gives(created)}});
  EXPECT_TRUE(Call(Tasks::kAccepted).contains("unknown resultType"));
}

TEST_F(ModernTasksTest, ALegacyClientsWishGoesOutAsTheCapabilityAlone) {
  Modern({{"server/discover", Gives(discovered)}, {"tools/call", Gives(created)}});
  version = mcp::kNewestLegacy;
  Call(Tasks::kWanted, "tools/call", R"(,"task":{"ttl":1})");
  const auto sent = Parse(wire_.Last("tools/call")->text());
  EXPECT_TRUE(At(sent, "/params/task").is_null()) << sent;
  EXPECT_TRUE(At(sent,
                 "/params/_meta/io.modelcontextprotocol~1clientCapabilities/extensions/"
                 "io.modelcontextprotocol~1tasks")
                  .is_object())
      << sent;
}

}  // namespace
}  // namespace switchyard::downstream
