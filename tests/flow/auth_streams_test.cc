// Streams that last end when who opened them would not be let in any more: their token is past its
// time, their key was taken away, or says other things now.
#include <chrono>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/api_key.h"
#include "support/gateway_fixture.h"
#include "support/token_issuer.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;

class AuthStreams : public ::testing::TestWithParam<Era> {
 protected:
  void Start(const std::string& auth) {
    gateway.GoesBy(clock).Serves("a", fake).With("auth", auth).Start();
  }
  // A stream that lasts, of the client's era, and open.
  Exchange Open(const std::string& token) {
    if (GetParam() == Era::kModern) {
      ModernClient client(gateway.port(), "/mcp", token);
      Exchange stream = client.Begin({.method = "subscriptions/listen",
                                      .members = R"("notifications":{"toolsListChanged":true})",
                                      .id = "\"l\""});
      EXPECT_TRUE(stream.NextEvent().has_value());
      return stream;
    }
    legacy = std::make_unique<LegacyClient>(gateway.port(), "/mcp", "2025-11-25", token);
    return legacy->OpenStream();
  }
  // Waits for its end. A listen has a result (SUB).
  void ExpectEnds(Exchange& stream) const {
    const std::string last = stream.NextEvent().value_or("");
    if (GetParam() == Era::kLegacy) {
      EXPECT_EQ(last, "");
      return;
    }
    const json::value result = Parse(last);
    EXPECT_EQ(TextAt(result, "/id"), "l") << last;
    EXPECT_EQ(TextAt(result, "/result/resultType"), "complete");
    EXPECT_EQ(TextAt(result, "/result/_meta/io.modelcontextprotocol~1subscriptionId"), "l");
    EXPECT_FALSE(stream.NextEvent().has_value());
  }
  // That it is open: what changes is told.
  void ExpectLives(Exchange& stream, const std::string& token) {
    EXPECT_EQ(gateway.ClientOf(GetParam(), "/mcp", token)->Call("a__grow").text(), "ok");
    EXPECT_THAT(stream.NextEvent().value_or(""), HasSubstr("tools/list_changed"));
  }
  static std::string Key(const std::string& name, const auth::NewKey& key,
                         const std::string& more = "") {
    return "{name: " + name + ", hash: '" + auth::ToText(key.kept) + "'" + more + "}";
  }

  LeapingClock clock;
  FakeServer fake = FakeServer::Modern("a");
  TokenIssuer issuer;
  Gateway gateway;
  std::unique_ptr<LegacyClient> legacy;
};
INSTANTIATE_TEST_SUITE_P(Era, AuthStreams, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(AuthStreams, EndWithTheirToken) {
  Start("{issuers: [" + issuer.Config("audience: [gateway], clock_skew: 60s") + "]}");
  const std::string token = issuer.Token("alice");
  const std::string later =
      issuer.Token("bob", {{"exp", std::to_string(TokenIssuer::Now() + 7200)}});
  Exchange stream = Open(token);
  // By what clocks may differ it is good for a while longer.
  clock.Advance(std::chrono::seconds(3630));
  ExpectLives(stream, later);
  clock.Advance(std::chrono::seconds(60));
  ExpectEnds(stream);
  EXPECT_EQ(gateway.Modern().Request({.method = "tools/list"}).status, 401);
}

TEST_P(AuthStreams, EndWhenTheirKeyIsTakenAway) {
  const auth::NewKey one = auth::MakeApiKey(), two = auth::MakeApiKey();
  Start("{api_keys: [" + Key("one", one) + ", " + Key("two", two) + "]}");
  Exchange gone = Open(one.text), stays = Open(two.text);
  gateway.With("auth", "{api_keys: [" + Key("two", two) + "]}").Reload();
  ExpectEnds(gone);
  ExpectLives(stays, two.text);
}

TEST_P(AuthStreams, EndWhenTheirKeyIsForOtherThings) {
  const auth::NewKey key = auth::MakeApiKey();
  Start("{api_keys: [" + Key("one", key, ", roles: [admin]") + "]}");
  Exchange stream = Open(key.text);
  gateway.With("auth", "{api_keys: [" + Key("one", key) + "]}").Reload();
  ExpectEnds(stream);
}

TEST_P(AuthStreams, EndWhenNobodyIsLetInAnyMore) {
  const auth::NewKey key = auth::MakeApiKey();
  Start("none");
  Exchange stream = Open("");
  gateway.With("auth", "{api_keys: [" + Key("one", key) + "]}").Reload();
  ExpectEnds(stream);
}

}  // namespace
}  // namespace switchyard::tests
