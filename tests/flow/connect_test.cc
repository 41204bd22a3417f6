// Accounts that users connect in a browser, in a whole gateway: from a call that needs one, by the
// gateway's own page, to the call that is made with it.
#include "flow/connect.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "support/becomes.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// By the era of the server.
class Connect : public ConnectFixture, public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& keys = "client_id: me, issuer: 'https://as.example'") {
    Says(fake.url(), keys).Start();
  }

  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
};

INSTANTIATE_TEST_SUITE_P(Era, Connect, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(Connect, AModernClientIsAskedAndItsCallGoesOn) {
  Start();
  ModernClient client = Modern();
  const Answer asked = Echo(client);
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  EXPECT_EQ(TextAt(asked.message(), "/result/inputRequests/switchyard_connect/method"),
            "elicitation/create");
  EXPECT_TRUE(fake.received("tools/call").empty());
  const std::string back = R"(,"inputResponses":{"switchyard_connect":{"action":"accept"}})";
  EXPECT_EQ(LinkIn(Echo(client, "x", back)), LinkIn(asked)) << "the same while it is open";
  const Answer done = Browser(gateway.port()).Connect(LinkIn(asked), authorization);
  EXPECT_THAT(done.body, HasSubstr("<h1>Connected</h1>"));
  EXPECT_EQ(Echo(client, "x", back).text(), "x");
  const auto sent = fake.received("tools/call").back();
  EXPECT_EQ(Shown(sent), "Bearer access-1");
  EXPECT_THAT(sent.body, Not(HasSubstr("inputResponses")));
  EXPECT_EQ(Echo(client, "again").text(), "again");
  EXPECT_TRUE(
      Shows(gateway, R"(switchyard_credentials_tokens_total{server="a",outcome="connected"} 1)"));
}

TEST_P(Connect, ALegacyClientIsAskedOnTheStreamOfItsCall) {
  Start();
  LegacyClient client = Legacy("alice", kUrls);
  Exchange call = client.BeginCall("a__echo", R"({"text":"x"})");
  const std::string question = call.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(question), "/method"), "elicitation/create") << question;
  EXPECT_EQ(TextAt(Parse(question), "/params/mode"), "url");
  const std::string id = TextAt(Parse(question), "/params/elicitationId");
  EXPECT_EQ(client.Post(AnswerTo(question, R"({"action":"accept"})"), {}).status, 202);
  const std::string link = TextAt(Parse(question), "/params/url");
  EXPECT_THAT(Browser(gateway.port()).Connect(link, authorization).body,
              HasSubstr("<h1>Connected</h1>"));
  const std::string complete = call.NextEvent().value_or("");
  EXPECT_EQ(TextAt(Parse(complete), "/method"), "notifications/elicitation/complete") << complete;
  EXPECT_EQ(TextAt(Parse(complete), "/params/elicitationId"), id);
  EXPECT_EQ(TextAt(Parse(call.NextEvent().value_or("")), "/result/content/0/text"), "x");
  EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer access-1");
}

TEST_P(Connect, WhoCannotBeAskedIsToldTheAddress) {
  Start();
  ModernClient modern = Modern("alice", "{}");
  LegacyClient legacy = Legacy("alice", "{}");
  LegacyClient older = Legacy("alice", kUrls, "2025-06-18");
  for (Client* client : std::initializer_list<Client*>{&modern, &legacy, &older}) {
    const Answer answer = Echo(*client);
    EXPECT_EQ(answer.at("/result/isError"), true) << answer;
    EXPECT_THAT(answer.text(), HasSubstr("open this page in a browser"));
    EXPECT_THAT(answer.text(), HasSubstr("/connect/"));
  }
  EXPECT_TRUE(fake.received("tools/call").empty());
}

TEST_P(Connect, WhoDeclinesIsNotAskedOnAndOn) {
  Start();
  ModernClient client = Modern();
  Echo(client);
  for (const char* action : {"decline", "cancel"}) {
    const Answer answer = Echo(
        client, "x",
        R"(,"inputResponses":{"switchyard_connect":{"action":")" + std::string(action) + "\"}}");
    EXPECT_THAT(answer.text(), HasSubstr("the user did not connect an account")) << answer;
  }
  EXPECT_TRUE(fake.received("tools/call").empty());
}

TEST_P(Connect, EachCallerHasAnOwnAccount) {
  Start();
  Connect::ConnectFixture::Connect("alice");
  ModernClient bob = Modern("bob");
  EXPECT_NE(LinkIn(Echo(bob)), "");
  EXPECT_TRUE(fake.received("tools/call").empty());
  Connect::ConnectFixture::Connect("bob");
  ModernClient alice = Modern("alice");
  EXPECT_EQ(Echo(alice, "of alice").text(), "of alice");
  EXPECT_EQ(Echo(bob, "of bob").text(), "of bob");
  const auto calls = fake.received("tools/call");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(Shown(calls[0]), "Bearer access-1");
  EXPECT_EQ(Shown(calls[1]), "Bearer access-2");
}

TEST_P(Connect, WhoProvedNothingConnectsNothing) {
  gateway.Without("auth");
  Says(fake.url(), "").With("auth", "none").Start();
  ModernClient client(gateway.port());
  client.set_capabilities(kUrls);
  EXPECT_THAT(Echo(client).body, HasSubstr("did not say who it is"));
}

TEST_P(Connect, ATokenIsReplacedBeforeItEndsAndSurvivesARestart) {
  Start();
  Connect::ConnectFixture::Connect("alice");
  clock.Advance(std::chrono::hours(2));
  ModernClient one = Modern();
  EXPECT_EQ(Echo(one).text(), "x");
  EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer access-2");
  EXPECT_EQ(authorization.forms().back().at("refresh_token"), "refresh-1");
  EXPECT_EQ(authorization.forms().back().at("client_id"), "me");
  gateway.Stop();
  gateway.Start();
  ModernClient other = Modern();
  EXPECT_EQ(Echo(other).text(), "x");
  EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer access-2");
  for (const auto& file : std::filesystem::directory_iterator(directory.Path("vault"))) {
    std::ifstream in(file.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(text, Not(HasSubstr("access-"))) << file.path();
  }
}

TEST_P(Connect, WhatWasRevokedIsAskedForAnew) {
  Start();
  Connect::ConnectFixture::Connect("alice");
  authorization.Revoke();
  clock.Advance(std::chrono::hours(2));
  EXPECT_NE(LinkFor("alice"), "");
  Connect::ConnectFixture::Connect("alice");
  ModernClient client = Modern();
  EXPECT_EQ(Echo(client).text(), "x");
}

TEST_P(Connect, AnAuthorizationServerThatIsDownTakesNoConnectionAway) {
  Start();
  Connect::ConnectFixture::Connect("alice");
  authorization.Fails(true);
  clock.Advance(std::chrono::hours(2));
  ModernClient client = Modern();
  EXPECT_THAT(Echo(client).body, HasSubstr("no token for it could be had"));
  authorization.Fails(false);
  clock.Advance(std::chrono::minutes(2));
  client.HangUp();
  EXPECT_EQ(Echo(client).text(), "x");
}

TEST_P(Connect, ManyCallsReplaceATokenOnce) {
  Start();
  Connect::ConnectFixture::Connect("alice");
  clock.Advance(std::chrono::hours(2));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      ModernClient client = Modern();
      EXPECT_EQ(Echo(client).text(), "x");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(authorization.forms().size(), 2U);
}

TEST_P(Connect, OperatorsSeeAndForgetConnections) {
  Start();
  Connect::ConnectFixture::Connect("alice");
  const Answer all = Admin("GET");
  EXPECT_EQ(all.at("/connections/0/server"), "a") << all;
  EXPECT_EQ(all.at("/connections/0/issuer"), "https://as.example");
  EXPECT_EQ(all.at("/connections/0/caller/subject"), "alice");
  EXPECT_THAT(all.body, Not(HasSubstr("access-")));
  const std::string whose =
      R"({"server":"a","action":"forget","caller":{"issuer":"https://issuer.example","subject":")";
  EXPECT_EQ(Admin("POST", whose + "bob\"}}").status, 404);
  EXPECT_EQ(Admin("POST", whose + "\"}}").status, 400);
  EXPECT_EQ(Admin("POST", whose + "alice\"}}").status, 200);
  EXPECT_EQ(Admin("GET").body, R"({"connections":[]})");
  EXPECT_NE(LinkFor("alice"), "");
  EXPECT_TRUE(fake.received("tools/call").empty());
  const std::string path = "/admin/connections";
  EXPECT_EQ(Browser(gateway.port()).Get(path).status, 401);
}

TEST_P(Connect, TheGatewaysOwnRequestsGoByAnAccountOfTheirs) {
  Start();
  const Answer offered = Admin("POST", R"({"server":"a","action":"connect"})");
  Browser browser(gateway.port());
  const std::string link = TextAt(offered.message(), "/url");
  EXPECT_THAT(browser.Get(Browser::PathOf(link)).body, HasSubstr("the gateway itself"));
  EXPECT_THAT(browser.Connect(link, authorization).body, HasSubstr("<h1>Connected</h1>"));
  EXPECT_EQ(Admin("POST", R"({"server":"b","action":"connect"})").status, 404);
  ModernClient client = Modern();
  EXPECT_NE(LinkIn(Echo(client)), "") << "it is nobody else's";
}

TEST_P(Connect, TheGatewayRegistersItselfOnce) {
  authorization.registers = true;
  Start("");
  Connect::ConnectFixture::Connect("alice");
  Connect::ConnectFixture::Connect("bob");
  EXPECT_EQ(authorization.registered(), 1);
  EXPECT_EQ(authorization.forms().back().at("client_id"), "registered");
}

TEST_P(Connect, TheGatewayIsKnownByADocumentOfItsOwn) {
  authorization.takes_documents = true;
  authorization.registers = true;
  gateway.With("listen",
               "{address: '127.0.0.1:0', public_url: 'https://mcp.example.com', "
               "allowed_hosts: ['127.0.0.1', mcp.example.com]}");
  Start("");
  Browser browser(gateway.port());
  const Answer document = browser.Get("/connect/client/a");
  const std::string url = "https://mcp.example.com/connect/client/a";
  EXPECT_EQ(TextAt(document.message(), "/client_id"), url);
  const std::string link = LinkFor("alice");
  EXPECT_TRUE(link.starts_with("https://mcp.example.com/connect/")) << link;
  const std::string path = Browser::PathOf(link);
  const Answer page = browser.Get(path);
  EXPECT_THAT(page.headers.at("set-cookie"), HasSubstr("__Host-switchyard-connect="));
  EXPECT_THAT(page.headers.at("set-cookie"), HasSubstr("; HttpOnly; SameSite=Lax; Secure"));
  const Answer sent =
      browser.Post(path, "proof=" + Browser::Between(page.body, R"(name="proof" value=")", "\""),
                   "https://mcp.example.com");
  const std::string next = Browser::Next(sent);
  EXPECT_EQ(FakeAuthorization::Query(next).at("client_id"), url);
  EXPECT_EQ(authorization.registered(), 0);
  const std::string back = FakeAuthorization::Query(next).at("redirect_uri");
  EXPECT_EQ(back, TextAt(document.message(), "/redirect_uris/0"));
  EXPECT_THAT(browser.Get(Browser::PathOf(back) + "?" + authorization.Agree(next)).body,
              HasSubstr("<h1>Connected</h1>"));
  EXPECT_EQ(authorization.forms().back().at("client_id"), url);
}

}  // namespace
}  // namespace switchyard::tests
