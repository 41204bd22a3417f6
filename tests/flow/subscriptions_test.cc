// Resource subscriptions, whatever era the client and the server speak and whatever carries the
// server (checklist 34-41, 70 and 90 of the protocol; the fake server complains of subscriptions
// made twice or given up twice).
#include <algorithm>

#include "flow/matrix.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kTag = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

// What a client does to hear of resources, in either era: a listen, or a session's stream and
// requests to subscribe.
class Subscriptions : public Matrix {
 protected:
  // Of the client, which has subscribed to them and got what it was told first.
  Exchange Subscribe(Client& by, const std::vector<std::string>& uris, std::string id = "\"L\"") {
    if (by.modern()) {
      Exchange listen =
          by.Begin({.method = "subscriptions/listen",
                    .members = R"("notifications":{"resourceSubscriptions":)" +
                               json::serialize(json::array(uris.begin(), uris.end())) + "}",
                    .id = std::move(id)});
      acknowledgement = Parse(listen.NextEvent().value_or(""));
      return listen;
    }
    auto& legacy = dynamic_cast<LegacyClient&>(by);
    Exchange stream = legacy.OpenStream();
    answers.clear();
    for (const std::string& uri : uris) answers.push_back(Ask(by, "resources/subscribe", uri));
    return stream;
  }
  static Answer Ask(Client& by, const std::string& method, const std::string& uri) {
    return by.Request({.method = method, .members = R"("uri":)" + Quote(uri)});
  }

  void Touch(const std::string& uri) {
    EXPECT_EQ(gateway.Modern().Call("a__touch", R"({"uri":)" + Quote(uri) + "}").text(), "ok");
  }
  std::string NextUri(Exchange& stream) {
    do {  // a session's stream tells of lists, too
      event = Parse(stream.NextEvent().value_or(""));
    } while (!client->modern() && TextAt(event, "/method").ends_with("/list_changed"));
    EXPECT_EQ(TextAt(event, "/method"), "notifications/resources/updated") << event;
    return TextAt(event, "/params/uri");
  }

  json::value acknowledgement, event;
  std::vector<Answer> answers;
};

INSTANTIATE_TEST_SUITE_P(All, Subscriptions, AllCombinations(), NameOf);

TEST_P(Subscriptions, UpdatesReachWhoeverSubscribed) {
  Begin();
  Exchange stream = Subscribe(*client, {"fake://a/one"});
  EXPECT_TRUE(Happens("subscribed:fake://a/one"));
  Touch("fake://a/two");
  Touch("fake://a/one");
  EXPECT_EQ(NextUri(stream), "fake://a/one");
  if (client->modern()) {
    EXPECT_EQ(TextAt(acknowledgement, "/method"), "notifications/subscriptions/acknowledged");
    EXPECT_EQ(TextAt(acknowledgement, kTag), "L");
    EXPECT_EQ(TextAt(event, kTag), "L");
  } else {
    EXPECT_EQ(answers[0].at("/result"), json::object()) << answers[0];
    EXPECT_TRUE(At(event, "/params/_meta").is_null()) << event;
  }
}

TEST_P(Subscriptions, AnUpdateOfAPartIsDelivered) {
  Begin();
  Exchange stream = Subscribe(*client, {"fake://a/one"});
  Touch("fake://a/one/page/2");
  EXPECT_EQ(NextUri(stream), "fake://a/one/page/2");
}

TEST_P(Subscriptions, OnlyWhatTheServerHonoursIsAcknowledged) {
  Begin();
  const Exchange stream = Subscribe(*client, {"fake://a/one", "fake://a/three", "fake://a/two"});
  if (client->modern()) {
    EXPECT_EQ(At(acknowledgement, "/params/notifications"),
              Parse(R"({"resourceSubscriptions":["fake://a/one","fake://a/two"]})"));
    return;
  }
  EXPECT_EQ(answers[0].code(), 0);
  EXPECT_EQ(answers[1].code(), -32602) << answers[1];
  EXPECT_EQ(TextAt(answers[1].message(), "/error/data/uri"), "fake://a/three");
  EXPECT_EQ(answers[2].code(), 0);
}

TEST_P(Subscriptions, GivingUpReachesTheServer) {
  Begin();
  Exchange stream = Subscribe(*client, {"fake://a/one"});
  EXPECT_TRUE(Happens("subscribed:fake://a/one"));
  if (client->modern()) {
    client->Cancel(stream);
  } else {
    EXPECT_EQ(Ask(*client, "resources/unsubscribe", "fake://a/one").code(), 0);
  }
  EXPECT_TRUE(Happens("unsubscribed:fake://a/one"));
}

TEST_P(Subscriptions, TwoClientsHearApart) {
  Begin();
  const std::unique_ptr<Client> other = NewClient();
  Exchange first = Subscribe(*client, {"fake://a/one"}, "1");
  Exchange second = Subscribe(*other, {"fake://a/one", "fake://a/two"}, "1");
  Touch("fake://a/two");
  EXPECT_EQ(NextUri(second), "fake://a/two");
  Touch("fake://a/one");
  EXPECT_EQ(NextUri(first), "fake://a/one");
  EXPECT_EQ(NextUri(second), "fake://a/one");
  first.Abandon();
  Touch("fake://a/one/again");
  EXPECT_EQ(NextUri(second), "fake://a/one/again");
}

TEST_P(Subscriptions, AreMadeAnewWhenTheServerWasStartedAgainAndThenEachIsToldOnce) {
  Begin();
  Exchange stream = Subscribe(*client, {"fake://a/one", "fake://a/two"});
  Exchange lists = gateway.Modern().Listen(R"("toolsListChanged":true)");
  if (over_http()) {
    fake->Down();
    fake->ForgetSessions();
    fake->Up();
  } else {
    client->Call("a__die");
  }
  std::vector<std::string> uris = {NextUri(stream), NextUri(stream)};
  std::ranges::sort(uris);
  EXPECT_EQ(uris, (std::vector<std::string>{"fake://a/one", "fake://a/two"}));
  // Its tools may be off the list at one worker and not yet at another.
  const auto touch = [this] {
    return gateway.Modern().Call("a__touch", R"({"uri":"fake://a/two/part"})").text();
  };
  while (touch() != "ok" && lists.NextEvent()) {
  }
  EXPECT_EQ(NextUri(stream), "fake://a/two/part");
}

TEST_P(Subscriptions, AreAdvertisedWhereAServerHasThem) {
  Begin();
  const Answer discovered = gateway.Modern().Request({.method = "server/discover"});
  EXPECT_EQ(discovered.at("/result/capabilities/resources/subscribe"), true) << discovered;
  EXPECT_EQ(gateway.Legacy().initialized().at("/result/capabilities/resources/subscribe"), true);
}

TEST_P(Subscriptions, OfTwoServersWithTheSameUriEachIsTold) {
  FakeServer twin = FakeServer::Modern("a");  // lists the same resources
  gateway.Serves("twin", twin);
  Begin();
  const std::string own = "switchyard://a/fake://a/one";
  const std::string other = "switchyard://twin/fake://a/one";
  Exchange stream = Subscribe(*client, {own, other});
  twin.surface().Updated("fake://a/one");
  EXPECT_EQ(NextUri(stream), other);
  Touch("fake://a/one");
  EXPECT_EQ(NextUri(stream), own);
}

TEST_P(Subscriptions, AReloadThatTakesTheServerAwayLetsGoOfIt) {
  Begin();
  const Exchange stream = Subscribe(*client, {"fake://a/one"});
  const std::string pid = over_http() ? "" : client->Call("a__pid").text();
  gateway.ServesNoMore("a").Reload();
  if (over_http()) {
    EXPECT_TRUE(fake->IsDeserted());
  } else {
    EXPECT_TRUE(IsGone(std::stoi(pid)));
  }
  complaints_expected = true;  // they cannot be asked for
}

// ---- what only legacy sessions have: one stream, served by any worker, or none

class SessionSubscriptions : public Subscriptions {};

INSTANTIATE_TEST_SUITE_P(Legacy, SessionSubscriptions,
                         ::testing::Combine(::testing::Values(Era::kLegacy),
                                            ::testing::Values(Kind::kHttp, Kind::kChild),
                                            ::testing::Values(Era::kModern, Era::kLegacy)),
                         NameOf);

TEST_P(SessionSubscriptions, WhatIsUpdatedWhileThereIsNoStreamIsToldOnceWhenThereIs) {
  Begin();
  auto& legacy = dynamic_cast<LegacyClient&>(*client);
  EXPECT_EQ(Ask(legacy, "resources/subscribe", "fake://a/one").code(), 0);
  EXPECT_EQ(Ask(legacy, "resources/subscribe", "fake://a/two").code(), 0);
  const std::unique_ptr<Client> other = NewClient();
  Exchange before = Subscribe(*other, {"fake://a/one"});
  Touch("fake://a/one");
  EXPECT_EQ(NextUri(before), "fake://a/one");  // so it reached the gateway
  Exchange stream = legacy.OpenStream();
  EXPECT_EQ(NextUri(stream), "fake://a/one");
  Touch("fake://a/two");
  EXPECT_EQ(NextUri(stream), "fake://a/two");
}

TEST_P(SessionSubscriptions, ThroughAnyConnectionReachTheOneStream) {
  Begin();
  auto& legacy = dynamic_cast<LegacyClient&>(*client);
  Exchange stream = legacy.OpenStream();
  std::vector<std::string> uris;
  for (int i = 0; i < 8; ++i) {
    LegacyClient connection(gateway.port());  // the kernel spreads them over the workers
    connection.set_session(legacy.session());
    uris.push_back("fake://a/item/" + std::to_string(i));
    EXPECT_EQ(Ask(connection, "resources/subscribe", uris.back()).code(), 0);
    EXPECT_EQ(Ask(connection, "resources/subscribe", uris.front()).code(), 0);  // by all
  }
  for (const std::string& uri : uris) {
    Touch(uri);
    EXPECT_EQ(NextUri(stream), uri);
  }
  Exchange next = legacy.OpenStream();  // on another connection, and the old one ends
  EXPECT_EQ(stream.NextEvent(), std::nullopt);
  for (const std::string& uri : uris) {
    Touch(uri);
    EXPECT_EQ(NextUri(next), uri);
  }
}

TEST_P(SessionSubscriptions, EndWithTheSession) {
  Begin();
  auto& legacy = dynamic_cast<LegacyClient&>(*client);
  EXPECT_EQ(Ask(legacy, "resources/subscribe", "fake://a/one").code(), 0);
  EXPECT_TRUE(Happens("subscribed:fake://a/one"));
  EXPECT_LT(legacy.EndSession().status, 300);
  EXPECT_TRUE(Happens("unsubscribed:fake://a/one"));
}

TEST_P(SessionSubscriptions, ToWhatNobodyHasAreRefused) {
  Begin();
  EXPECT_EQ(Ask(*client, "resources/subscribe", "fake://a/three").code(), -32602);
  EXPECT_EQ(client->Request({.method = "resources/subscribe"}).code(), -32602);
  // Whoever is not subscribed may say so again.
  EXPECT_EQ(Ask(*client, "resources/unsubscribe", "fake://a/one").code(), 0);
}

}  // namespace
}  // namespace switchyard::tests
