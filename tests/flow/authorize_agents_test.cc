// Rules by what callers' agents can do, in a whole gateway: what the orchestration service knows of
// agents decides about calls of other servers, at once and for nobody else.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/api_key.h"
#include "support/gateway_fixture.h"
#include "support/temp_dir.h"

namespace switchyard::tests {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class AuthorizeAgents : public ::testing::TestWithParam<Era> {
 protected:
  AuthorizeAgents() {
    gateway.Serves("a", fake);
    gateway.With("auth", "{api_keys: [" + Key("lead", lead, "lead") + ", " +
                             Key("other", other, "lead") + ", " + Key("worker", worker, "agent") +
                             "]}");
    gateway.With("policies", kRules);
  }
  void Start(const std::string& orchestration = "{roles: {vouch: [lead]}}") {
    gateway.With("orchestration", orchestration).Start();
  }
  static std::string Key(const std::string& name, const auth::NewKey& key,
                         const std::string& role) {
    return "{name: " + name + ", hash: '" + auth::ToText(key.kept) + "', roles: [" + role + "]}";
  }
  std::unique_ptr<Client> As(const auth::NewKey& key) const {
    return gateway.ClientOf(GetParam(), "/mcp", key.text);
  }
  static void Register(Client& client, const std::string& agent, const std::string& capabilities) {
    const Answer answer =
        client.Call("orchestration_register_agent",
                    R"({"agent_id":")" + agent + R"(","capabilities":)" + capabilities + "}");
    EXPECT_THAT(answer.text(), HasSubstr("available")) << answer;
  }
  // Whether it may be used, by lists and calls alike.
  static bool HasEcho(Client& client) {
    const std::vector<std::string> tools = client.Tools();
    const bool listed = std::ranges::find(tools, "a__echo") != tools.end();
    const Answer answer = client.Call("a__echo", R"({"text":"x"})");
    EXPECT_EQ(answer.text() == "x", listed) << answer;
    return listed;
  }

  static constexpr const char* kRules =
      "{authorize: {rules: [{effect: allow, what: {server: 'orchestr*'}}, "
      "{effect: allow, who: {capability: deploy}, what: {tool: [echo, exact]}}]}}";
  const auth::NewKey lead = auth::MakeApiKey(), other = auth::MakeApiKey(),
                     worker = auth::MakeApiKey();
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, AuthorizeAgents, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(AuthorizeAgents, WhatACallersAgentCanDoOpensToolsForThatCaller) {
  Start();
  const auto client = As(lead);
  EXPECT_FALSE(HasEcho(*client));
  Register(*client, "deployer", R"(["deploy","python"])");
  EXPECT_TRUE(HasEcho(*client));
  EXPECT_FALSE(HasEcho(*As(other)));
  EXPECT_FALSE(HasEcho(*As(worker)));
  Register(*client, "deployer", R"(["python"])");
  EXPECT_FALSE(HasEcho(*client));
  Register(*client, "deployer", R"(["deploy"])");
  EXPECT_TRUE(HasEcho(*client));
  client->Call("orchestration_deregister_agent", R"({"agent_id":"deployer"})");
  EXPECT_FALSE(HasEcho(*client));
}

TEST_P(AuthorizeAgents, WhatIsHiddenIsAsUnknownAsBefore) {
  Start();
  const auto client = As(lead);
  Register(*client, "a", R"(["python"])");
  const Answer hidden = client->Request(
      {.method = "tools/call", .members = R"("name":"a__echo","arguments":{})", .id = "77"});
  const Answer unknown = client->Request(
      {.method = "tools/call", .members = R"("name":"a__zzzz","arguments":{})", .id = "77"});
  EXPECT_EQ(hidden.status, unknown.status);
  std::string as_unknown = hidden.body;
  as_unknown.replace(as_unknown.find("a__echo"), 7, "a__zzzz");
  EXPECT_EQ(as_unknown, unknown.body);
}

TEST_P(AuthorizeAgents, WhoMayNotVouchGainsNothingBySayingSo) {
  Start();
  const auto client = As(worker);
  Register(*client, "mine", R"(["deploy"])");
  EXPECT_FALSE(HasEcho(*client));
  gateway.With("orchestration", "{}").Reload();
  const auto trusted = As(lead);
  Register(*trusted, "its", R"(["deploy"])");
  EXPECT_FALSE(HasEcho(*trusted)) << "nobody has the right where nothing is said of it";
}

TEST_P(AuthorizeAgents, WhoProvesNothingGainsNothing) {
  gateway.Without("auth");
  Start();
  const auto client = gateway.ClientOf(GetParam());
  Register(*client, "mine", R"(["deploy"])");
  EXPECT_FALSE(HasEcho(*client));
}

TEST_P(AuthorizeAgents, AReloadThatTrustsNobodyIsObeyedAtOnce) {
  Start();
  const auto client = As(lead);
  Register(*client, "deployer", R"(["deploy"])");
  EXPECT_TRUE(HasEcho(*client));
  gateway.With("orchestration", "{roles: {vouch: []}}").Reload();
  EXPECT_FALSE(HasEcho(*client));
  gateway.With("orchestration", "{roles: {vouch: [agent, lead]}}").Reload();
  EXPECT_TRUE(HasEcho(*client));
  gateway.With("orchestration", "{enabled: false, roles: {vouch: [lead]}}").Reload();
  EXPECT_FALSE(HasEcho(*client)) << "the service is off";
}

TEST_P(AuthorizeAgents, IsKnownBeforeTheFirstCallAfterARestart) {
  const TempDir place;
  gateway.With("state", "{dir: " + place.Path("state") + "}");
  Start();
  Register(*As(lead), "deployer", R"(["deploy"])");
  gateway.Stop();
  gateway.Start();
  EXPECT_EQ(As(lead)->Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_FALSE(HasEcho(*As(other)));
}

TEST_P(AuthorizeAgents, ThoseWhoListenAreToldAndManyChangesAtOnceAreOne) {
  Start();
  const auto client = As(lead);
  const auto listener = gateway.ClientOf(Era::kModern, "/mcp", lead.text);
  Exchange listen = static_cast<ModernClient&>(*listener).Listen(R"("toolsListChanged":true)");
  for (int i = 0; i < 20; ++i) {
    Register(*client, "deployer", i % 2 == 0 ? R"(["python"])" : R"(["deploy"])");
  }
  EXPECT_THAT(listen.NextEvent().value_or(""), HasSubstr("tools/list_changed"));
  EXPECT_THAT(client->Tools(), Contains("a__echo"));
  EXPECT_THAT(As(other)->Tools(), Not(Contains("a__echo")));
  // The next one is that of another change, and comes after all twenty.
  fake.surface().RemoveTool("exact");
  fake.surface().Changed("tools");
  EXPECT_THAT(listen.NextEvent().value_or(""), HasSubstr("tools/list_changed"));
  EXPECT_THAT(client->Tools(), Not(Contains("a__exact")));
}

}  // namespace
}  // namespace switchyard::tests
