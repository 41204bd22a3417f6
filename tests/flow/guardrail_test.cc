// guardrail in a whole gateway: what must not leave does not, and what must not come back neither;
// clients of both eras, servers of both eras.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Made up, and apart, lest scanners of this repository take them for real ones.
const std::string kAws = std::string("AK") + "IAQ4ZK7XW2NB5TJH3M";
const std::string kGithub = std::string("gh") + "p_16C7e42F292c6912E7710c838347Ae178B4a";

class Guardrail : public ::testing::TestWithParam<Era> {
 protected:
  Guardrail() {
    for (FakeServer* fake : {&modern, &legacy}) {
      fake->surface().AddTool("leak", [this](Turn& turn) { turn.Result(result); });
      fake->surface().AddTool("whisper", [](Turn& turn) {
        turn.Notify("notifications/progress",
                    R"("progressToken":)" +
                        json::serialize(turn.param("_meta").at("progressToken")) +
                        R"(,"progress":1,"message":"key )" + kAws + '"');
        turn.Progress(2, 2);
        turn.Text("done");
      });
    }
  }
  void Start(const std::string& policies) {
    gateway.Serves("m", modern).Serves("l", legacy).With("policies", policies).Start();
  }
  void StartGuarded(const std::string& guardrail) { Start("{guardrail: " + guardrail + "}"); }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }
  std::size_t calls() const {
    return modern.received("tools/call").size() + legacy.received("tools/call").size();
  }

  std::string result = R"("content":[{"type":"text","text":"key )" + kAws +
                       R"(, write to ada@example.com"}],"structuredContent":{"k":[")" + kAws +
                       R"("]})";
  FakeServer modern = FakeServer::Modern("m"), legacy = FakeServer::Legacy("l");
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Guardrail, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Guardrail, DeniedArgumentsNeverReachAServer) {
  StartGuarded("{arguments: {secrets: deny}}");
  for (const std::string server : {"m", "l"}) {
    const Answer answer =
        NewClient()->Call(server + "__echo", R"({"text":"see \u0041)" + kAws.substr(1) + R"("})");
    EXPECT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.at("/result/isError"), true) << answer;
    EXPECT_THAT(answer.text(), HasSubstr(server + "__echo was not called"));
    EXPECT_THAT(answer.text(), HasSubstr("aws_key at /arguments/text"));
    EXPECT_FALSE(answer.Contains(kAws.substr(1))) << answer;
    EXPECT_TRUE(
        Shows(gateway, R"(switchyard_guardrail_total{server=")" + server +
                           R"(",direction="arguments",detector="aws_key",action="denied"} 1)"));
  }
  EXPECT_EQ(calls(), 0U);
  const Answer prompt = NewClient()->Request(
      {.method = "prompts/get",
       .members = R"("name":"m__greet","arguments":{"who":")" + kAws + R"("})"});
  EXPECT_NE(prompt.code(), 0) << prompt;
  EXPECT_EQ(prompt.at("/error/data/guardrail/findings/0/at"), json::value("/arguments/who"));
  EXPECT_EQ(NewClient()->Call("m__echo", R"({"text":"fine"})").text(), "fine");
}

TEST_P(Guardrail, RedactedArgumentsGoOnWithoutWhatWasFound) {
  StartGuarded("{arguments: {secrets: redact}}");
  for (const char* tool : {"m__echo", "l__echo"}) {
    EXPECT_EQ(NewClient()->Call(tool, R"({"text":"a )" + kAws + R"( b","n":1.50})").text(),
              "a [redacted:aws_key] b");
  }
  for (const FakeServer* fake : {&modern, &legacy}) {
    ASSERT_EQ(fake->received("tools/call").size(), 1U);
    EXPECT_THAT(fake->received("tools/call")[0].body, Not(HasSubstr(kAws)));
    EXPECT_THAT(fake->received("tools/call")[0].body, HasSubstr(R"("n":1.50)"));
  }
}

TEST_P(Guardrail, ResultsComeWithoutWhatWasFound) {
  StartGuarded("{results: {secrets: redact}}");
  for (const std::string server : {"m", "l"}) {
    const Answer answer = NewClient()->Call(server + "__leak");
    EXPECT_EQ(answer.text(), "key [redacted:aws_key], write to ada@example.com") << answer;
    EXPECT_EQ(answer.at("/result/structuredContent/k/0"), json::value("[redacted:aws_key]"));
    EXPECT_TRUE(
        Shows(gateway, R"(switchyard_guardrail_total{server=")" + server +
                           R"(",direction="result",detector="aws_key",action="redacted"} 2)"));
  }
}

TEST_P(Guardrail, PromptsResourcesAndErrorsAreLookedAtToo) {
  StartGuarded("{results: {secrets: redact}}");
  for (FakeServer* fake : {&modern, &legacy}) {
    fake->surface().OnMethod("prompts/get", [](Turn& turn) {
      turn.Result(R"("messages":[{"role":"user","content":{"type":"text","text":")" + kAws +
                  R"("}}])");
    });
    fake->surface().OnMethod("resources/read", [](Turn& turn) {
      turn.Error(-32000, "no access with " + kAws, R"({"used":")" + kAws + R"("})");
    });
  }
  for (const std::string server : {"m", "l"}) {
    const auto client = NewClient();
    const Answer prompt = client->Request(
        {.method = "prompts/get", .members = R"("name":")" + server + R"(__greet")"});
    EXPECT_EQ(prompt.at("/result/messages/0/content/text"), json::value("[redacted:aws_key]"))
        << prompt;
  }
  const auto client = NewClient();
  for (const std::string& uri : client->List("resources/list", "resources", "uri")) {
    const Answer error =
        client->Request({.method = "resources/read", .members = R"("uri":")" + uri + '"'});
    EXPECT_NE(error.code(), 0) << error;
    EXPECT_TRUE(error.Contains("no access with [redacted:aws_key]")) << error;
    EXPECT_FALSE(error.Contains(kAws)) << error;
  }
}

TEST_P(Guardrail, SoAreNotificationsOnTheWay) {
  StartGuarded("{results: {secrets: redact}}");
  const Answer answer = NewClient()->Call("m__whisper", "{}", R"("progressToken":"p")");
  EXPECT_EQ(answer.text(), "done");
  ASSERT_EQ(answer.events.size(), 2U);
  EXPECT_EQ(TextAt(Parse(answer.events[0]), "/params/message"), "key [redacted:aws_key]");
}

TEST_P(Guardrail, ADeniedNotificationIsLeftOutAndADeniedResultWithheld) {
  StartGuarded("{results: {secrets: deny}}");
  const Answer whispered = NewClient()->Call("m__whisper", "{}", R"("progressToken":"p")");
  EXPECT_EQ(whispered.text(), "done");
  EXPECT_EQ(whispered.events.size(), 1U);
  for (const char* tool : {"m__leak", "l__leak"}) {
    const Answer answer = NewClient()->Call(tool);
    EXPECT_EQ(answer.at("/result/isError"), true) << answer;
    EXPECT_THAT(answer.text(), HasSubstr("its answer was withheld"));
    EXPECT_THAT(answer.text(), HasSubstr("aws_key at /content/0/text and 1 more"));
    EXPECT_FALSE(answer.Contains(kAws)) << answer;
  }
}

TEST_P(Guardrail, WhatTheCacheKeptIsJudgedByThePresentSettings) {
  const std::string cache = "cache: {ttl: 1h, allow: [leak]}";
  Start("{" + cache + "}");
  EXPECT_THAT(NewClient()->Call("m__leak").text(), HasSubstr(kAws));
  gateway.With("policies", "{" + cache + ", guardrail: {results: {secrets: redact}}}").Reload();
  EXPECT_THAT(NewClient()->Call("m__leak").text(), HasSubstr("[redacted:aws_key]"));
  EXPECT_THAT(NewClient()->Call("m__leak").text(), Not(HasSubstr(kAws)));
  EXPECT_EQ(modern.received("tools/call").size(), 1U);
}

TEST_P(Guardrail, WhatIsCutAndKeptForLaterIsRedactedBefore) {
  result = R"("content":[{"type":"text","text":")" + std::string(1010, 'x') + " " + kAws + " " +
           std::string(2000, 'y') + " " + kGithub + R"("}])";
  Start("{result_cap: {max_bytes: 1KiB}, guardrail: {results: {secrets: redact}}}");
  const auto client = NewClient();
  const Answer first = client->Call("m__leak");
  std::string all = first.body;
  const std::string handle = TextAt(first.message(), "/result/_meta/switchyard~1cut/handle");
  ASSERT_FALSE(handle.empty()) << first;
  for (int page = 2; page < 6; ++page) {
    all += client
               ->Call("switchyard_read_result",
                      R"({"handle":")" + handle + R"(","page":)" + std::to_string(page) + "}")
               .body;
  }
  EXPECT_THAT(all, HasSubstr("[redacted:github_token]"));
  EXPECT_THAT(all, Not(HasSubstr(kGithub.substr(10))));
  EXPECT_THAT(all, Not(HasSubstr(kAws.substr(0, 12))));
}

TEST_P(Guardrail, ANearerLevelSaysOtherwise) {
  gateway.With("policies", "{guardrail: {results: {all: redact}}}")
      .Serves("m", modern, "policies: {guardrail: {results: {email: off}}}")
      .Serves("l", legacy, "tool_policies: {leak: {guardrail: {results: {all: off}}}}")
      .Start();
  EXPECT_EQ(NewClient()->Call("m__leak").text(),
            "key [redacted:aws_key], write to ada@example.com");
  EXPECT_THAT(NewClient()->Call("l__leak").text(), HasSubstr(kAws));
  EXPECT_EQ(NewClient()->Call("l__echo", R"({"text":"ada@example.com"})").text(),
            "[redacted:email]");
}

TEST_P(Guardrail, TheExampleOfItsPageDoesWhatItSays) {
  Start(FromPolicyPage("guardrail", 0, "policies"));
  const auto client = NewClient();
  const auto echo = [&](const std::string& text) {
    return client->Call("m__echo", R"({"text":")" + text + R"("})").text();
  };
  EXPECT_THAT(echo(kAws), HasSubstr("was not called"));
  EXPECT_EQ(echo("card 4111 1111 1111 1111"), "card [redacted:card]");
  EXPECT_EQ(echo("E-123456 is ada@example.com"), "[redacted:employee] is ada@example.com");
  EXPECT_EQ(client->Call("m__leak").text(), "key [redacted:aws_key], write to ada@example.com");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_guardrail_total{server="m",direction="result",)"
                             R"(detector="email",action="reported"} 2)"));
}

// What a server asks, and what its client answers, pass through the same two gates.
TEST(GuardrailQuestions, QuestionsAndAnswersAreLookedAt) {
  for (const Era era : {Era::kModern, Era::kLegacy}) {
    FakeServer fake = era == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
    Gateway gateway;
    gateway.Serves("a", fake)
        .With("policies",
              "{guardrail: {arguments: {secrets: redact, email: deny}, "
              "results: {secrets: redact}}}")
        .Start();
    ModernClient client = gateway.Modern();
    client.set_capabilities(R"({"elicitation":{"form":{}}})");
    // The question comes out of the call's arguments, which are looked at, too: it is built there.
    const std::string arguments =
        R"({"method":"elicitation/create","params":{"mode":"form","message":"Which?",)"
        R"("requestedSchema":{"type":"object","properties":{}}}})";
    const Answer asked = client.Call("a__ask", arguments);
    ASSERT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
    const json::value requests = asked.at("/result/inputRequests");
    const std::string key(requests.as_object().begin()->key());
    const auto answer = [&](const std::string& text) {
      return client.Request({.method = "tools/call",
                             .members = R"("name":"a__ask","arguments":)" + arguments +
                                        R"(,"inputResponses":{")" + key +
                                        R"(":{"action":"accept","content":{"s":")" + text +
                                        R"("}}},"requestState":)" +
                                        json::serialize(asked.at("/result/requestState"))});
    };
    EXPECT_THAT(answer("ada@example.com").text(),
                HasSubstr("email at /inputResponses/" + key + "/content/s"));
    EXPECT_THAT(answer("use " + kAws).text(), HasSubstr("use [redacted:aws_key]"));
  }
}

}  // namespace
}  // namespace switchyard::tests
