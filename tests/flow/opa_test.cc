// An external decision in a whole gateway, and somebody outside who says anything.
#include <chrono>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/token_issuer.h"
#include "support/web_site.h"

namespace switchyard::tests {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class Opa : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& more = "", const std::string& rules = "",
             const std::string& allow = "[127.0.0.1]") {
    gateway.Serves("a", fake)
        .GoesBy(clock)
        .With("fetch", "{allow: " + allow + "}")
        .With("policies", "{opa: {url: '" + site.Url("/v1/data/mcp/allow") + "'" + more + "}" +
                              (rules.empty() ? "" : ", authorize: {rules: [" + rules + "]}") + "}")
        .Start();
  }
  Answer Call(const std::string& text = "x", const std::string& tool = "a__echo") {
    return gateway.ClientOf(GetParam())->Call(tool, R"({"text":")" + text + R"("})");
  }
  void Says(const std::string& answer) { site.Set("/v1/data/mcp/allow", answer); }
  json::value Input(std::size_t n = 0) const {
    return At(json::parse(site.requests().at(n).body), "/input");
  }

  FakeServer fake = FakeServer::Modern("a");
  WebSite site;
  LeapingClock clock;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Opa, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Opa, IsToldWhoCallsWhatAndItsWordCounts) {
  Says(R"({"result":true})");
  Start();
  EXPECT_EQ(Call().text(), "x");
  const json::value input = Input();
  EXPECT_EQ(TextAt(input, "/servers/0"), "a");
  EXPECT_EQ(TextAt(input, "/kind"), "tool");
  EXPECT_EQ(TextAt(input, "/name"), "echo");
  EXPECT_EQ(TextAt(input, "/endpoint"), "/mcp");
  EXPECT_EQ(TextAt(input, "/method"), "tools/call");
  EXPECT_EQ(TextAt(input, "/arguments_digest").size(), 64U);
  EXPECT_FALSE(input.as_object().contains("arguments")) << "unless it is asked for";
  Says(R"({"result":{"allow":false,"reason":"not on a\nSunday"}})");
  const Answer denied = Call("y");
  EXPECT_THAT(denied.body, HasSubstr("you may not use a__echo so"));
  EXPECT_THAT(denied.body, HasSubstr("not on a"));
  EXPECT_EQ(fake.received("tools/call").size(), 1U);
  EXPECT_TRUE(
      Shows(gateway, R"(switchyard_opa_decisions_total{from="asked",outcome="denied"} 1)") ||
      Shows(gateway, R"(switchyard_opa_decisions_total{outcome="denied",from="asked"} 1)"));
}

TEST_P(Opa, IsToldTheArgumentsWhereThatIsAskedFor) {
  Says(R"({"result":true})");
  Start(", arguments: whole, headers: {Authorization: 'Bearer s3cret'}");
  EXPECT_EQ(Call().text(), "x");
  EXPECT_EQ(TextAt(Input(), "/arguments/text"), "x");
  EXPECT_THAT(site.requests().at(0).headers, HasSubstr("Authorization: Bearer s3cret"));
}

TEST_P(Opa, ADecisionHoldsForTheSameQuestionAndAWhile) {
  Says(R"({"result":true})");
  Start(", ttl: 10s");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Call().text(), "x");
  EXPECT_EQ(site.requests().size(), 1U);
  EXPECT_EQ(Call("other").text(), "other");
  EXPECT_EQ(site.requests().size(), 2U);
  Says(R"({"result":false})");
  EXPECT_EQ(Call().text(), "x");
  clock.Advance(std::chrono::seconds(11));
  EXPECT_THAT(Call().body, HasSubstr("you may not use"));
}

TEST_P(Opa, IsAskedAboutWhatTheRulesAllowAlone) {
  Says(R"({"result":true})");
  Start("", "{effect: allow, what: {tool: echo}}");
  EXPECT_NE(Call("x", "a__exact").code(), 0);
  EXPECT_EQ(site.requests().size(), 0U) << "what is hidden is nobody's to know of";
  EXPECT_EQ(Call().text(), "x");
  EXPECT_EQ(site.requests().size(), 1U);
}

TEST_P(Opa, ListsGoByTheRules) {
  Says(R"({"result":false})");
  Start();
  EXPECT_THAT(gateway.ClientOf(GetParam())->Tools(), Contains("a__echo"));
  EXPECT_EQ(site.requests().size(), 0U);
}

TEST_P(Opa, NoClearAnswerIsADenial) {
  Start(", timeout: 200ms, ttl: 0s");
  int n = 0;
  for (const WebSite::Page& page :
       {WebSite::Page{.status = 500, .body = R"({"result":true})"}, WebSite::Page{.body = ""},
        WebSite::Page{.body = "{}"}, WebSite::Page{.body = "true"},
        WebSite::Page{.body = R"({"result":"true"})"}, WebSite::Page{.body = R"({"result":1})"},
        WebSite::Page{.body = R"({"result":{"allow":"yes"}})"},
        WebSite::Page{.body = R"({"result":false,"result":true})"},
        WebSite::Page{.body = std::string(100'000, ' ') + R"({"result":true})"},
        WebSite::Page{.status = 302, .headers = "Location: /yes\r\n"},
        WebSite::Page{.body = R"({"result":true})", .headers = "Content-Encoding: gzip\r\n"},
        WebSite::Page{.silent = true}}) {
    site.Set("/yes", R"({"result":true})");
    site.Set("/v1/data/mcp/allow", page);
    const Answer answer = Call();
    EXPECT_THAT(answer.body, Not(HasSubstr(R"("text":"x")"))) << n;
    EXPECT_EQ(fake.received("tools/call").size(), 0U) << n++;
  }
}

TEST_P(Opa, WhatIsUndefinedIsADenialOnceAndNotKept) {
  Says("{}");
  Start(", ttl: 10s");
  EXPECT_THAT(Call().body, HasSubstr("could not be found out"));
  EXPECT_EQ(fake.received("tools/call").size(), 0U);
  Says(R"({"result":true})");
  EXPECT_EQ(Call().text(), "x");
}

TEST_P(Opa, InAPrivatePlaceIsNotAskedUnlessThatIsNamed) {
  Says(R"({"result":true})");
  Start("", "", "[]");
  EXPECT_THAT(Call().body, HasSubstr("could not be found out"));
  EXPECT_EQ(site.requests().size(), 0U);
  EXPECT_EQ(fake.received("tools/call").size(), 0U);
}

TEST_P(Opa, TheExampleOfItsPageDoesWhatItSays) {
  const auto at_the_site = [this](std::string yaml) {
    const std::string there = "127.0.0.1:8181";
    const std::string here = site.Url().substr(std::string("http://").size());
    const std::size_t at = yaml.find(there);
    EXPECT_NE(at, std::string::npos) << yaml;
    return at == std::string::npos ? yaml : yaml.replace(at, there.size(), here);
  };
  Says(R"({"result":true})");
  gateway.Serves("a", fake)
      .GoesBy(clock)
      .With("fetch", at_the_site(FromPolicyPage("opa", 0, "fetch")))
      .With("policies", at_the_site(FromPolicyPage("opa", 0, "policies")))
      .Start();
  EXPECT_EQ(Call().text(), "x");
  Says(R"({"result":{"allow":false,"reason":"not today"}})");
  EXPECT_EQ(Call().text(), "x") << "a decision holds for ten seconds";
  clock.Advance(std::chrono::seconds(11));
  EXPECT_THAT(Call().body, HasSubstr("not today"));
  EXPECT_EQ(site.requests().size(), 2U);
}

}  // namespace
}  // namespace switchyard::tests
