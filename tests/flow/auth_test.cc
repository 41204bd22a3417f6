// Who may come in, in a whole gateway: tokens, API keys, what clients are told, and that nobody
// gets at what is another's.
#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/api_key.h"
#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/scripted_http_server.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Ask Echo() {
  return {.method = "tools/call", .members = R"("name":"a__echo","arguments":{"text":"x"})"};
}

class Auth : public ::testing::TestWithParam<Era> {
 protected:
  // `auth`: YAML of the top's `auth`.
  void Start(const std::string& auth) { gateway.Serves("a", fake).With("auth", auth).Start(); }
  void StartWithIssuer(const std::string& more = "", const std::string& of_issuer = "") {
    Start("{issuers: [" + issuer.Config("audience: [gateway]" + of_issuer) + "]" + more + "}");
  }
  std::unique_ptr<Client> As(const std::string& token, const std::string& path = "/mcp") const {
    return gateway.ClientOf(GetParam(), path, token);
  }
  // Of the first request of a client with this token.
  Answer First(const std::string& token, const std::string& path = "/mcp") const {
    if (GetParam() == Era::kModern) return As(token, path)->Request(Echo());
    return LegacyClient(gateway.port(), path, "2025-11-25", token).initialized();
  }
  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(gateway.port()) + path;
  }
  Answer Get(const std::string& path) const {
    return gateway.Modern().Raw("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" +
                                std::to_string(gateway.port()) + "\r\n\r\n");
  }
  void ExpectTurnedAway(const Answer& answer, int status, const std::string& error) const {
    EXPECT_EQ(answer.status, status) << answer;
    const auto challenge = answer.headers.find("www-authenticate");
    ASSERT_NE(challenge, answer.headers.end()) << answer;
    EXPECT_THAT(challenge->second, ::testing::StartsWith("Bearer "));
    if (error.empty()) {
      EXPECT_THAT(challenge->second, Not(HasSubstr("error=")));
    } else {
      EXPECT_THAT(challenge->second, HasSubstr("error=\"" + error + "\""));
    }
  }

  FakeServer fake = FakeServer::Modern("a");
  TokenIssuer issuer;
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, Auth, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Auth, AGoodTokenIsLetInAndNeverReachesAServer) {
  StartWithIssuer();
  const std::string token = issuer.Token("alice");
  const auto client = As(token);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  for (const FakeServer::Received& received : fake.received()) {
    EXPECT_FALSE(received.headers.contains("authorization"));
    EXPECT_THAT(received.body, Not(HasSubstr(token)));
    for (const auto& [name, value] : received.headers) EXPECT_THAT(value, Not(HasSubstr(token)));
  }
  EXPECT_TRUE(
      Shows(gateway, GetParam() == Era::kModern
                         ? R"(switchyard_auth_total{endpoint="/mcp",outcome="accepted"} 3)"
                         : R"(switchyard_auth_total{endpoint="/mcp",outcome="accepted"} 5)"));
}

TEST_P(Auth, NoTokenIsAskedForOne) {
  StartWithIssuer(", scopes: ['mcp:use', 'mcp:more']");
  const Answer answer = First("");
  ExpectTurnedAway(answer, 401, "");
  EXPECT_THAT(
      answer.headers.at("www-authenticate"),
      HasSubstr("resource_metadata=\"" + Url("/.well-known/oauth-protected-resource/mcp") + "\""));
  EXPECT_THAT(answer.headers.at("www-authenticate"), HasSubstr(R"(scope="mcp:use mcp:more")"));
  EXPECT_THAT(fake.received("tools/call"), IsEmpty());
}

TEST_P(Auth, ABadTokenIsRefusedAndNotToldWhy) {
  StartWithIssuer("", ", algorithms: [EdDSA]");
  const TokenIssuer stranger;  // of the same name
  const TokenIssuer other("https://other.example");
  std::string body;
  for (const std::string& token :
       {issuer.Token("alice", {{"exp", std::to_string(TokenIssuer::Now() - 3600)}}),
        issuer.Token("alice", {{"nbf", std::to_string(TokenIssuer::Now() + 3600)}}),
        issuer.Token("alice", {{"aud", R"("elsewhere")"}}), issuer.Token("alice", {{"aud", ""}}),
        issuer.Token("alice", {{"exp", ""}}), issuer.Token("alice", {{"sub", ""}}),
        stranger.Token("alice"), other.Token("alice"),
        TokenIssuer("https://issuer.example", Signer::Ec("P-256"), "ES256").Token("alice"),
        std::string("rubbish"), auth::MakeApiKey().text}) {
    const Answer answer = First(token);
    ExpectTurnedAway(answer, 401, "invalid_token");
    if (body.empty()) body = answer.body;
    EXPECT_EQ(answer.body, body);
  }
  EXPECT_EQ(First(issuer.Token("alice")).status, 200);
}

TEST_P(Auth, ATokenIsForTheUrlOfTheEndpointUnlessItsAudienceIsSaid) {
  gateway.With("endpoints", "{team: {servers: [a]}}");
  Start("{issuers: [" + issuer.Config() + "]}");
  const std::string token = issuer.Token("alice", {{"aud", "\"" + Url("/mcp") + "\""}});
  EXPECT_EQ(First(token).status, 200);
  ExpectTurnedAway(First(token, "/mcp/team"), 401, "invalid_token");
  const std::string team = issuer.Token("alice", {{"aud", "[\"x\",\"" + Url("/mcp/team") + "\"]"}});
  EXPECT_EQ(First(team, "/mcp/team").status, 200);
  ExpectTurnedAway(First(team), 401, "invalid_token");
}

TEST_P(Auth, ClaimsMustSayWhatIsRequiredAndScopesMustBeThere) {
  StartWithIssuer(", scopes: [use]", ", required_claims: {tenant: acme}");
  ExpectTurnedAway(First(issuer.Token("alice", {{"scope", R"("use")"}})), 401, "invalid_token");
  const Answer little = First(issuer.Token("alice", {{"tenant", R"("acme")"}}));
  ExpectTurnedAway(little, 403, "insufficient_scope");
  EXPECT_THAT(little.headers.at("www-authenticate"), HasSubstr(R"(scope="use")"));
  EXPECT_EQ(
      First(issuer.Token("alice", {{"tenant", R"(["x","acme"])"}, {"scope", R"("a use")"}})).status,
      200);
}

TEST_P(Auth, ApiKeysAreLetInUntilTheyAreTakenAway) {
  const auth::NewKey one = auth::MakeApiKey(), two = auth::MakeApiKey(), late = auth::MakeApiKey();
  const auto key = [](const std::string& name, const auth::NewKey& made, const std::string& more) {
    return "{name: " + name + ", hash: '" + auth::ToText(made.kept) + "'" + more + "}";
  };
  const std::string old = ", " + key("late", late, ", expires: 2020-01-01");
  Start("{api_keys: [" + key("one", one, "") + ", " + key("two", two, "") + old + "]}");
  const auto client = As(one.text);
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  ExpectTurnedAway(First(late.text), 401, "invalid_token");
  ExpectTurnedAway(First(issuer.Token("alice")), 401, "invalid_token");
  EXPECT_THAT(First("").headers.at("www-authenticate"), Not(HasSubstr("resource_metadata")));
  EXPECT_EQ(Get("/.well-known/oauth-protected-resource/mcp").status, 404);

  gateway.With("auth", "{api_keys: [" + key("two", two, "") + "]}").Reload();
  ExpectTurnedAway(client->Request(Echo()), 401, "invalid_token");
  EXPECT_EQ(First(two.text).status, 200);
}

TEST_P(Auth, ApiKeysOfAFileAreTakenToo) {
  const auth::NewKey made = auth::MakeApiKey();
  const TextFile file("api_keys:\n- {name: filed, hash: '" + auth::ToText(made.kept) + "'}\n");
  Start("{api_keys_file: " + file.path() + "}");
  EXPECT_EQ(First(made.text).status, 200);
  std::ofstream(file.path()) << "api_keys: []\n";
  gateway.Reload();
  ExpectTurnedAway(First(made.text), 401, "invalid_token");
  std::ofstream(file.path()) << "api_keys: [{name: x, hash: y}]\n";
  const Result<void> refused = gateway.TryReload();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("api_keys x.hash"));
}

TEST_P(Auth, WhoSaysNothingIsAnonymousWhereThatIsAllowed) {
  gateway.With("policies",
               "{authorize: {rules: [{effect: allow, who: {subject: alice}},"
               "{effect: allow, what: {tool: echo}}]}}");
  StartWithIssuer(", anonymous: true");
  EXPECT_EQ(As("")->Tools(), std::vector<std::string>{"a__echo"});
  EXPECT_GT(As(issuer.Token("alice"))->Tools().size(), 10U);
  EXPECT_EQ(As(issuer.Token("bob"))->Tools(), std::vector<std::string>{"a__echo"});
  // What is presented has to be good all the same.
  ExpectTurnedAway(First("rubbish"), 401, "invalid_token");
}

TEST_P(Auth, RulesKnowScopesRolesGroupsAndClaimsOfAToken) {
  gateway.With("policies", R"({authorize: {rules: [
      {effect: allow, who: {role: admin}, what: {tool: echo}},
      {effect: allow, who: {group: dev}, what: {tool: mirror}},
      {effect: allow, who: {scope: "files:*"}, what: {tool: exact}},
      {effect: allow, who: {claim: {org.unit: research}}, what: {tool: big}},
      {effect: allow, who: {capability: spend}, what: {tool: pid}}]}})");
  StartWithIssuer("",
                  ", claims: {roles: [realm_access.roles], groups: [groups], "
                  "capabilities: [agent.can]}");
  const auto tools = [&](const TokenIssuer::Claims& claims) {
    return As(issuer.Token("alice", claims))->Tools();
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(tools({{"realm_access", R"({"roles":["user","admin"]})"}}), Names{"a__echo"});
  EXPECT_EQ(tools({{"groups", R"(["dev"])"}}), Names{"a__mirror"});
  EXPECT_EQ(tools({{"scope", R"("openid files:read")"}}), Names{"a__exact"});
  EXPECT_EQ(tools({{"org", R"({"unit":"research"})"}}), Names{"a__big"});
  EXPECT_EQ(tools({{"agent", R"({"can":["spend"]})"}}), Names{"a__pid"});
  EXPECT_EQ(tools({}), Names{});
}

TEST_P(Auth, WhatScopesWouldAllowIsAskedForAtOnceAndWhatIsHiddenNever) {
  gateway.With("policies", R"({authorize: {rules: [
      {effect: allow, what: {tool: echo}, when: {arguments: [{at: /text, glob: "mild*"}]}},
      {effect: allow, who: {scope: [write], all: [{scope: admin}]}, what: {tool: [echo, mirror]}}]}})");
  StartWithIssuer(", scopes: [use]");
  const auto alice = As(issuer.Token("alice", {{"scope", R"("use write")"}}));
  EXPECT_EQ(alice->Call("a__echo", R"({"text":"mild"})").text(), "mild");
  const Answer more = alice->Call("a__echo", R"({"text":"hot"})");
  ExpectTurnedAway(more, 403, "insufficient_scope");
  EXPECT_THAT(more.headers.at("www-authenticate"), HasSubstr(R"(scope="use write admin")"));
  EXPECT_THAT(more.headers.at("www-authenticate"), HasSubstr("resource_metadata="));
  alice->set_token(issuer.Token("alice", {{"scope", R"("use write admin")"}}));
  EXPECT_EQ(alice->Call("a__echo", R"({"text":"hot"})").text(), "hot");
  // Of both at once.
  alice->set_token(issuer.Token("alice", {{"scope", R"("use")"}}));
  EXPECT_THAT(alice->Call("a__echo", R"({"text":"hot"})").headers.at("www-authenticate"),
              HasSubstr(R"(scope="use write admin")"));
  Answer hidden = alice->Call("a__mirror");
  EXPECT_FALSE(hidden.headers.contains("www-authenticate")) << hidden;
  EXPECT_EQ(hidden.status, alice->Call("a__nobody").status);
}

TEST_P(Auth, AnEndpointMaySayItOtherwise) {
  const TokenIssuer own("https://own.example");
  gateway.With("endpoints", "{open: {auth: none}, own: {auth: {issuers: [" +
                                own.Config("audience: [gateway]") + "]}}, same: {}}");
  StartWithIssuer();
  EXPECT_EQ(First("", "/mcp/open").status, 200);
  ExpectTurnedAway(First("", "/mcp/own"), 401, "");
  EXPECT_EQ(First(own.Token("x"), "/mcp/own").status, 200);
  ExpectTurnedAway(First(issuer.Token("x"), "/mcp/own"), 401, "invalid_token");
  EXPECT_EQ(First(issuer.Token("x"), "/mcp/same").status, 200);
  ExpectTurnedAway(First("", "/mcp/same"), 401, "");
}

TEST_P(Auth, MetadataSayWhereTokensComeFrom) {
  gateway.With("endpoints", "{team: {}}");
  StartWithIssuer(", scopes: [use], resource_name: Tools, documentation: 'https://wiki.example/m'");
  const Answer root = Get("/.well-known/oauth-protected-resource");
  EXPECT_EQ(root.status, 200);
  EXPECT_EQ(root.headers.at("content-type"), "application/json");
  EXPECT_EQ(TextAt(root.message(), "/resource"), Url("/mcp"));
  EXPECT_EQ(TextAt(root.message(), "/authorization_servers/0"), "https://issuer.example");
  EXPECT_EQ(TextAt(root.message(), "/scopes_supported/0"), "use");
  EXPECT_EQ(TextAt(root.message(), "/bearer_methods_supported/0"), "header");
  EXPECT_EQ(TextAt(root.message(), "/resource_name"), "Tools");
  EXPECT_EQ(TextAt(root.message(), "/resource_documentation"), "https://wiki.example/m");
  EXPECT_EQ(Get("/.well-known/oauth-protected-resource/mcp").body, root.body);
  const Answer team = Get("/.well-known/oauth-protected-resource/mcp/team");
  EXPECT_EQ(TextAt(team.message(), "/resource"), Url("/mcp/team"));
  EXPECT_THAT(First("", "/mcp/team").headers.at("www-authenticate"),
              HasSubstr("\"" + Url("/.well-known/oauth-protected-resource/mcp/team") + "\""));
  EXPECT_EQ(Get("/.well-known/oauth-protected-resource/mcp/nobody").status, 404);
  EXPECT_EQ(Get("/.well-known/oauth-protected-resource/metrics").status, 404);
  EXPECT_EQ(Get("/.well-known/oauth-protected-resourcemcp").status, 404);
}

TEST_P(Auth, ThePublicUrlIsWhatClientsAreToldAndTokensAreFor) {
  gateway.With("listen",
               "{address: '127.0.0.1:0', public_url: 'https://mcp.example.com',"
               "allowed_hosts: [mcp.example.com, 127.0.0.1]}");
  Start("{issuers: [" + issuer.Config() + "]}");
  EXPECT_THAT(First("").headers.at("www-authenticate"),
              HasSubstr("\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""));
  const Answer told = Get("/.well-known/oauth-protected-resource/mcp");
  EXPECT_EQ(TextAt(told.message(), "/resource"), "https://mcp.example.com/mcp");
  EXPECT_EQ(First(issuer.Token("a", {{"aud", R"("https://mcp.example.com/mcp")"}})).status, 200);
  ExpectTurnedAway(First(issuer.Token("a", {{"aud", "\"" + Url("/mcp") + "\""}})), 401,
                   "invalid_token");
}

TEST_P(Auth, AReloadCannotOpenAListenerThatOthersReach) {
  gateway.With("listen", "{address: '0.0.0.0:0', public_url: 'http://mcp.example.com'}");
  Start("{issuers: [" + issuer.Config("audience: [gateway]") + "]}");
  ASSERT_EQ(First(issuer.Token("a", {{"aud", R"("gateway")"}})).status, 200);
  // An address that a reload does not take up says nothing of who can reach this one.
  gateway.With("listen", "{address: '127.0.0.1:0'}").Without("auth");
  const Result<void> reloaded = gateway.TryReload();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, HasSubstr("other machines can reach 0.0.0.0"));
  ExpectTurnedAway(First(""), 401, "");
}

TEST_P(Auth, BrowsersMayAskWithoutATokenWhetherTheyMaySendOne) {
  gateway.With("listen", "{address: '127.0.0.1:0', allowed_origins: ['https://app.example']}");
  StartWithIssuer();
  const std::string host = "Host: 127.0.0.1:" + std::to_string(gateway.port());
  const Answer asked = gateway.Modern().Raw("OPTIONS /mcp HTTP/1.1\r\n" + host +
                                            "\r\nOrigin: https://app.example\r\n\r\n");
  EXPECT_EQ(asked.status, 204);
  EXPECT_THAT(asked.headers.at("access-control-allow-headers"), HasSubstr("Authorization"));
  const Answer foreign = gateway.Modern().Raw("OPTIONS /mcp HTTP/1.1\r\n" + host +
                                              "\r\nOrigin: https://evil.example\r\n\r\n");
  EXPECT_EQ(foreign.status, 403);
  const Answer page = gateway.Modern().Raw("DELETE /mcp HTTP/1.1\r\n" + host +
                                           "\r\nOrigin: https://app.example\r\n\r\n");
  EXPECT_EQ(page.status, 401);
  EXPECT_THAT(page.headers.at("access-control-expose-headers"), HasSubstr("WWW-Authenticate"));
}

TEST_P(Auth, TheExampleOfItsPageDoesWhatItSays) {
  gateway.With("endpoints", FromPolicyPage("../auth", 0, "endpoints"));
  Start(FromPolicyPage("../auth", 0, "auth"));
  ExpectTurnedAway(First(""), 401, "");
  ExpectTurnedAway(First(issuer.Token("alice")), 401, "invalid_token");
  EXPECT_EQ(First("", "/mcp/public").status, 200);
  const Answer told = Get("/.well-known/oauth-protected-resource");
  EXPECT_EQ(TextAt(told.message(), "/authorization_servers/0"),
            "https://login.example.com/realms/team");
}

class AuthSessions : public Auth {
 protected:
  // The same request about an id that is somebody else's and about one that nobody has.
  static void ExpectAlike(const Answer& foreign, const Answer& unknown) {
    EXPECT_EQ(foreign.status, unknown.status) << foreign;
    EXPECT_EQ(foreign.body, unknown.body);
    EXPECT_EQ(foreign.headers, unknown.headers);
  }
};
INSTANTIATE_TEST_SUITE_P(Era, AuthSessions, ::testing::Values(Era::kLegacy), EraWord);

TEST_P(AuthSessions, AForeignSessionIsUnknownWhateverIsAskedOfIt) {
  StartWithIssuer(", anonymous: true");
  LegacyClient alice(gateway.port(), "/mcp", "2025-11-25", issuer.Token("alice"));
  ASSERT_FALSE(alice.session().empty());
  for (const std::string& token : {issuer.Token("bob"), std::string(),
                                   issuer.Token("alice", {{"client_id", R"("other-app")"}})}) {
    LegacyClient bob(gateway.port(), "/mcp", "2025-11-25", token);
    const std::string own = bob.session();
    for (const char* verb : {"POST", "GET", "DELETE"}) {
      const auto ask = [&](const std::string& session) {
        bob.set_session(session);
        if (std::string(verb) == "GET") return bob.OpenStream().Finish();
        if (std::string(verb) == "DELETE") return bob.EndSession();
        Ask echo = Echo();
        echo.id = "7";
        return bob.Request(echo);
      };
      const Answer foreign = ask(alice.session());
      EXPECT_EQ(foreign.status, 404) << verb;
      ExpectAlike(foreign, ask("nobody-has-this"));
    }
    bob.set_session(own);
    EXPECT_EQ(bob.Request(Echo()).text(), "x");
  }
  // A new token of the same person and client goes on.
  alice.set_token(issuer.Token("alice", {{"jti", R"("2")"}, {"scope", R"("more")"}}));
  EXPECT_EQ(alice.Request(Echo()).text(), "x");
  alice.EndSession();
}

// For the thread sanitizer as much as for what it sees.
TEST_P(AuthSessions, CallersWhoHammerTheSameIdsNeverSeeEachOther) {
  StartWithIssuer();
  LegacyClient shared(gateway.port(), "/mcp", "2025-11-25", issuer.Token("user-0"));
  std::atomic<int> wrong{0}, right{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) {
    threads.emplace_back([&, n] {
      const std::string name = "user-" + std::to_string(n);
      LegacyClient client(gateway.port(), "/mcp", "2025-11-25", issuer.Token(name));
      ModernClient modern(gateway.port(), "/mcp", issuer.Token(name));
      const std::string own = client.session();
      for (int i = 0; i < 20; ++i) {
        Ask ask = Echo();
        ask.id = "1";  // the same of all
        ask.members = R"("name":"a__echo","arguments":{"text":")" + name + "\"}";
        if (modern.Request(ask).text() != name) ++wrong;
        client.set_session(own);
        if (client.Request(ask).text() != name) ++wrong;
        client.set_session(shared.session());
        const Answer stolen = client.Request(ask);
        const bool mine = n == 0;
        if (mine ? stolen.text() != name : stolen.status != 404) ++wrong;
        ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(right, 60);
}

}  // namespace
}  // namespace switchyard::tests
