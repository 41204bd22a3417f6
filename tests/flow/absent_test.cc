// Clients that ask for things of servers of which nothing is known, since they are starting or
// down: they are told so, and not that there is no such tool.
#include <gtest/gtest.h>

#include "flow/authorize.h"
#include "support/becomes.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

constexpr const char* kStarting = "server a is starting, try again in a moment";

// Lists when it is told to.
void LetWait(FakeServer& fake) {
  for (const char* kind : {"tools", "prompts"}) {
    const std::string key = kind;
    fake.surface().OnMethod(key + "/list", [key](Turn& turn) {
      if (!turn.Wait(turn.surface().Named("may list"))) return;
      turn.Result(key == "tools" ? R"("tools":[{"name":"echo","inputSchema":{"type":"object"}}])"
                                 : R"("prompts":[{"name":"greet"}])");
    });
  }
}

class FirstCall : public ::testing::TestWithParam<Era> {
 protected:
  FirstCall() { LetWait(fake); }
  void Start(const std::string& keys = "") {
    gateway.Serves("a", fake, keys).StartWithoutWaiting();
    client = NewClient();
  }
  std::unique_ptr<Client> NewClient(const std::string& path = "/mcp") const {
    return gateway.ClientOf(GetParam(), path);
  }
  static void ExpectStarting(const Answer& answer) { ExpectUnavailable(answer, kStarting); }
  static void ExpectUnavailable(const Answer& answer, const std::string& why) {
    EXPECT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.code(), -32603) << answer;
    EXPECT_TRUE(TextAt(answer.message(), "/error/message").starts_with(why)) << answer;
    EXPECT_EQ(TextAt(answer.message(), "/error/data/code"), "unavailable") << answer;
    EXPECT_EQ(answer.at("/error/data/retryable"), json::value(true)) << answer;
  }
  static void ExpectUnknown(const Answer& answer) {
    EXPECT_EQ(answer.code(), -32602) << answer;
    EXPECT_TRUE(answer.Contains("unknown ")) << answer;
  }

  FakeServer fake = GetParam() == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  Gateway gateway;
  std::unique_ptr<Client> client;
};

INSTANTIATE_TEST_SUITE_P(Era, FirstCall, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(FirstCall, IsToldThatItsServerIsStartingAndServedOnceItIsUp) {
  Start();
  ExpectStarting(client->Call("a__echo", R"({"text":"x"})"));
  ExpectStarting(client->Request({.method = "prompts/get", .members = R"("name":"a__greet")"}));
  ExpectStarting(client->Request({.method = "resources/read", .members = R"("uri":"file:///x")"}));
  ExpectUnknown(client->Call("b__echo"));
  ExpectUnknown(client->Call("echo"));
  fake.surface().Named("may list").Set();
  Answer answer;
  EXPECT_TRUE(Becomes([&] {
    answer = client->Call("a__echo", R"({"text":"x"})");
    return answer.text() == "x";
  })) << answer;
  ExpectUnknown(client->Call("a__nothing"));
}

TEST_P(FirstCall, OfAServerThatWasFoundDownIsToldWhy) {
  fake.Down();
  fake.ExpectComplaints();
  gateway.Serves("a", fake).Start();
  client = NewClient();
  ExpectUnavailable(client->Call("a__echo"), "server a is down: ");
  const Answer read =
      client->Request({.method = "resources/read", .members = R"("uri":"file:///x")"});
  EXPECT_TRUE(
      read.Contains("resource not found: file:///x; it may be of server a, which is down: "))
      << read;
  EXPECT_EQ(TextAt(read.message(), "/error/data/uri"), "file:///x") << read;
  EXPECT_EQ(read.code(), GetParam() == Era::kModern ? -32602 : -32002) << read;
  ExpectUnavailable(client->Request({.method = "resources/read",
                                     .members = R"("uri":"switchyard://a/file:///x")"}),
                    "server a is down: ");
  ExpectUnknown(client->Call("b__echo"));
}

TEST_P(FirstCall, IsNotToldOfServersThatItsEndpointDoesNotShow) {
  FakeServer other = FakeServer::Modern("b");
  gateway.Serves("b", other)
      .With("endpoints",
            "{others: {servers: [b]}, "
            "plain: {servers: [a], transparent: true}, "
            "reads: {servers: [a], tools: {include: [a__read_*]}}}");
  Start();
  ExpectUnknown(NewClient("/mcp/others")->Call("a__echo"));
  ExpectUnknown(NewClient("/mcp/reads")->Call("a__echo"));
  ExpectStarting(NewClient("/mcp/reads")->Call("a__read_x"));
  ExpectStarting(NewClient("/mcp/plain")->Call("echo"));
}

struct FirstCallUnderRules : Authorize {
  FirstCallUnderRules() { LetWait(fake); }
  void Start(const std::string& rules) {
    gateway.Serves("a", fake)
        .With("policies", "{authorize: {rules: [" + rules + "]}}")
        .StartWithoutWaiting();
  }
};

INSTANTIATE_TEST_SUITE_P(Era, FirstCallUnderRules, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(FirstCallUnderRules, NoNameTellsWhatRulesHideOfAServerThatIsStarting) {
  const Ask hidden{.method = "tools/call", .members = R"("name":"a__secret_x","arguments":{})"};
  Start("{effect: allow}, {effect: deny, what: {tool: secret_x}}");
  EXPECT_TRUE(NewClient()->Call("a__echo").Contains(kStarting));
  ExpectAlike(hidden, "a__secret_x", "a__nobody_x");
}

TEST_P(FirstCallUnderRules, ToWhomAServerDoesNotExistItIsNotStarting) {
  Start("{effect: deny}");
  EXPECT_FALSE(NewClient()->Call("a__echo").Contains(kStarting));
  ExpectAlike({.method = "tools/call", .members = R"("name":"a__hold","arguments":{})"}, "a__hold",
              "z__hold");
}

}  // namespace
}  // namespace switchyard::tests
