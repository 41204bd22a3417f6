// Accounts that users connected, over reloads that change the server or do not.
#include <gmock/gmock.h>

#include "flow/connect.h"

namespace switchyard::tests {
namespace {

class ConnectReload : public ConnectFixture, public ::testing::Test {
 protected:
  FakeServer fake = FakeServer::Modern("a");
};

TEST_F(ConnectReload, TakesNoConnectionAway) {
  const std::string known = "client_id: me, issuer: 'https://as.example'";
  Says(fake.url(), known).Start();
  Connect("alice");
  ModernClient client = Modern();
  const std::string bob = LinkFor("bob");
  for (const std::string& keys : {known, known + ", scopes: [more]", known}) {
    Says(fake.url(), keys).Reload();
    EXPECT_TRUE(gateway.server().WaitUntilSettled(std::chrono::seconds(20)));
    const Answer answer = Echo(client);
    EXPECT_EQ(answer.text(), "x") << keys << answer;
    EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer access-1");
  }
  EXPECT_EQ(LinkFor("bob"), bob);
  const Answer done = Browser(gateway.port()).Connect(bob, authorization);
  EXPECT_THAT(done.body, ::testing::HasSubstr("<h1>Connected</h1>"));
  clock.Advance(std::chrono::hours(2));
  EXPECT_EQ(Echo(client).text(), "x");
  EXPECT_EQ(authorization.forms().back().at("refresh_token"), "refresh-1");
  EXPECT_EQ(Admin("POST", R"({"server":"a","action":"forget","caller":{"issuer":)"
                          R"("https://issuer.example","subject":"alice"}})")
                .status,
            200);
  EXPECT_NE(LinkFor("alice"), "");
}

TEST_F(ConnectReload, WhatOneAccountWasToldIsNotToldTheNext) {
  gateway.With("policies", "{cache: {ttl: 10h, allow: [echo]}}");
  Says(fake.url(), "client_id: me, issuer: 'https://as.example'").Start();
  Connect("alice");
  ModernClient client = Modern();
  Echo(client);
  const Answer kept = Echo(client);
  EXPECT_EQ(TextAt(kept.message(), "/result/_meta/switchyard~1cache/status"), "hit") << kept;
  Admin("POST", R"({"server":"a","action":"forget","caller":{"issuer":)"
                R"("https://issuer.example","subject":"alice"}})");
  EXPECT_NE(LinkIn(Echo(client)), "");
  Connect("alice");
  EXPECT_EQ(Echo(client).text(), "x");
  EXPECT_EQ(fake.received("tools/call").size(), 2U);
  EXPECT_EQ(Shown(fake.received("tools/call").back()), "Bearer access-2");
}

}  // namespace
}  // namespace switchyard::tests
