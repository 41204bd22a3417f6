// The cache in a whole gateway, by a clock that the test moves: clients and servers of both eras.
#include <atomic>
#include <memory>
#include <tuple>

#include <gtest/gtest.h>

#include "support/becomes.h"
#include "support/doc_examples.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kReads = R"("annotations":{"readOnlyHint":true})";

class Cached : public ::testing::TestWithParam<std::tuple<Era, Era>> {  // client, server
 protected:
  Cached() {
    fake.surface().AddTool("look", [this](Turn& turn) { Look(turn); }, kReads);
    fake.surface().AddTool(
        "wait",
        [](Turn& turn) {
          turn.surface().Named("waiting").Set();
          if (turn.Wait(turn.surface().Named("go"))) turn.Text("waited");
        },
        kReads);
    fake.surface().AddTool("write_page", [](Turn& turn) { turn.Text("written"); });
  }
  void Look(Turn& turn) {
    if (broken) {
      turn.Drop();
    } else {
      turn.Text("seen " + std::to_string(++seen));
    }
  }
  void Start(const std::string& cache, const std::string& server = "") {
    gateway.GoesBy(clock).Serves("a", fake, server);
    gateway.With("policies", "{cache: " + cache + "}").Start();
    client = NewClient();
  }
  // By more than a connection may idle: what the client had open is closed, and not used again.
  void Leap(minutes by) {
    clock.Advance(by);
    client->HangUp();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(std::get<0>(GetParam())); }
  std::size_t calls() const { return fake.received("tools/call").size(); }
  static std::string Status(const Answer& answer) {
    return TextAt(answer.message(), "/result/_meta/switchyard~1cache/status");
  }

  std::atomic<bool> broken = false;
  std::atomic<int> seen = 0;
  LeapingClock clock;
  FakeServer fake =
      std::get<1>(GetParam()) == Era::kModern ? FakeServer::Modern("a") : FakeServer::Legacy("a");
  Gateway gateway;
  std::unique_ptr<Client> client;
};

INSTANTIATE_TEST_SUITE_P(Eras, Cached,
                         ::testing::Combine(::testing::Values(Era::kModern, Era::kLegacy),
                                            ::testing::Values(Era::kModern, Era::kLegacy)),
                         [](const auto& eras) {
                           const auto word = [](Era era) {
                             return era == Era::kModern ? "Modern" : "Legacy";
                           };
                           return std::string(word(std::get<0>(eras.param))) + "Client" +
                                  word(std::get<1>(eras.param)) + "Server";
                         });

TEST_P(Cached, TheSecondCallNeverReachesTheServer) {
  Start("{ttl: 1m}");
  const Answer first = client->Call("a__look", R"({"a":1,"b":2})");
  EXPECT_EQ(first.text(), "seen 1");
  EXPECT_EQ(Status(first), "miss") << first;
  clock.Advance(seconds(10));
  const Answer second = NewClient()->Call("a__look", R"({"b":2, "a":1})");
  EXPECT_EQ(second.text(), "seen 1");
  EXPECT_EQ(Status(second), "hit") << second;
  const json::value age = second.at("/result/_meta/switchyard~1cache/ageMs");
  ASSERT_TRUE(age.is_int64()) << second;
  EXPECT_GE(age.get_int64(), 10'000);
  EXPECT_EQ(second.Contains("resultType"), client->modern()) << second;
  EXPECT_EQ(calls(), 1U);
  EXPECT_EQ(client->Call("a__look", R"({"a":2})").text(), "seen 2");
  Leap(minutes(1));
  EXPECT_EQ(client->Call("a__look", R"({"a":1,"b":2})").text(), "seen 3");
}

TEST_P(Cached, AWriterDropsWhatItChanges) {
  Start("{ttl: 1h}", "tool_policies: {write_page: {cache: {ttl: 0s, invalidates: ['loo*']}}}");
  EXPECT_EQ(client->Call("a__look").text(), "seen 1");
  EXPECT_EQ(client->Call("a__look").text(), "seen 1");
  EXPECT_EQ(client->Call("a__write_page").text(), "written");
  EXPECT_EQ(client->Call("a__look").text(), "seen 2");
  EXPECT_EQ(client->Call("a__write_page").text(), "written") << "and is never kept itself";
}

TEST_P(Cached, EqualCallsAtOneTimeAreOneCallToTheServer) {
  Start("{ttl: 1h}");
  std::vector<Exchange> waiting;
  waiting.push_back(client->BeginCall("a__wait"));
  ASSERT_TRUE(WaitFor(fake.surface().Named("waiting")));
  for (int i = 0; i < 5; ++i) waiting.push_back(client->BeginCall("a__wait"));
  fake.surface().Named("go").Set();
  for (Exchange& one : waiting) EXPECT_EQ(one.Finish().text(), "waited");
  EXPECT_EQ(calls(), 1U);
}

TEST_P(Cached, WhoAskedFirstAndGoesTakesNobodyAlong) {
  Start("{ttl: 1h}");
  Exchange first = client->BeginCall("a__wait");
  ASSERT_TRUE(WaitFor(fake.surface().Named("waiting")));
  Exchange second = client->BeginCall("a__wait");
  client->Cancel(first);
  fake.surface().Named("go").Set();
  EXPECT_EQ(second.Finish().text(), "waited");
}

TEST_P(Cached, AnOldAnswerStandsInForAServerThatBreaks) {
  Start("{ttl: 1m, stale_if_error: 1h}");
  EXPECT_EQ(client->Call("a__look").text(), "seen 1");
  Leap(minutes(2));
  broken = true;
  const Answer stale = client->Call("a__look");
  EXPECT_EQ(stale.text(), "seen 1") << stale;
  EXPECT_EQ(Status(stale), "stale") << stale;
  Leap(minutes(60));
  EXPECT_NE(client->Call("a__look").text(), "seen 1");
  fake.ExpectComplaints();
}

TEST_P(Cached, AnOldAnswerStandsInForAServerThatCannotListEither) {
  fake.ExpectComplaints();
  Start("{ttl: 1m, stale_if_error: 1h}");
  EXPECT_EQ(client->Call("a__look").text(), "seen 1");
  ASSERT_TRUE(WaitFor(fake.surface().Named("listening")));
  fake.surface().OnMethod("tools/list", [](Turn& turn) { turn.Error(-32000, "not now"); });
  fake.surface().Changed("tools");
  ASSERT_TRUE(Becomes([this] {
    return client->Request({.method = "tools/list"}).Contains(R"("switchyard/missing":)");
  }));
  broken = true;
  clock.Advance(minutes(2));
  client->HangUp();
  const Answer stale = client->Call("a__look");
  EXPECT_EQ(stale.text(), "seen 1") << stale;
  EXPECT_EQ(Status(stale), "stale") << stale;
}

TEST_P(Cached, AResourceIsKeptUntilItIsSaidToChange) {
  Start("{ttl: 1h}");
  const auto read = [&] {
    return Status(
        client->Request({.method = "resources/read", .members = R"("uri":"fake://a/one")"}));
  };
  EXPECT_EQ(read(), "miss");
  EXPECT_EQ(read(), "hit");
  ModernClient listener = gateway.Modern();
  Exchange listen = listener.Listen(R"("resourceSubscriptions":["fake://a/one"])");
  ASSERT_TRUE(WaitFor(fake.surface().Named("subscribed:fake://a/one")));
  gateway.Modern().Call("a__touch", R"({"uri":"fake://a/one"})");
  ASSERT_TRUE(listen.NextEvent().has_value());
  EXPECT_EQ(read(), "miss");
}

TEST_P(Cached, NewListsDropAll) {
  Start("{ttl: 1h}");
  ModernClient listener = gateway.Modern();
  Exchange listen = listener.Listen(R"("toolsListChanged":true)");
  if (std::get<1>(GetParam()) == Era::kModern) {
    ASSERT_TRUE(WaitFor(fake.surface().Named("listening")));
  }
  EXPECT_EQ(client->Call("a__look").text(), "seen 1");
  EXPECT_EQ(client->Call("a__grow").text(), "ok");
  ASSERT_TRUE(listen.NextEvent().has_value());
  EXPECT_EQ(client->Call("a__look").text(), "seen 2");
}

TEST_P(Cached, TheExampleOfItsPageDoesWhatItSays) {
  fake.surface().AddTool("search_pages", [this](Turn& turn) { Look(turn); }, kReads);
  fake.surface().AddTool("check_range", [this](Turn& turn) { Look(turn); });
  gateway.GoesBy(clock)
      .ServesAs("wiki", fake, ServerFromPolicyPage("cache", 0, "wiki"))
      .With("policies", FromPolicyPage("cache", 0, "policies"))
      .Start();
  fake.ExpectComplaints();
  client = NewClient();
  const auto search = [this] { return client->Call("wiki__search_pages"); };
  EXPECT_EQ(search().text(), "seen 1");
  EXPECT_EQ(Status(search()), "hit");
  EXPECT_EQ(client->Call("wiki__write_page").text(), "written");
  EXPECT_EQ(search().text(), "seen 2") << "the writer dropped it";
  broken = true;
  Leap(minutes(6));
  EXPECT_EQ(Status(search()), "stale") << "it stands in for the error";
  Leap(minutes(10));
  EXPECT_NE(search().code(), 0);
  broken = false;
  const auto check = [this](const char* arguments) {
    return Status(client->Call("wiki__check_range", arguments));
  };
  EXPECT_EQ(check(R"({"start":1,"range":{"end":2},"note":"a"})"), "miss");
  EXPECT_EQ(check(R"({"start":1,"range":{"end":2},"note":"b"})"), "hit") << "no part of the key";
  EXPECT_EQ(check(R"({"start":1,"range":{"end":3}})"), "miss");
}

}  // namespace
}  // namespace switchyard::tests
