// authorize in a whole gateway: what a caller may not use does not exist for it.
#include "flow/authorize.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/doc_examples.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

INSTANTIATE_TEST_SUITE_P(Era, Authorize, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Authorize, WithoutARuleEverybodyMayDoEverything) {
  Start("");
  const auto client = NewClient();
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_GT(client->Tools().size(), 10U);
}

TEST_P(Authorize, WhatNoRuleAllowsIsUnknownToTheByte) {
  Start(
      "{effect: allow, what: {tool: [echo, mirror], prompt: greet, resource: 'fake://a/one'}},"
      "{effect: deny, what: {tool: mirror}}");
  EXPECT_EQ(NewClient()->Call("a__echo", R"({"text":"x"})").text(), "x");
  for (const char* hidden : {"a__mirror", "a__exact"}) {
    const std::string unknown = std::string("a__zz").append(std::string(hidden).size() - 5, 'z');
    ExpectAlike({.method = "tools/call",
                 .members = R"("name":")" + std::string(hidden) + R"(","arguments":{})"},
                hidden, unknown);
  }
  ExpectAlike({.method = "prompts/get", .members = R"("name":"a__thank","arguments":{"who":"x"})"},
              "a__thank", "a__zzzzz");
  ExpectAlike({.method = "resources/read", .members = R"("uri":"fake://a/two")"}, "fake://a/two",
              "fake://a/zzz");
  ExpectAlike({.method = "completion/complete",
               .members = R"("ref":{"type":"ref/prompt","name":"a__thank"},)"
                          R"("argument":{"name":"who","value":"x"})"},
              "a__thank", "a__zzzzz");
  EXPECT_EQ(fake.received("tools/call").size(), 1U) << "no server heard of the rest";
  EXPECT_THAT(fake.received("prompts/get"), IsEmpty());
  EXPECT_THAT(fake.received("resources/read"), IsEmpty());
}

TEST_P(Authorize, ListsHaveWhatTheCallerMayUse) {
  gateway.With("page_size", "1");
  Start(
      "{effect: allow, what: {tool: [echo, exact, mirror], prompt: greet}},"
      "{effect: deny, what: {tool: exact}}");
  const auto client = NewClient();
  EXPECT_THAT(client->Tools(), ElementsAre("a__echo", "a__mirror")) << "in two pages";
  EXPECT_THAT(client->List("prompts/list", "prompts"), ElementsAre("a__greet"));
  const Answer resources = client->Request({.method = "resources/list"});
  EXPECT_EQ(resources.code(), -32601) << "as of a gateway that has none: " << resources;
}

TEST_P(Authorize, DiscoveryShowsWhatTheCallerMayUseAnythingOf) {
  Start("{effect: allow, what: {tool: echo}}");
  const auto client = NewClient();
  const json::value offered =
      client->modern()
          ? client->Request({.method = "server/discover"}).at("/result/capabilities")
          : static_cast<LegacyClient&>(*client).initialized().at("/result/capabilities");
  ASSERT_TRUE(offered.is_object());
  EXPECT_TRUE(offered.as_object().contains("tools"));
  for (const char* hidden : {"prompts", "resources", "completions"}) {
    EXPECT_FALSE(offered.as_object().contains(hidden)) << offered;
  }
}

TEST_P(Authorize, AServerOfWhichNothingMayBeUsedIsNotMissing) {
  gateway.ServesUrl("gone", "http://127.0.0.1:1/mcp");
  Start("{effect: allow, what: {server: a}}");
  const Answer list = NewClient()->Request({.method = "tools/list"});
  EXPECT_TRUE(list.Contains("a__echo")) << list;
  EXPECT_FALSE(list.Contains("gone")) << list;
}

TEST_P(Authorize, OtherArgumentsAreATransgressionThatTheAgentIsTold) {
  Start("{effect: allow, what: {tool: echo}, when: {arguments: [{at: /text, one_of: [x, y]}]}}");
  const auto client = NewClient();
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  const Answer refused = client->Call("a__echo", R"({"text":"z"})");
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.at("/result/isError"), json::value(true)) << refused;
  EXPECT_EQ(refused.text(),
            "you may not use a__echo with these arguments: use other arguments, or ask whoever "
            "runs this gateway; repeating the same call does not help");
  EXPECT_EQ(refused.at("/result/_meta/switchyard~1error/code"), json::value("forbidden"));
  EXPECT_FALSE(refused.Contains("rule")) << refused;
  EXPECT_EQ(fake.received("tools/call").size(), 1U);
  EXPECT_THAT(client->Tools(), ElementsAre("a__echo")) << "it may be used";
}

TEST_P(Authorize, OtherRequestsAreRefusedByStatus) {
  Start("{effect: allow, what: {prompt: greet}, when: {arguments: [{at: /who, glob: 'a*'}]}}");
  const auto client = NewClient();
  const auto get = [&client](const std::string& who) {
    return client->Request({.method = "prompts/get",
                            .members = R"("name":"a__greet","arguments":{"who":")" + who + "\"}"});
  };
  EXPECT_EQ(get("ada").status, 200);
  const Answer refused = get("bob");
  EXPECT_EQ(refused.status, 403) << refused;
  EXPECT_EQ(refused.code(), -32600) << refused;
}

TEST_P(Authorize, ANearerLevelAddsRulesAndTakesNoneAway) {
  gateway.With("endpoints",
               "{team: {policies: {authorize: {rules: [{effect: allow, what: {tool: [echo, "
               "mirror]}}]}}}, rest: {}}");
  Start("{effect: deny, what: {tool: mirror}}, {effect: allow, what: {tool: exact}}");
  EXPECT_THAT(NewClient("/mcp/team")->Tools(), ElementsAre("a__echo", "a__exact"));
  EXPECT_THAT(NewClient("/mcp/rest")->Tools(), ElementsAre("a__exact"));
  const auto client = NewClient("/mcp/team");
  EXPECT_EQ(client->Call("a__mirror").code(), client->Call("a__zzzzzz").code());
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
}

TEST_P(Authorize, RulesSpeakOfEndpointsThatSayNothingThemselves) {
  gateway.With("endpoints", "{team: {}, rest: {}}");
  Start("{effect: allow, what: {endpoint: team, tool: echo}}");
  EXPECT_THAT(NewClient("/mcp/team")->Tools(), ElementsAre("a__echo"));
  EXPECT_EQ(NewClient("/mcp/rest")->Request({.method = "tools/list"}).code(), -32601);
}

TEST_P(Authorize, AServersOwnRulesAreForItAlone) {
  FakeServer other = FakeServer::Modern("b");
  gateway.Serves("b", other,
                 "policies: {authorize: {rules: [{effect: allow, what: {tool: echo}}]}}");
  Start("");
  const std::vector<std::string> tools = NewClient()->Tools();
  EXPECT_THAT(tools, Contains("b__echo"));
  EXPECT_THAT(tools, Not(Contains("b__exact")));
  EXPECT_THAT(tools, Contains("a__exact"));
}

TEST_P(Authorize, WhatIsAllowedOfSomeToolsAloneIsOffered) {
  gateway.Serves("b", fake,
                 "policies: {authorize: {rules: [{effect: allow, what: {prompt: greet}}]}}, "
                 "tool_policies: {echo: {authorize: {rules: [{effect: allow}]}}}");
  Start("{effect: allow, what: {tool: nothing}}");
  EXPECT_THAT(NewClient()->Tools(), ElementsAre("b__echo"));
}

TEST_P(Authorize, AToolOfAGroupIsThereForWhomItIsAtAllMembers) {
  FakeServer other = FakeServer::Modern("b");
  gateway.Serves("b", other,
                 "policies: {authorize: {rules: [{effect: deny, what: {tool: exact}}, "
                 "{effect: allow}]}}");
  gateway.With("groups", "{g: {servers: [{server: a}, {server: b}]}}");
  Start("{effect: allow, what: {tool: [echo, exact]}}");
  const auto client = NewClient();
  const std::vector<std::string> tools = client->Tools();
  EXPECT_THAT(tools, Contains("g__echo"));
  EXPECT_THAT(tools, Not(Contains("g__exact")));
  EXPECT_EQ(client->Call("g__echo", R"({"text":"x"})").text(), "x");
  const auto members = [](const std::string& name) {
    return R"("name":")" + name + R"(","arguments":{},"requestState":"forged")";
  };
  ExpectAlike({.method = "tools/call", .members = members("g__exact")}, "g__exact", "g__zzzzz");
}

TEST_P(Authorize, AReloadIsObeyedAtOnce) {
  Start("{effect: allow, what: {tool: echo}}");
  EXPECT_THAT(NewClient()->Tools(), ElementsAre("a__echo"));
  gateway.With("policies", "{authorize: {rules: [{effect: allow, what: {tool: exact}}]}}").Reload();
  EXPECT_THAT(NewClient()->Tools(), ElementsAre("a__exact"));
  gateway.With("policies", "{}").Reload();
  EXPECT_GT(NewClient()->Tools().size(), 10U);
}

TEST_P(Authorize, AnAlternativeThatTheCallerMayNotUseIsNotOffered) {
  fake.surface().AddTool("flaky", [](Turn& turn) { turn.Drop(); });
  const auto asks = [this](const std::string& alternative) {
    gateway.With("policies",
                 "{fallback: {on: [unavailable], may_have_run: true, "
                 "alternatives: [{tool: " +
                     alternative +
                     "}]}, authorize: {rules: [{effect: allow, what: {tool: "
                     "flaky}}]}}");
  };
  asks("a__exact");
  gateway.Serves("a", fake).Start();
  const std::string hidden = NewClient()->Call("a__flaky").body;
  asks("a__zzzzz");
  gateway.Reload();
  const std::string missing = NewClient()->Call("a__flaky").body;
  EXPECT_NE(hidden.find("is not offered at present"), std::string::npos) << hidden;
  EXPECT_EQ(Replaced(hidden, "a__exact", "a__zzzzz"), missing);
}

TEST_P(Authorize, CountsDecisionsByRule) {
  Start("{name: readers, effect: allow, what: {tool: echo}}");
  const auto client = NewClient();
  client->Call("a__echo", R"({"text":"x"})");
  client->Call("a__exact");
  const std::string name = "switchyard_authorize_decisions_total";
  EXPECT_TRUE(Shows(gateway, name + R"({outcome="allowed",rule="readers"} 1)"));
  EXPECT_TRUE(Shows(gateway, name + R"({outcome="hidden",rule="none"} 1)"));
}

TEST_P(Authorize, TheExampleOfItsPageDoesWhatItSays) {
  for (const char* tool : {"read_file", "list_dir", "write_file", "format_disk"}) {
    fake.surface().AddTool(tool, [](Turn& turn) { turn.Text("done"); });
  }
  gateway.Serves("files", fake)
      .With("policies", FromPolicyPage("authorize", 0, "policies"))
      .Start();
  const auto client = NewClient();
  EXPECT_THAT(client->Tools(),
              ElementsAre("files__list_dir", "files__read_file", "files__write_file"));
  const auto call = [&client](const std::string& tool, const std::string& arguments) {
    return client->Call("files__" + tool, arguments);
  };
  EXPECT_EQ(call("read_file", R"({"path":"/etc/motd"})").text(), "done");
  EXPECT_EQ(call("write_file", R"({"path":"/srv/a","bytes":10})").text(), "done");
  for (const char* arguments :
       {R"({"path":"/etc/a","bytes":10})", R"({"path":"/srv/a","bytes":1000001})",
        R"({"path":"/srv/../etc","bytes":1})", R"({"path":"/srv/a","path":"/etc/a","bytes":1})",
        R"({"path":"/srv/a\n/../../etc","bytes":1})",
        R"({"path":"/srv/a","Path":"/etc","bytes":1})"}) {
    EXPECT_EQ(call("write_file", arguments).at("/result/isError"), json::value(true)) << arguments;
  }
  EXPECT_NE(call("format_disk", "{}").code(), 0);
}

// What refuses a call that leads nowhere is no reason to ask another, and tells nothing of it.
TEST_P(Authorize, NothingStandsInForWhatIsHiddenThoughALimitRefusesIt) {
  for (const char* tool : {"secret", "other"}) {
    fake.surface().AddTool(tool, [](Turn& turn) { turn.Text("done"); });
  }
  gateway.Serves("a", fake)
      .With("policies",
            "{authorize: {rules: [{effect: allow, what: {tool: other}}]}, "
            "rate_limit: {rate: 1/h, per: tool}, "
            "fallback: {alternatives: [{tool: a__other}]}}")
      .Start();
  const auto client = NewClient();
  for (int i = 0; i < 4; ++i) {
    const Answer hidden = client->Call("a__secret"), unknown = client->Call("a__absent");
    EXPECT_NE(hidden.text(), "done") << hidden;
    EXPECT_NE(unknown.text(), "done") << unknown;
  }
}

// The alternative is hidden, and refused by a limit once it leads nowhere.
TEST_P(Authorize, AnAlternativeThatIsHiddenAndLimitedIsNotOffered) {
  fake.surface().AddTool("secret", [](Turn& turn) { turn.Text("done"); });
  fake.surface().AddTool("broken", [](Turn& turn) { turn.Drop(); });
  gateway.Serves("a", fake)
      .With("policies",
            "{authorize: {rules: [{effect: allow, what: {tool: broken}}]}, "
            "rate_limit: {rate: 1/h, burst: 2, per: principal}, "
            "fallback: {alternatives: [{tool: a__secret}], may_have_run: true}}")
      .Start();
  const auto client = NewClient();
  for (int i = 0; i < 4; ++i) {
    const Answer answer = client->Call("a__broken");
    EXPECT_TRUE(answer.Contains("a__secret: is not offered at present")) << answer;
  }
  fake.ExpectComplaints();
}

TEST(AuthorizeSubscriptions, OfWhatIsHiddenAreNotHonoured) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake)
      .With("policies", "{authorize: {rules: [{effect: allow, what: {resource: 'fake://a/one'}}]}}")
      .Start();
  ModernClient client = gateway.Modern();
  Exchange listen = client.Begin(
      {.method = "subscriptions/listen",
       .members = R"("notifications":{"resourceSubscriptions":["fake://a/one","fake://a/two"]})"});
  const std::optional<std::string> acknowledged = listen.NextEvent();
  ASSERT_TRUE(acknowledged);
  EXPECT_NE(acknowledged->find(R"("resourceSubscriptions":["fake://a/one"])"), std::string::npos)
      << *acknowledged;
}

}  // namespace
}  // namespace switchyard::tests
