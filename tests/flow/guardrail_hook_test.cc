// A hook that is shown calls and results, in a whole gateway.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/web_site.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GuardrailHook : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& more = "", const std::string& rules = "",
             const std::string& policies = "") {
    gateway.Serves("m", modern)
        .Serves("l", legacy)
        .With("fetch", "{allow: [127.0.0.1]}")
        .With("policies", "{" + policies + "guardrail: {" + rules + "hook: {url: '" +
                              site.Url("/hook") + "'" + more + "}}}")
        .Start();
  }
  // By phase: what the hook says; "" = allow.
  void Says(const std::string& arguments, const std::string& result) {
    const std::string allow = R"({"action":"allow"})";
    site.Answers([=](const WebSite::Request& request) {
      const bool first = request.body.contains(R"("phase":"arguments")");
      const std::string& said = first ? arguments : result;
      return WebSite::Page{.body = said.empty() ? allow : said};
    });
  }
  Answer Call(const std::string& tool, const std::string& arguments = R"({"text":"x"})") {
    return gateway.ClientOf(GetParam())->Call(tool, arguments);
  }
  std::size_t calls() const {
    return modern.received("tools/call").size() + legacy.received("tools/call").size();
  }

  FakeServer modern = FakeServer::Modern("m"), legacy = FakeServer::Legacy("l");
  WebSite site;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, GuardrailHook, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(GuardrailHook, IsShownBothWaysAndLetsPass) {
  Says("", "");
  Start();
  EXPECT_EQ(Call("m__echo").text(), "x");
  ASSERT_EQ(site.requests().size(), 2U);
  const json::value first = json::parse(site.requests()[0].body);
  EXPECT_EQ(TextAt(first, "/phase"), "arguments");
  EXPECT_EQ(TextAt(first, "/server"), "m");
  EXPECT_EQ(TextAt(first, "/name"), "echo");
  EXPECT_EQ(TextAt(first, "/arguments/text"), "x");
  const json::value second = json::parse(site.requests()[1].body);
  EXPECT_EQ(TextAt(second, "/phase"), "result");
  EXPECT_EQ(TextAt(second, "/result/content/0/text"), "x");
}

TEST_P(GuardrailHook, DeniesACallThatNoServerSees) {
  Says(R"({"action":"deny","reason":"not these words"})", "");
  Start();
  for (const char* tool : {"m__echo", "l__echo"}) {
    EXPECT_THAT(Call(tool).body, HasSubstr("was not called: not these words"));
  }
  EXPECT_EQ(calls(), 0U);
}

TEST_P(GuardrailHook, WithholdsAResult) {
  Says("", R"({"action":"deny","reason":"too much"})");
  Start();
  for (const char* tool : {"m__echo", "l__echo"}) {
    const Answer answer = Call(tool, R"({"text":"s3cret"})");
    EXPECT_THAT(answer.body, HasSubstr("its answer was withheld: too much"));
    EXPECT_THAT(answer.body, Not(HasSubstr("s3cret")));
  }
}

TEST_P(GuardrailHook, RewritesArgumentsWhichThenAreValidatedLikeOthers) {
  for (FakeServer* fake : {&modern, &legacy}) {
    fake->surface().AddTool(
        "say", [](Turn& turn) { turn.Text(json::serialize(turn.param("arguments"))); },
        R"("inputSchema":{"type":"object","properties":{"text":{"type":"string"}}})");
  }
  Says(R"({"action":"rewrite","body":{"text":"clean"}})", "");
  Start("", "", "validate: {arguments: enforce}, ");
  for (const char* tool : {"m__say", "l__say"}) {
    EXPECT_EQ(Call(tool).text(), R"({"text":"clean"})");
  }
  Says(R"({"action":"rewrite","body":{"text":7}})", "");
  for (const char* tool : {"m__say", "l__say"}) {
    EXPECT_THAT(Call(tool).text(), HasSubstr("/text: expected a string"));
  }
  EXPECT_EQ(calls(), 2U);
}

TEST_P(GuardrailHook, RewritesAResultWhichTheRulesThenLookAt) {
  const std::string aws = std::string("AK") + "IAQ4ZK7XW2NB5TJH3M";
  Says("",
       R"({"action":"rewrite","body":{"content":[{"type":"text","text":"new )" + aws + R"("}]}})");
  Start("", "results: {secrets: redact}, ");
  for (const char* tool : {"m__echo", "l__echo"}) {
    const Answer answer = Call(tool);
    EXPECT_EQ(answer.text(), "new [redacted:aws_key]") << tool;
    if (GetParam() == Era::kModern) {
      EXPECT_EQ(TextAt(answer.message(), "/result/resultType"), "complete") << "kept";
    }
  }
}

TEST_P(GuardrailHook, NoClearAnswerIsADenial) {
  Start(", timeout: 200ms, phases: [arguments]");
  for (const WebSite::Page& page :
       {WebSite::Page{.status = 500, .body = R"({"action":"allow"})"}, WebSite::Page{.body = "{}"},
        WebSite::Page{.body = R"({"action":"ALLOW"})"}, WebSite::Page{.body = R"(["allow"])"},
        WebSite::Page{.body = R"({"action":"deny","action":"allow"})"},
        WebSite::Page{.body = R"({"action":"rewrite","body":7})"},
        WebSite::Page{.body = R"({"action":"rewrite"})"}, WebSite::Page{.silent = true}}) {
    site.Set("/hook", page);
    EXPECT_THAT(Call("m__echo").body, HasSubstr("nobody could look through")) << page.body;
  }
  EXPECT_EQ(calls(), 0U);
}

TEST_P(GuardrailHook, MayBeDoneWithoutWhereThatIsSaid) {
  site.Set("/hook", WebSite::Page{.status = 500});
  Start(", on_error: allow");
  EXPECT_EQ(Call("m__echo").text(), "x");
  EXPECT_TRUE(
      Shows(gateway,
            R"(switchyard_guardrail_hook_total{server="m",phase="arguments",outcome="failed"} 1)"));
}

TEST_P(GuardrailHook, IsShownNoMoreThanItsBound) {
  Says("", "");
  Start(", max_bytes: 2KiB");
  const std::string big = R"({"text":")" + std::string(3000, 'x') + R"("})";
  EXPECT_THAT(Call("m__echo", big).body, HasSubstr("nobody could look through"));
  EXPECT_EQ(site.requests().size(), 0U);
  EXPECT_EQ(calls(), 0U);
}

TEST_P(GuardrailHook, IsShownNothingThatTwoReadersReadAsTwoThings) {
  Says("", "");
  Start(", on_error: allow");
  for (const char* tool : {"m__echo", "l__echo"}) {
    for (const char* twice :
         {R"({"text":"good","text":"bad"})", R"({"text":"good","te\u0078t":"bad"})",
          R"({"text":"good","more":[{"a":1,"a":2}]})"}) {
      EXPECT_THAT(Call(tool, twice).body, HasSubstr("the same key twice")) << twice;
    }
  }
  EXPECT_EQ(site.requests().size(), 0U);
  EXPECT_EQ(calls(), 0U);
}

TEST_P(GuardrailHook, SeesItsPhasesAlone) {
  Says(R"({"action":"deny"})", "");
  Start(", phases: [result]");
  EXPECT_EQ(Call("m__echo").text(), "x");
  EXPECT_EQ(site.requests().size(), 1U);
}

}  // namespace
}  // namespace switchyard::tests
