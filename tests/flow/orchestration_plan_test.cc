// decompose_task through a model, in a whole gateway: behind a URL, and the client's own.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/legacy_session.h"
#include "support/metrics_page.h"
#include "support/web_site.h"

namespace switchyard::tests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTool = "orchestration_decompose_task";
constexpr const char* kPlan =
    R"({"parts":[{"content":"Draw","capabilities":["art"],"depends_on":[]},)"
    R"({"content":"Print","capabilities":[],"depends_on":[1]}]})";
constexpr const char* kTask = R"({"task":"Make a poster","create":true})";
constexpr const char* kList = R"({"task":"- Draw\n- Print"})";
constexpr const char* kSampling = R"({"sampling":{}})";

std::string Completion(const std::string& words) {
  return R"({"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":)" +
         Quote(words) + R"(},"finish_reason":"stop"}]})";
}
std::string Sampled(const std::string& words) {
  return R"({"role":"assistant","model":"m","content":{"type":"text","text":)" + Quote(words) +
         "}}";
}
json::value ContentOf(const Answer& answer) { return answer.at("/result/structuredContent"); }

class PlansByUrl : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& more = "", const std::string& allow = "[127.0.0.1]") {
    gateway.With("fetch", "{timeout: 100ms, allow: " + allow + "}")
        .With("orchestration", "{planner: {url: '" + site.Url("/v1/chat/completions") +
                                   "', model: m1, key: k3y" + more + "}}")
        .Start();
  }
  Answer Call(const std::string& arguments, const std::string& tool = kTool) {
    return gateway.ClientOf(GetParam())->Call(tool, arguments);
  }

  WebSite site;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, PlansByUrl, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(PlansByUrl, AModelSplitsAndThePartsBecomeTasks) {
  site.Set("/v1/chat/completions", Completion(kPlan));
  Start();
  Call(R"({"agent_id":"a","capabilities":["art"]})", "orchestration_register_agent");
  const json::value made = ContentOf(Call(kTask));
  EXPECT_EQ(TextAt(made, "/planned_by"), "model");
  EXPECT_THAT(Each(At(made, "/subtasks"), "task_id"),
              ElementsAre("task_00000002", "task_00000003"));
  EXPECT_EQ(TextAt(made, "/subtasks/0/requirements/0"), "art");
  ASSERT_EQ(site.requests().size(), 1U);
  const WebSite::Request asked = site.requests()[0];
  EXPECT_EQ(asked.method, "POST");
  EXPECT_THAT(asked.headers, HasSubstr("Bearer k3y"));
  const json::value body = Parse(asked.body);
  EXPECT_EQ(TextAt(body, "/model"), "m1");
  EXPECT_EQ(TextAt(body, "/response_format/type"), "json_schema");
  EXPECT_THAT(TextAt(body, "/messages/0/content"), Not(HasSubstr("poster")));
  EXPECT_THAT(TextAt(body, "/messages/1/content"), HasSubstr(R"("task":"Make a poster")"));
  EXPECT_TRUE(
      Shows(gateway, R"(switchyard_orchestration_plans_total{planner="url",outcome="planned"} 1)"));
}

TEST_P(PlansByUrl, WhatAModelSaysBesidesAPlanIsNotDone) {
  site.Set("/v1/chat/completions",
           Completion(R"({"parts":[{"content":"a","assigned_to":"mallory"},{"content":"b"}]})"));
  Start();
  const Answer answer = Call(kList);
  EXPECT_EQ(TextAt(ContentOf(answer), "/planned_by"), "structure") << answer;
  EXPECT_EQ(TextAt(ContentOf(answer), "/found"), "list");
  EXPECT_THAT(TextAt(ContentOf(answer), "/reason"), HasSubstr("part 1: may have content"));
  EXPECT_FALSE(answer.Contains("mallory"));
  EXPECT_EQ(site.requests().size(), 2U);
}

TEST_P(PlansByUrl, WithoutAnAnswerInTimeTheStructureSplits) {
  site.Set("/v1/chat/completions", WebSite::Page{.silent = true});
  Start(", timeout: 200ms");
  EXPECT_EQ(TextAt(ContentOf(Call(kList)), "/reason"), "the planner gave no answer in time");
}

TEST_P(PlansByUrl, AnAnswerWithoutEndIsCutOff) {
  site.Set("/v1/chat/completions", Completion(std::string(600'000, 'x')));
  Start();
  EXPECT_EQ(TextAt(ContentOf(Call(kList)), "/reason"), "the planner cannot be reached");
}

TEST_P(PlansByUrl, APlaceInsideIsReachedOnlyWhereThatIsAllowed) {
  site.Set("/v1/chat/completions", Completion(kPlan));
  Start("", "[]");
  const Answer answer = Call(kList);
  EXPECT_EQ(TextAt(ContentOf(answer), "/reason"), "the planner cannot be reached");
  EXPECT_FALSE(answer.Contains("127.0.0.1")) << answer;
  EXPECT_EQ(site.requests().size(), 0U);
}

TEST_P(PlansByUrl, PoliciesApplyBeforeAnythingIsAsked) {
  site.Set("/v1/chat/completions", Completion(kPlan));
  gateway.With("policies", "{rate_limit: {limits: [{name: few, rate: 1/h, per: tool}]}}");
  Start();
  Call(kTask);
  const std::size_t before = site.requests().size();
  for (int i = 0; i < 3; ++i) Call(kTask);
  EXPECT_EQ(site.requests().size(), before);
}

class PlansBySampling : public ::testing::Test {
 protected:
  PlansBySampling() { gateway.With("orchestration", "{planner: {sampling: true}}").Start(); }
  static std::string Key(const Answer& asked) {
    const json::value requests = asked.at("/result/inputRequests");
    if (!requests.is_object() || requests.as_object().empty()) return "";
    return requests.as_object().begin()->key();
  }
  static Answer Call(ModernClient& client, const std::string& arguments,
                     const std::string& more = "") {
    return client.Request(
        {.method = "tools/call",
         .members = R"("name":")" + std::string(kTool) + R"(","arguments":)" + arguments + more});
  }
  static std::string Back(const Answer& asked, const std::string& words) {
    return R"(,"inputResponses":{")" + Key(asked) + R"(":)" + Sampled(words) + "}";
  }

  Gateway gateway;
};

TEST_F(PlansBySampling, AModernClientAnswersWithItsRetry) {
  ModernClient client = gateway.Modern();
  client.set_capabilities(kSampling);
  const Answer asked = Call(client, kTask);
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  const std::string at = "/result/inputRequests/" + Key(asked);
  EXPECT_EQ(TextAt(asked.message(), at + "/method"), "sampling/createMessage");
  EXPECT_THAT(TextAt(asked.message(), at + "/params/messages/0/content/text"),
              HasSubstr("Make a poster"));
  const Answer again = Call(client, kTask, Back(asked, "no JSON"));
  EXPECT_THAT(
      TextAt(again.message(), "/result/inputRequests/" + Key(again) + "/params/systemPrompt"),
      HasSubstr("Your last answer was refused"));
  const Answer made = Call(client, kTask, Back(again, kPlan));
  EXPECT_EQ(TextAt(made.message(), "/result/resultType"), "complete") << made;
  EXPECT_EQ(TextAt(ContentOf(made), "/planned_by"), "model");
  EXPECT_EQ(TextAt(ContentOf(made), "/subtasks/1/task_id"), "task_00000003");
}

TEST_F(PlansBySampling, ALegacyClientIsAskedWithinItsCall) {
  for (const char* version : {"2025-11-25", "2025-06-18", "2025-03-26"}) {
    LegacyClient client = Declaring(gateway.port(), kSampling, version);
    Exchange call = client.BeginCall(kTool, kTask);
    const std::string question = call.NextEvent().value_or("");
    EXPECT_EQ(TextAt(Parse(question), "/method"), "sampling/createMessage") << question;
    EXPECT_EQ(client.Post(AnswerTo(question, Sampled("no JSON")), {}).status, 202);
    const std::string again = call.NextEvent().value_or("");
    EXPECT_THAT(TextAt(Parse(again), "/params/systemPrompt"),
                HasSubstr("Your last answer was refused"));
    EXPECT_EQ(client.Post(AnswerTo(again, Sampled(kPlan)), {}).status, 202);
    const Answer made = call.Finish();
    const bool text_alone = std::string_view(version) < "2025-06-18";
    EXPECT_THAT(made.text(),
                HasSubstr(text_alone ? R"("planned_by":"model")" : "2 subtasks by plan"))
        << made;
  }
}

TEST_F(PlansBySampling, ALegacyClientWhoseModelGivesNoPlanGetsTheStructure) {
  LegacyClient client = Declaring(gateway.port(), kSampling);
  Exchange call = client.BeginCall(kTool, kList);
  for (int round = 0; round < 2; ++round) {
    const std::string question = call.NextEvent().value_or("");
    EXPECT_EQ(client.Post(AnswerTo(question, Sampled("no JSON")), {}).status, 202);
  }
  const Answer split = call.Finish();
  EXPECT_EQ(TextAt(ContentOf(split), "/planned_by"), "structure") << split;
  EXPECT_THAT(TextAt(ContentOf(split), "/reason"), HasSubstr("the planner gave no plan"));
}

TEST_F(PlansBySampling, WhoOffersNoneGetsTheStructureAndIsToldSo) {
  for (const Era era : {Era::kModern, Era::kLegacy}) {
    const Answer split = gateway.ClientOf(era)->Call(kTool, kList);
    EXPECT_EQ(TextAt(ContentOf(split), "/reason"), "this client offers no sampling") << split;
    EXPECT_EQ(TextAt(ContentOf(split), "/found"), "list");
  }
}

TEST_F(PlansBySampling, WhoRefusesCanHaveTheStructure) {
  LegacyClient client = Declaring(gateway.port(), kSampling);
  Exchange call = client.BeginCall(kTool, kList);
  const std::string question = call.NextEvent().value_or("");
  const std::string refusal = R"({"jsonrpc":"2.0","id":)" +
                              json::serialize(At(Parse(question), "/id")) +
                              R"(,"error":{"code":-1,"message":"User rejected sampling"}})";
  EXPECT_EQ(client.Post(refusal, {}).status, 202);
  const Answer refused = call.Finish();
  EXPECT_EQ(refused.at("/result/isError"), json::value(true)) << refused;
  const Answer split = client.Call(kTool, R"({"task":"- Draw\n- Print","planner":"structure"})");
  EXPECT_EQ(TextAt(ContentOf(split), "/found"), "list");
}

}  // namespace
}  // namespace switchyard::tests
