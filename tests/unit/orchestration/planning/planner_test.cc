// decompose_task through a model: behind a URL, or the client's own.
#include "orchestration/planning/planner.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/planning/chat.h"
#include "orchestration/planning/sampling.h"
#include "orchestration/service.h"
#include "support/fake_fetcher.h"
#include "telemetry/metrics.h"
#include "unit/downstream/loop.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using downstream::Loop;
using ::testing::HasSubstr;
using tests::FakeFetcher;

constexpr const char* kTwo =
    R"({"parts":[{"content":"Draw","capabilities":["art"],"depends_on":[]},)"
    R"({"content":"Print","capabilities":[],"depends_on":[1]}]})";

std::string Completion(const std::string& words) {
  return json::serialize(json::object{
      {"choices",
       json::array{json::object{{"message", {{"content", words}}}, {"finish_reason", "stop"}}}}});
}
std::string Sampled(const std::string& words) {
  return json::serialize(json::object{
      {"role", "assistant"}, {"content", {{"type", "text"}, {"text", words}}}, {"model", "m"}});
}

class PlannerTest : public ::testing::Test {
 protected:
  ~PlannerTest() override { database->Close(); }  // what the desk asked of it is over then
  void Plans(bool sampling, bool url, std::size_t concurrency = 8) {
    Planners::Options options{.timeout = std::chrono::seconds(20), .concurrency = concurrency};
    if (sampling) options.planners.push_back(std::make_unique<const SamplingPlanner>());
    if (url) {
      options.planners.push_back(std::make_unique<const ChatPlanner>(
          ChatPlanner::Options{.url = config::Secret("https://m.example/v1/chat/completions"),
                               .model = "m1",
                               .key = config::Secret("k3y")},
          fetcher, loop.deps().clock, metrics));
    }
    Settings settings;
    settings.planners =
        std::make_shared<const Planners>(std::move(options), loop.deps().clock, metrics);
    desk->Change(std::move(settings));
  }
  Call CallOf(const std::string& tool, const std::string& arguments, const std::string& more = "") {
    const std::string name = std::string(kToolPrefix) + tool;
    Call call;
    call.message = mcp::Message::Make(
        "1", "tools/call", R"({"name":")" + name + R"(","arguments":)" + arguments + more + "}");
    call.target.name = name;
    call.client = client;
    call.deadline = deadline;
    return call;
  }
  json::value Ask(Call call) {
    Result<ReplyPtr> reply = loop.Run(service.Handle(call));
    if (!reply) return json::object{{"failed", reply.error().message}};
    auto next = loop.Run((*reply)->Next());
    return json::parse((*next)->result());
  }
  json::value Tool(const std::string& tool, const std::string& arguments,
                   const std::string& more = "") {
    json::value result = Ask(CallOf(tool, arguments, more));
    const json::value* const content = result.as_object().if_contains("structuredContent");
    return content == nullptr ? result : *content;
  }
  json::value Decompose(const std::string& more = "") {
    return Tool("decompose_task", R"({"task":"Make a poster")" + more + "}");
  }
  static std::shared_ptr<const Client> Able() {
    Client able;
    able.capabilities = R"({"sampling":{}})";
    return std::make_shared<const Client>(std::move(able));
  }
  // The only question of an answer: its key and its params.
  static std::pair<std::string, json::value> QuestionIn(const json::value& result) {
    const json::object& questions = result.at("inputRequests").as_object();
    EXPECT_EQ(questions.size(), 1U);
    EXPECT_EQ(questions.begin()->value().at("method"), json::value("sampling/createMessage"));
    return {std::string(questions.begin()->key()), questions.begin()->value().at("params")};
  }
  static std::string Answering(const std::string& key, const std::string& words) {
    return R"(,"inputResponses":{")" + key + R"(":)" + Sampled(words) + "}";
  }
  bool Counted(const std::string& planner, const std::string& outcome, int times) {
    return metrics.Serialize().contains("switchyard_orchestration_plans_total{planner=\"" +
                                        planner + "\",outcome=\"" + outcome + "\"} " +
                                        std::to_string(times) + "\n");
  }

  Loop loop;
  telemetry::Metrics metrics;
  FakeFetcher fetcher;
  std::shared_ptr<const Client> client = std::make_shared<const Client>();
  Deadline deadline;
  std::unique_ptr<store::SqliteDatabase> database =
      std::move(*store::SqliteDatabase::Open({}, Schema()));
  std::shared_ptr<Desk> desk =
      std::make_shared<Desk>(*database, loop.deps().clock, metrics, Settings());
  Service service{desk, loop.deps()};
};

TEST_F(PlannerTest, AModelBehindAUrlSplitsATask) {
  Plans(false, true);
  fetcher.Answers(Completion(kTwo));
  Tool("register_agent", R"({"agent_id":"a","capabilities":["art"]})");
  const json::value shown = Decompose();
  EXPECT_EQ(shown.at("planned_by"), json::value("model"));
  EXPECT_EQ(shown.at("found"), json::value("plan"));
  EXPECT_EQ(json::serialize(shown.at("subtasks")),
            R"([{"ref":"1","content":"Draw","requirements":["art"]},)"
            R"({"ref":"2","content":"Print","depends_on":["1"]}])");
  EXPECT_EQ(Tool("get_queue_metrics", "{}").at("pending"), json::value(0)) << "it only looked";
  ASSERT_EQ(fetcher.asked.size(), 1U);
  EXPECT_EQ(fetcher.asked[0].headers.back().value, "Bearer k3y");
  EXPECT_THAT(fetcher.asked[0].body, HasSubstr("Make a poster"));
  EXPECT_EQ(fetcher.asked[0].max_bytes, kMostAnswer);
  EXPECT_TRUE(fetcher.asked[0].own_time) << "models take longer than issuers";
  const json::value made = Decompose(R"(,"create":true)");
  EXPECT_EQ(made.at("parent"), json::value("task_00000001"));
  EXPECT_EQ(Tool("get_task_status", R"({"task_id":"task_00000003"})").at("waits_for"),
            json::value(1));
  EXPECT_EQ(Tool("get_task_status", R"({"task_id":"task_00000001"})").at("waits_for"),
            json::value(1));
  EXPECT_TRUE(Counted("url", "planned", 2)) << metrics.Serialize();
}

TEST_F(PlannerTest, IsToldOnceWhatWasWrong) {
  Plans(false, true);
  fetcher.Answers([this](const fetch::Request&) -> Result<fetch::Response> {
    const bool first = fetcher.asked.size() == 1;
    return fetch::Response{.status = 200, .body = Completion(first ? "Sure! Here:" : kTwo)};
  });
  EXPECT_EQ(Decompose().at("planned_by"), json::value("model"));
  ASSERT_EQ(fetcher.asked.size(), 2U);
  EXPECT_THAT(fetcher.asked[1].body, HasSubstr("Your last answer was refused: it is no JSON"));
  EXPECT_EQ(fetcher.deadlines[0].at(), fetcher.deadlines[1].at()) << "one time for both";
  EXPECT_TRUE(Counted("url", "unusable", 1));
}

TEST_F(PlannerTest, WithoutAPlanTheStructureSplitsAndSaysWhy) {
  Plans(false, true);
  const std::string list = R"({"task":"- Draw\n- Print"})";
  const std::vector<std::pair<FakeFetcher::Answer, std::string>> faults = {
      {[](const auto&) -> Result<fetch::Response> {
         return fetch::Response{.status = 200, .body = Completion(R"({"parts":7})")};
       },
       "the planner gave no plan: it must be an object with parts, a list, and nothing else"},
      {[](const auto&) -> Result<fetch::Response> {
         return fetch::Response{.status = 500, .body = "secret words"};
       },
       "the planner cannot be reached"},
      {[](const auto&) -> Result<fetch::Response> {
         return Failure(Code::kForbidden, Origin::kGateway, "10.0.0.1 is not allowed");
       },
       "the planner cannot be reached"},
      {[](const auto&) -> Result<fetch::Response> {
         return Failure(Code::kDeadline, Origin::kServer, "late");
       },
       "the planner gave no answer in time"}};
  for (const auto& [answer, why] : faults) {
    fetcher.Answers(answer);
    const json::value got = Tool("decompose_task", list);
    EXPECT_EQ(got.at("planned_by"), json::value("structure"));
    EXPECT_EQ(got.at("reason"), json::value(why));
    EXPECT_EQ(got.at("found"), json::value("list"));
    EXPECT_EQ(got.at("subtasks").as_array().size(), 2U);
  }
  EXPECT_EQ(fetcher.asked.size(), 5U) << "what cannot be reached is not asked twice";
}

TEST_F(PlannerTest, LeavesTimeForTheRecords) {
  Plans(false, true);
  deadline = loop.In(std::chrono::seconds(5));
  Decompose();
  ASSERT_EQ(fetcher.deadlines.size(), 1U);
  EXPECT_EQ(fetcher.deadlines[0].at(), loop.In(std::chrono::seconds(4)).at());
}

TEST_F(PlannerTest, IsAskedOnlyWhereSomethingCanComeOfIt) {
  Plans(false, true);
  fetcher.Answers(Completion(kTwo));
  Tool("create_task", R"({"content":"x"})");
  Tool("cancel_task", R"({"task_id":"task_00000001"})");
  const json::value over = Tool("decompose_task", R"({"task_id":"task_00000001","create":true})");
  EXPECT_EQ(over.at("isError"), json::value(true));
  EXPECT_EQ(Tool("decompose_task", R"({"task_id":"task_00000009"})").at("isError"),
            json::value(true));
  EXPECT_EQ(Decompose(R"(,"planner":"structure")").at("found"), json::value("nothing"));
  const std::string much(kMostPlanned + 1, 'x');
  EXPECT_THAT(json::serialize(Tool("decompose_task", R"({"task":")" + much + R"("})")),
              HasSubstr("longer than the 65536 bytes"));
  EXPECT_EQ(fetcher.asked.size(), 0U);
}

TEST_F(PlannerTest, NoTransactionIsOpenMeanwhileAndATaskThatChangedIsNotSplit) {
  Plans(false, true);
  Tool("create_task", R"({"content":"Make a poster"})");
  fetcher.Answers(Completion(kTwo));
  fetcher.wait = [this]() -> switchyard::Task<void> {
    Call call = CallOf("update_task", R"({"task_id":"task_00000001","content":"Make a cake"})");
    const Result<ReplyPtr> done = co_await service.Handle(call);
    EXPECT_TRUE(done);
  };
  const json::value got = Tool("decompose_task", R"({"task_id":"task_00000001","create":true})");
  EXPECT_THAT(json::serialize(got), HasSubstr("task task_00000001 changed while it was planned"));
  EXPECT_EQ(Tool("get_queue_metrics", "{}").at("pending"), json::value(1));
}

TEST_F(PlannerTest, OnlySoManyArePlannedAtATime) {
  Plans(false, true, 1);
  fetcher.Answers(Completion(kTwo));
  json::value second;
  fetcher.wait = [&]() -> switchyard::Task<void> {
    Call call = CallOf("decompose_task", R"({"task":"- Draw\n- Print"})");
    Result<ReplyPtr> reply = co_await service.Handle(call);
    auto next = co_await (*reply)->Next();
    second = json::parse((*next)->result());
  };
  EXPECT_EQ(Decompose().at("planned_by"), json::value("model"));
  EXPECT_EQ(second.at("structuredContent").at("reason"), json::value("the planner is busy"));
  fetcher.wait = nullptr;
  EXPECT_EQ(Decompose().at("planned_by"), json::value("model")) << "the place is free again";
}

TEST_F(PlannerTest, TheClientsModelIsAskedBySampling) {
  Plans(true, false);
  client = Able();
  const json::value asked = Decompose();
  EXPECT_EQ(asked.at("resultType"), json::value("input_required"));
  EXPECT_FALSE(asked.as_object().contains("requestState"));
  const auto [key, params] = QuestionIn(asked);
  EXPECT_THAT(json::serialize(params.at("messages")), HasSubstr("Make a poster"));
  EXPECT_THAT(json::serialize(params.at("systemPrompt")), HasSubstr("You split a task"));
  EXPECT_TRUE(params.at("maxTokens").is_int64());
  const std::string task = R"({"task":"Make a poster","create":true})";
  const json::value made = Tool("decompose_task", task, Answering(key, kTwo));
  EXPECT_EQ(made.at("planned_by"), json::value("model"));
  EXPECT_EQ(made.at("subtasks").as_array().size(), 2U);
  EXPECT_TRUE(Counted("sampling", "asked", 1) && Counted("sampling", "planned", 1));
}

TEST_F(PlannerTest, TheClientsModelIsToldOnceWhatWasWrong) {
  Plans(true, false);
  client = Able();
  const std::string task = R"({"task":"- Draw\n- Print"})";
  const std::string first = QuestionIn(Tool("decompose_task", task)).first;
  const auto [key, params] =
      QuestionIn(Tool("decompose_task", task, Answering(first, "as you wish")));
  EXPECT_NE(key, first);
  EXPECT_THAT(json::serialize(params.at("systemPrompt")), HasSubstr("was refused: it is no JSON"));
  EXPECT_EQ(Tool("decompose_task", task, Answering(key, kTwo)).at("planned_by"),
            json::value("model"));
  const json::value given_up = Tool("decompose_task", task, Answering(key, "as you wish"));
  EXPECT_EQ(given_up.at("planned_by"), json::value("structure"));
  EXPECT_EQ(given_up.at("subtasks").as_array().size(), 2U);
}

TEST_F(PlannerTest, AnAnswerToAnotherQuestionIsNone) {
  Plans(true, false);
  client = Able();
  const std::string key = QuestionIn(Decompose()).first;
  const json::value other =
      Tool("decompose_task", R"({"task":"Make a cake"})", Answering(key, kTwo));
  EXPECT_EQ(other.at("resultType"), json::value("input_required"));
  for (const char* broken :
       {R"(,"inputResponses":null)", R"(,"inputResponses":7)", R"(,"inputResponses":{})"}) {
    EXPECT_EQ(Tool("decompose_task", R"({"task":"Make a poster"})", broken).at("resultType"),
              json::value("input_required"));
  }
}

TEST_F(PlannerTest, AQuestionThatIsGivenUpDoesNothing) {
  Plans(false, true);
  fetcher.Answers(Completion(kTwo));
  Call call = CallOf("decompose_task", R"({"task":"Make a poster","create":true})");
  call.forsaken = true;
  EXPECT_TRUE(loop.Run(service.Handle(call)));
  EXPECT_EQ(fetcher.asked.size(), 0U);
  EXPECT_EQ(Tool("get_queue_metrics", "{}").at("pending"), json::value(0));
}

TEST_F(PlannerTest, WhoCannotBeAskedGetsTheNextOne) {
  Plans(true, true);
  fetcher.Answers(Completion(kTwo));
  EXPECT_EQ(Decompose().at("planned_by"), json::value("model"));
  EXPECT_EQ(fetcher.asked.size(), 1U);
  client = Able();
  EXPECT_EQ(Decompose().at("resultType"), json::value("input_required"));
  EXPECT_EQ(fetcher.asked.size(), 1U);
  Plans(true, false);
  client = nullptr;
  EXPECT_EQ(Decompose().at("reason"), json::value("this client offers no sampling"));
}

TEST_F(PlannerTest, WithoutOneNothingIsSaidOfIt) {
  EXPECT_FALSE(Decompose().as_object().contains("planned_by"));
  EXPECT_EQ(Decompose(R"(,"planner":"model")").at("reason"),
            json::value("no planner is configured"));
}

TEST_F(PlannerTest, WhatItSeesNothingInIsNotSplit) {
  Plans(false, true);
  fetcher.Answers(Completion(R"({"parts":[]})"));
  EXPECT_EQ(json::serialize(Decompose()),
            R"({"found":"nothing","planned_by":"model","subtasks":[]})");
  EXPECT_THAT(json::serialize(Decompose(R"(,"create":true)")),
              HasSubstr("the planner sees nothing to split"));
}

// An answer that was lost is asked for again; a model may say something else by then.
TEST_F(PlannerTest, ARepeatedCallGivesWhatWasMadeAndAsksNobody) {
  Plans(false, true);
  fetcher.Answers(Completion(kTwo));
  Tool("create_task", R"({"content":"Make a poster"})");
  for (const std::string of : {R"({"task":"Make a poster")", R"({"task_id":"task_00000001")"}) {
    const std::string call =
        of + R"(,"create":true,"idempotency_key":"k)" + std::to_string(of.size()) + "\"}";
    fetcher.asked.clear();
    fetcher.Answers(Completion(kTwo));
    json::value made = Tool("decompose_task", call);
    EXPECT_EQ(made.at("planned_by"), json::value("model"));
    const json::value all = Tool("get_queue_metrics", "{}").at("pending");
    fetcher.Answers(Completion(R"({"parts":[]})"));
    made.as_object().erase("planned_by");
    made.as_object()["found"] = "before";
    EXPECT_EQ(Tool("decompose_task", call), made);
    EXPECT_EQ(fetcher.asked.size(), 1U);
    EXPECT_EQ(Tool("get_queue_metrics", "{}").at("pending"), all);
  }
  Tool("cancel_task", R"({"task_id":"task_00000001"})");
  EXPECT_TRUE(
      Tool("decompose_task", R"({"task_id":"task_00000001","create":true,"idempotency_key":"k26"})")
          .as_object()
          .contains("parent"))
      << "its parts are there, although it is over";
  const json::value other =
      Tool("decompose_task", R"({"task":"Make a cake","create":true,"idempotency_key":"k23"})");
  EXPECT_THAT(json::serialize(other), HasSubstr("which asked for something else"));
  EXPECT_EQ(fetcher.asked.size(), 1U);
}

TEST_F(PlannerTest, OfTwoCallsWithOneKeyThatArePlannedAtOnceTheFirstOneMakesTheParts) {
  Plans(false, true);
  const std::string call = R"({"task":"Make a poster","create":true,"idempotency_key":"k"})";
  int answered = 0;
  fetcher.Answers([&answered](const fetch::Request&) -> Result<fetch::Response> {
    const bool first = answered++ == 0;
    return fetch::Response{.status = 200, .body = Completion(first ? kTwo : R"({"parts":[]})")};
  });
  fetcher.wait = [&]() -> switchyard::Task<void> {
    if (fetcher.asked.size() > 1) co_return;
    Call again = CallOf("decompose_task", call);
    const Result<ReplyPtr> done = co_await service.Handle(again);
    EXPECT_TRUE(done);
  };
  const json::value got = Tool("decompose_task", call);
  EXPECT_EQ(fetcher.asked.size(), 2U);
  EXPECT_EQ(got.at("subtasks").as_array().size(), 2U) << json::serialize(got);
  EXPECT_EQ(Tool("get_queue_metrics", "{}").at("pending"), json::value(3));
}

}  // namespace
}  // namespace switchyard::orchestration
