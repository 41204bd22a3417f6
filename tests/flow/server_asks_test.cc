// Servers of both eras, over HTTP and as children, that ask a modern client something in the middle
// of its call.
#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "flow/matrix.h"
#include "support/becomes.h"

namespace switchyard::tests {
namespace {

constexpr const char* kEverything =
    R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}})";

std::string Form(const std::string& message) {
  return R"({"method":"elicitation/create","params":{"mode":"form","message":)" + Quote(message) +
         R"(,"requestedSchema":{"type":"object","properties":{}}}})";
}
const std::string kSampling =
    R"({"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}})";

// Every server, and clients that can be asked. The client's era is modern throughout.
class ServerAsks : public Matrix {
 protected:
  // Not Matrix::client: one that says what it offers.
  ModernClient Asked(const std::string& capabilities = kEverything,
                     const std::string& path = "/mcp") const {
    ModernClient one = gateway.Modern(path);
    one.set_capabilities(capabilities);
    return one;
  }
  static Answer Call(Client& one, const std::string& arguments, const std::string& more = "",
                     const std::string& tool = "a__ask") {
    return one.Request({.method = "tools/call",
                        .members = R"("name":")" + tool + R"(","arguments":)" + arguments + more});
  }
  static std::string Key(const Answer& asked) {
    const json::value requests = asked.at("/result/inputRequests");
    if (!requests.is_object() || requests.as_object().empty()) return {};
    return requests.as_object().begin()->key();
  }
  static std::string State(const Answer& asked) {
    return TextAt(asked.message(), "/result/requestState");
  }
  static std::string Back(const Answer& asked, const std::string& answer) {
    return R"(,"inputResponses":{")" + Key(asked) + R"(":)" + answer + R"(},"requestState":)" +
           Quote(State(asked));
  }
  bool legacy_server() const { return server_era() == Era::kLegacy; }
};

INSTANTIATE_TEST_SUITE_P(EveryServer, ServerAsks,
                         ::testing::Combine(::testing::Values(Era::kModern),
                                            ::testing::Values(Kind::kHttp, Kind::kChild),
                                            ::testing::Values(Era::kModern, Era::kLegacy)),
                         NameOf);

TEST_P(ServerAsks, QuestionsOfAllKindsReachTheClientAndItsAnswersTheServer) {
  Begin();
  ModernClient one = Asked();
  const std::vector<std::array<std::string, 3>> kinds = {
      {"elicitation/create", Form("Which?"), R"({"action":"accept","content":{"s":"eng"}})"},
      {"elicitation/create",
       R"({"method":"elicitation/create","params":{"mode":"url","message":"Log in","url":"https://x.y/"}})",
       R"({"action":"accept"})"},
      {"sampling/createMessage", kSampling,
       R"({"role":"assistant","content":{"type":"text","text":"hi"},"model":"m"})"},
      {"roots/list", R"({"method":"roots/list","params":{}})",
       R"({"roots":[{"uri":"file:///r"}]})"}};
  for (const auto& [method, arguments, answer] : kinds) {
    const Answer asked = Call(one, arguments);
    EXPECT_EQ(asked.status, 200);
    EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
    EXPECT_EQ(TextAt(asked.message(), "/result/inputRequests/" + Key(asked) + "/method"), method)
        << asked;
    if (method == "elicitation/create") {
      const std::string message =
          TextAt(asked.message(), "/result/inputRequests/" + Key(asked) + "/params/message");
      EXPECT_TRUE(message.starts_with("[a] ")) << message;
    }
    const Answer done = Call(one, arguments, Back(asked, answer));
    EXPECT_EQ(Parse(done.text()), Parse(answer)) << done;
    EXPECT_EQ(TextAt(done.message(), "/result/resultType"), "complete");
  }
}

TEST_P(ServerAsks, ManyCallersAtOnceAreNeverCrossed) {
  Begin();
  std::vector<std::thread> callers;
  std::array<std::string, 8> heard, got;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    callers.emplace_back([this, i, &heard, &got] {
      const std::string own = "caller " + std::to_string(i);
      ModernClient one = Asked();
      const std::string arguments = Form(own);
      const Answer asked = Call(one, arguments);
      heard[i] = TextAt(asked.message(), "/result/inputRequests/" + Key(asked) + "/params/message");
      // On a connection of its own, so perhaps at another worker.
      ModernClient other = Asked();
      got[i] = TextAt(
          Parse(Call(other, arguments,
                     Back(asked, R"({"action":"accept","content":{"own":)" + Quote(own) + "}}"))
                    .text()),
          "/content/own");
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i], "[a] caller " + std::to_string(i));
    EXPECT_EQ(got[i], "caller " + std::to_string(i));
  }
}

TEST_P(ServerAsks, AStateForOtherArgumentsOrTamperedWithIsRefused) {
  Begin();
  ModernClient one = Asked();
  const Answer asked = Call(one, Form("Which?"));
  const std::string yes = R"({"action":"accept","content":{}})";
  const Answer other = Call(one, Form("Another"), Back(asked, yes));
  EXPECT_EQ(other.code(), -32602) << other;
  std::string tampered = Back(asked, yes);
  tampered[tampered.size() - 20] = tampered[tampered.size() - 20] == 'A' ? 'B' : 'A';
  const Answer changed = Call(one, Form("Which?"), tampered);
  EXPECT_EQ(changed.code(), -32602) << changed;
  EXPECT_EQ(TextAt(changed.message(), "/error/message"), TextAt(other.message(), "/error/message"));
  EXPECT_EQ(Call(one, Form("Which?"), Back(asked, yes)).code(), 0);
  const Answer replayed = Call(one, Form("Which?"), Back(asked, yes));
  EXPECT_EQ(replayed.code(), -32602) << replayed;
  EXPECT_EQ(TextAt(replayed.message(), "/error/message"),
            TextAt(other.message(), "/error/message"));
}

TEST_P(ServerAsks, WhatTheClientDoesNotOfferIsNotAskedOfIt) {
  Begin();
  ModernClient forms = Asked(R"({"elicitation":{"form":{}}})");
  const Answer sampling = Call(forms, kSampling);
  if (legacy_server()) {
    EXPECT_EQ(sampling.text(), "error -32601") << sampling;
  } else {
    EXPECT_EQ(sampling.code(), -32021) << sampling;
    EXPECT_EQ(sampling.status, 400);
    EXPECT_TRUE(sampling.at("/error/data/requiredCapabilities/sampling").is_object()) << sampling;
  }
  ModernClient plain = Asked("{}");
  EXPECT_FALSE(Call(plain, Form("Which?")).Contains("input_required"));
}

TEST_P(ServerAsks, ATransparentEndpointShowsTheQuestionWordForWord) {
  gateway.With("endpoints", "{as-is: {servers: [a], transparent: true}}");
  Begin();
  ModernClient one = Asked(kEverything, "/mcp/as-is");
  const Answer asked = Call(one, Form("Which?"), "", "ask");
  EXPECT_EQ(TextAt(asked.message(), "/result/inputRequests/" + Key(asked) + "/params/message"),
            "Which?")
      << asked;
  const Answer done = Call(one, Form("Which?"), Back(asked, R"({"action":"cancel"})"), "ask");
  EXPECT_EQ(Parse(done.text()), Parse(R"({"action":"cancel"})")) << done;
  const Answer elsewhere = Call(one, Form("Which?"), Back(asked, R"({"action":"cancel"})"), "ask");
  EXPECT_EQ(elsewhere.code(), -32602);
}

// Legacy servers keep the call: what happens to it while it is parked.
class LegacyServerAsks : public ServerAsks {};

INSTANTIATE_TEST_SUITE_P(BothTransports, LegacyServerAsks,
                         ::testing::Combine(::testing::Values(Era::kModern),
                                            ::testing::Values(Kind::kHttp, Kind::kChild),
                                            ::testing::Values(Era::kLegacy)),
                         NameOf);

TEST_P(LegacyServerAsks, ACallMayAskMoreThanOnce) {
  Begin();
  ModernClient one = Asked();
  const std::string thrice = R"({"times":3,)" + Form("Which?").substr(1);
  Answer asked = Call(one, thrice);
  for (int i = 0; i < 2; ++i) {
    const std::string before = State(asked);
    asked = Call(one, thrice, Back(asked, R"({"action":"decline"})"));
    EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
    EXPECT_NE(State(asked), before);
  }
  const Answer done = Call(one, thrice, Back(asked, R"({"action":"decline"})"));
  EXPECT_EQ(Parse(done.text()), Parse(R"({"action":"decline"})")) << done;
}

TEST_P(LegacyServerAsks, AParkedCallHoldsUpNobodyWhoAsksNothing) {
  Begin();
  ModernClient one = Asked();
  const Answer asked = Call(one, Form("Which?"));
  ASSERT_FALSE(State(asked).empty()) << asked;
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(gateway.Legacy().Call("a__echo", R"({"text":"y"})").text(), "y");
  ModernClient page = gateway.Modern();
  const std::string metrics =
      page.Raw("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(gateway.port()) +
               "\r\n\r\n")
          .body;
  EXPECT_TRUE(metrics.contains("switchyard_parked_calls 1")) << metrics;
}

TEST_P(LegacyServerAsks, WhoeverDoesNotComeBackCancelsTheCall) {
  gateway.With("limits", "{parked_for: 200ms}");
  Begin();
  ModernClient one = Asked();
  const Answer asked = Call(one, Form("Which?"));
  ASSERT_FALSE(State(asked).empty()) << asked;
  // It ends cancelled: an answer to its question, were it first, would let it go on to its end.
  EXPECT_TRUE(Happens("cancelled"));
  EXPECT_EQ(Call(one, Form("Which?"), Back(asked, R"({"action":"accept"})")).code(), -32602);
}

TEST_P(LegacyServerAsks, ARetryThatTheClientDropsCancelsTheCall) {
  Begin();
  ModernClient one = Asked();
  const std::string arguments = R"({"label":"x"})";
  const Answer asked = Call(one, arguments, "", "a__ask_and_hold");
  ASSERT_FALSE(State(asked).empty()) << asked;
  Exchange retry = one.Begin({.method = "tools/call",
                              .members = R"("name":"a__ask_and_hold","arguments":)" + arguments +
                                         Back(asked, R"({"roots":[]})")});
  ASSERT_TRUE(Happens("started:x"));
  one.Cancel(retry);
  EXPECT_TRUE(Happens("cancelled:x"));
}

TEST_P(LegacyServerAsks, TooManyParkedCallsAreRefusedClearly) {
  gateway.With("limits", "{parked_calls_per_caller: 1}");
  Begin();
  ModernClient one = Asked();
  const Answer first = Call(one, Form("Which?"));
  ASSERT_FALSE(State(first).empty()) << first;
  const Answer second = Call(one, Form("Which?"));
  EXPECT_EQ(second.code(), -32603) << second;
  EXPECT_TRUE(second.Contains("too many calls wait")) << second;
  EXPECT_EQ(Call(one, Form("Which?"), Back(first, R"({"action":"decline"})")).code(), 0);
  EXPECT_FALSE(State(Call(one, Form("Which?"))).empty());
}

std::string PidOfChild(const Gateway& gateway) { return gateway.Modern().Call("a__pid").text(); }

// The child is there, started anew.
bool IsAnotherThan(const std::string& before, const Gateway& gateway) {
  return Becomes([&] {
    const std::string now = PidOfChild(gateway);
    return !now.empty() && now != before;
  });
}

TEST_P(LegacyServerAsks, ACallThatBreaksWhileItIsParkedIsAnErrorToTheRetry) {
  Begin();
  ModernClient one = Asked();
  const std::string arguments = R"({"label":"x"})";
  const Answer asked = Call(one, arguments, "", "a__ask_and_die");
  ASSERT_FALSE(State(asked).empty()) << asked;
  const std::string before = over_http() ? "" : PidOfChild(gateway);
  gateway.Modern().Call("a__release", arguments);  // a child may die of it before it answers
  if (over_http()) {
    fake->ExpectComplaints();  // the retry's answer may come before the break is noticed
  } else {
    EXPECT_TRUE(IsAnotherThan(before, gateway));
  }
  const Answer retry = Call(one, arguments, Back(asked, R"({"roots":[]})"), "a__ask_and_die");
  EXPECT_EQ(retry.code(), -32603) << retry;
  EXPECT_FALSE(State(Call(one, Form("Which?"))).empty());
}

TEST(AChildThatIsKilled, WhileItsCallIsParkedIsAnErrorToTheRetryAndComesBack) {
  Gateway gateway;
  gateway.ServesChild("a", {"--era", "legacy"}).Start();
  ModernClient one = gateway.Modern();
  one.set_capabilities(kEverything);
  const Ask ask{.method = "tools/call", .members = R"("name":"a__ask","arguments":)" + Form("?")};
  const Answer asked = one.Request(ask);
  const std::string state = TextAt(asked.message(), "/result/requestState");
  ASSERT_FALSE(state.empty()) << asked;
  const std::string pid = PidOfChild(gateway);
  ASSERT_EQ(::kill(std::stoi(pid), SIGKILL), 0);
  EXPECT_TRUE(IsAnotherThan(pid, gateway));
  Ask retry = ask;
  retry.members += R"(,"inputResponses":{"q1":{"action":"accept"}},"requestState":)" + Quote(state);
  const Answer killed = one.Request(retry);
  EXPECT_EQ(killed.code(), -32603) << killed;
  EXPECT_TRUE(killed.Contains("signal 9")) << killed;
  EXPECT_TRUE(one.Request(ask).Contains("input_required"));
}

TEST(LegacyServersAreTold, OnlyWhatTheClientOfTheSessionOffers) {
  FakeServer fake = FakeServer::Legacy("a");
  Gateway gateway;
  gateway.Serves("a", fake).ServesChild("c", {"--era", "legacy"}).Start();
  const auto told = [&gateway](const std::string& server, const std::string& capabilities) {
    ModernClient client = gateway.Modern();
    client.set_capabilities(capabilities);
    return client.Call(server + "__told").text();
  };
  EXPECT_EQ(told("a", "{}"), "{}");
  EXPECT_EQ(told("a", R"({"elicitation":{}})"), R"({"elicitation":{"form":{}}})");
  EXPECT_EQ(told("a", R"({"sampling":{}})"), R"({"sampling":{}})");
  EXPECT_EQ(told("a", "{}"), "{}");
  const std::string all =
      R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}})";
  EXPECT_EQ(told("c", "{}"), all) << "a child has one session for all";
}

}  // namespace
}  // namespace switchyard::tests
