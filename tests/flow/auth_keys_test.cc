// Keys that are fetched, in a whole gateway: an issuer that is found, that rotates its keys, that
// is down, that means harm.
#include <chrono>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/token_issuer.h"
#include "support/web_site.h"

namespace switchyard::tests {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class FetchedKeys : public ::testing::Test {
 protected:
  std::string SetOf(const Signer& signer, const std::string& id) const {
    return "{\"keys\":[" + signer.Jwk("\"kid\":\"" + id + "\"") + "]}";
  }
  std::string Metadata(const std::string& issuer) const {
    return "{\"issuer\":\"" + issuer + "\",\"jwks_uri\":\"" + site_.Url("/keys") + "\"}";
  }
  void Start(const std::string& source, const std::string& allow = "[127.0.0.1]") {
    gateway_.Serves("a", fake_)
        .GoesBy(clock_)
        .With("fetch", "{allow: " + allow + ", timeout: 2s}")
        .With("auth", Auth(source))
        .Start();
  }
  std::string Auth(const std::string& source) const {
    return "{issuers: [{issuer: '" + site_.Url() + "', audience: [gateway], " + source + "}]}";
  }
  // Of a call with a token of this signer, whose clock is the gateway's.
  int Status(const Signer& signer, const std::string& id = "k") {
    const auto now = std::chrono::duration_cast<seconds>(clock_.WallNow().time_since_epoch());
    const TokenIssuer issuer(site_.Url(), signer);
    const std::string token =
        signer.Token("EdDSA", "{\"alg\":\"EdDSA\",\"kid\":\"" + id + "\"}",
                     issuer.Payload("ada", {{"exp", std::to_string(now.count() + 3600)},
                                            {"jti", "\"" + std::to_string(++tokens_) + "\""}}));
    ModernClient client(gateway_.port(), "/mcp", token);
    return client
        .Request(
            {.method = "tools/call", .members = R"("name":"a__echo","arguments":{"text":"x"})"})
        .status;
  }
  // Fetches run beside requests: until it says so, or for a while.
  template <class Said>
  bool Soon(Said said) {
    for (int i = 0; i < 20'000; ++i) {
      if (said()) return true;
    }
    return false;
  }
  bool Counted(const std::string& outcome) {
    return Soon([&] {
      const std::string host = "Host: 127.0.0.1:" + std::to_string(gateway_.port());
      return gateway_.Modern()
          .Raw("GET /metrics HTTP/1.1\r\n" + host + "\r\n\r\n")
          .Contains("switchyard_fetches_total{outcome=\"" + outcome + "\"}");
    });
  }

  FakeServer fake_ = FakeServer::Modern("a");
  WebSite site_;
  LeapingClock clock_;
  Gateway gateway_;
  const Signer one_ = Signer::Ed25519(), two_ = Signer::Ed25519();
  int tokens_ = 0;
};

TEST_F(FetchedKeys, OfAUrlLetTheFirstTokenIn) {
  site_.Set("/keys", SetOf(one_, "k"));
  Start("jwks_url: '" + site_.Url("/keys") + "'");
  EXPECT_EQ(Status(one_), 200);
  EXPECT_EQ(Status(two_), 401) << "signed by another key of that name";
  EXPECT_EQ(site_.count("/keys"), 1U);
}

TEST_F(FetchedKeys, AreFoundByBothFormsOfMetadata) {
  site_.Set("/keys", SetOf(one_, "k"));
  site_.Set("/.well-known/oauth-authorization-server", Metadata(site_.Url()));
  Start("discovery: true");
  EXPECT_EQ(Status(one_), 200);
  EXPECT_EQ(site_.count("/.well-known/openid-configuration"), 1U);
}

TEST_F(FetchedKeys, AreNotTakenFromMetadataOfAnotherIssuer) {
  site_.Set("/keys", SetOf(one_, "k"));
  site_.Set("/.well-known/openid-configuration", Metadata("https://evil.example"));
  Start("discovery: true");
  EXPECT_EQ(Status(one_), 401);
  EXPECT_EQ(site_.count("/keys"), 0U);
}

TEST_F(FetchedKeys, AreFetchedAgainWhenATokenNamesANewOne) {
  site_.Set("/keys", SetOf(one_, "k"));
  Start("jwks_url: '" + site_.Url("/keys") + "'");
  EXPECT_EQ(Status(one_), 200);
  clock_.Advance(minutes(1));
  site_.Set("/keys", SetOf(two_, "next"));
  EXPECT_EQ(Status(two_, "next"), 200) << "it waited for them";
  EXPECT_EQ(Status(one_), 401) << "gone with the old set";
  const std::size_t fetched = site_.count("/keys");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Status(two_, "made-up-" + std::to_string(i)), 401);
  EXPECT_EQ(site_.count("/keys"), fetched) << "made-up keys make no fetches";
}

TEST_F(FetchedKeys, ServeWhileTheIssuerIsDownAndNotForEver) {
  site_.Set("/keys", SetOf(one_, "k"));
  Start("jwks_url: '" + site_.Url("/keys") + "'");
  EXPECT_EQ(Status(one_), 200);
  site_.Set("/keys", WebSite::Page{.status = 500});
  clock_.Advance(hours(2));
  EXPECT_EQ(Status(one_), 200);
  clock_.Advance(hours(12));
  EXPECT_TRUE(Soon([this] { return Status(one_) == 401; }));
  site_.Set("/keys", SetOf(one_, "k"));
  clock_.Advance(minutes(6));
  EXPECT_TRUE(Soon([this] { return Status(one_) == 200; })) << "and it is back";
}

TEST_F(FetchedKeys, AReloadKeepsThem) {
  site_.Set("/keys", SetOf(one_, "k"));
  const std::string source = "jwks_url: '" + site_.Url("/keys") + "'";
  Start(source);
  EXPECT_EQ(Status(one_), 200);
  site_.Set("/keys", WebSite::Page{.status = 500});
  gateway_.With("auth", Auth(source + ", clock_skew: 1m")).Reload();
  EXPECT_EQ(Status(one_), 200);
  EXPECT_EQ(site_.count("/keys"), 1U);
}

TEST_F(FetchedKeys, OfPrivatePlacesAreNotFetchedUnlessThoseAreNamed) {
  site_.Set("/keys", SetOf(one_, "k"));
  Start("jwks_url: '" + site_.Url("/keys") + "'", "[]");
  EXPECT_EQ(Status(one_), 401);
  EXPECT_EQ(site_.requests().size(), 0U);
  EXPECT_TRUE(Counted("refused"));
}

TEST_F(FetchedKeys, AreNotSoughtWhereARedirectLeadsInside) {
  site_.Set("/keys",
            WebSite::Page{.status = 302, .headers = "Location: http://169.254.169.254/latest\r\n"});
  Start("jwks_url: '" + site_.Url("/keys") + "'");
  EXPECT_EQ(Status(one_), 401);
  EXPECT_TRUE(Counted("refused"));
}

TEST_F(FetchedKeys, MayBeSlowAndHugeAndHoldNobodyUp) {
  site_.Set("/keys", WebSite::Page{.silent = true});
  Start("jwks_url: '" + site_.Url("/keys") + "'");
  EXPECT_EQ(Status(one_), 401) << "after its time";
  site_.Set("/keys", std::string(2 << 20, ' ') + SetOf(one_, "k"));
  clock_.Advance(minutes(1));
  EXPECT_EQ(Status(one_), 401);
  EXPECT_TRUE(Counted("too_large"));
  ModernClient nobody(gateway_.port(), "/mcp", "");
  EXPECT_EQ(nobody.Request({.method = "tools/list"}).status, 401);
}

}  // namespace
}  // namespace switchyard::tests
