// `auth` of a configuration: what it may say, and what endpoints inherit.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/describe.h"
#include "config/load.h"
#include "config/open.h"
#include "unit/config/fixtures.h"

namespace switchyard::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LoadResult Load(const std::string& text) {
  const FakeEnvironment environment;
  return LoadText(text + "\nservers: {}\n", "c.yaml", FakePolicies(), environment);
}

Config Good(const std::string& text) {
  LoadResult loaded = Load(text);
  EXPECT_TRUE(loaded) << loaded.error().front().ToString();
  return loaded ? std::move(loaded->config) : Config();
}

std::string Wrong(const std::string& text) {
  const LoadResult loaded = Load(text);
  return loaded ? "nothing" : loaded.error().front().ToString();
}

TEST(AuthConfig, ReadsALogin) {
  const Config config = Good(R"(
auth:
  issuers:
    - issuer: https://i.example
      secret: s
      login: {client_id: me, client_secret: "${file:/run/key}", scopes: [email]}
    - {issuer: "http://127.0.0.1:99", secret: s, login: {client_id: bare}}
endpoints:
  same:
    auth:
      issuers:
        - {issuer: https://i.example, secret: s}
  other: {auth: {issuers: [{issuer: j, secret: s, claims: {subject: email}}]}})");
  const std::vector<Issuer>& issuers = config.auth->issuers;
  ASSERT_TRUE(issuers.at(0).login);
  EXPECT_EQ(issuers[0].login->client_id, "me");
  EXPECT_EQ(issuers[0].login->client_secret.Reveal(), "file-s3cret");
  EXPECT_THAT(issuers[0].login->scopes, ElementsAre("email"));
  EXPECT_TRUE(issuers.at(1).login->client_secret.empty());
  EXPECT_FALSE(config.endpoints.at("same").auth->issuers.at(0).login);
  const boost::json::object shown = DescribeJson(config);
  EXPECT_EQ(shown.at("auth").at("logins"),
            boost::json::parse(R"(["https://i.example","http://127.0.0.1:99"])"));
  EXPECT_EQ(boost::json::serialize(shown).find("s3cret"), std::string::npos);
}

TEST(AuthConfig, WhoSignsInIsTheSameAtAllEndpoints) {
  const std::string login = "auth: {issuers: [{issuer: 'https://i', secret: s, login: {client_id: ";
  const auto wrong = [&](const std::string& issuer) {
    return Wrong(login + "me}}]}\nendpoints: {own: {auth: {issuers: [{issuer: 'https://i', " +
                 issuer + "}]}}}");
  };
  EXPECT_THAT(wrong("secret: s, login: {client_id: other}"), HasSubstr("with another login"));
  EXPECT_THAT(wrong("secret: s, claims: {subject: email}"), HasSubstr("claims.subject"));
  EXPECT_EQ(wrong("secret: s, login: {client_id: me}"), "nothing");
  EXPECT_EQ(wrong("secret: s, audience: [b], required_claims: {org: a}"), "nothing");
  for (const char* other : {"secret: t", "keys_file: f", "discovery: true",
                            "secret: s, clock_skew: 1m", "secret: s, algorithms: [HS256]"}) {
    EXPECT_THAT(wrong(other), HasSubstr("or keys than elsewhere")) << other;
    EXPECT_THAT(wrong(other + std::string(", login: {client_id: me}")),
                HasSubstr("write the same at each"))
        << other;
  }
  const std::string two =
      "endpoints: {a: {auth: {issuers: [{issuer: 'https://i', secret: s}]}}, b: {auth: {issuers: "
      "[{issuer: 'https://i', secret: s, claims: {subject: email}}]}}, c: {auth: {issuers: "
      "[{issuer: 'https://i', secret: s, login: {client_id: me}}]}}}";
  EXPECT_THAT(Wrong(two), HasSubstr("endpoints.b")) << "whichever comes first";
}

TEST(AuthConfig, TwoNamesOfOneIssuerCannotShareThePageToWhichBrowsersComeBack) {
  const auto both = [](const std::string& one, const std::string& other) {
    const auto login = [](const std::string& issuer) {
      return "auth: {issuers: [{issuer: '" + issuer + "', secret: s, login: {client_id: me}}]}";
    };
    return login(one) + "\nendpoints: {own: {" + login(other) + "}}";
  };
  EXPECT_THAT(Wrong(both("https://i.example", "https://i.example/")),
              HasSubstr("endpoints.own: has a login at issuer \"https://i.example/\", and another "
                        "one is at \"https://i.example\""));
  EXPECT_THAT(Wrong(both("https://127.0.0.1:9", "http://127.0.0.1:9")),
              HasSubstr("as its tokens name it"));
  Good(both("https://i.example", "https://i.example/realm"));
  Good(
      "auth: {issuers: [{issuer: 'https://i', secret: s, login: {client_id: me}}, "
      "{issuer: 'https://i/', secret: s}]}");
}

TEST(AuthConfig, ReadsAllOfIt) {
  const Config config = Good(R"(
auth:
  issuers:
    - issuer: https://i.example
      audience: [a]
      keys: {keys: [{kty: OKP}]}
      algorithms: [EdDSA]
      clock_skew: 1m
      required_claims: {tenant: acme}
      claims: {subject: email, roles: [r.s]}
    - {issuer: other, secret: "${file:/run/key}"}
  api_keys: [{name: ci, hash: h, expires: 2027-01-31T10:20:30Z, scopes: [a], roles: [b]}]
  anonymous: true
  scopes: ["mcp:use"])");
  ASSERT_TRUE(config.auth);
  const Auth& auth = *config.auth;
  ASSERT_EQ(auth.issuers.size(), 2U);
  EXPECT_EQ(auth.issuers[0].keys, R"({"keys":[{"kty":"OKP"}]})");
  EXPECT_EQ(auth.issuers[0].clock_skew, std::chrono::seconds(60));
  EXPECT_EQ(auth.issuers[0].subject, "email");
  EXPECT_EQ(auth.issuers[0].required_claims.at("tenant"), "acme");
  EXPECT_EQ(auth.issuers[1].secret.Reveal(), "file-s3cret");
  EXPECT_EQ(auth.api_keys[0].expires, std::chrono::sys_days(std::chrono::January / 31 / 2027) +
                                          std::chrono::hours(10) + std::chrono::minutes(20) +
                                          std::chrono::seconds(30));
  EXPECT_TRUE(auth.anonymous);
  EXPECT_THAT(auth.scopes, ElementsAre("mcp:use"));
}

TEST(AuthConfig, EndpointsReplaceKeyByKey) {
  const Config config = Good(R"(
auth: {issuers: [{issuer: i, secret: s}], scopes: [a]}
endpoints:
  same: {}
  mixed: {auth: {anonymous: true}}
  open: {auth: none}
  own: {auth: {issuers: [{issuer: j, secret: s}], scopes: []}})");
  EXPECT_EQ(config.endpoints.at("same").auth, config.auth);
  const Auth& mixed = *config.endpoints.at("mixed").auth;
  EXPECT_TRUE(mixed.anonymous);
  EXPECT_EQ(mixed.issuers, config.auth->issuers);
  EXPECT_THAT(mixed.scopes, ElementsAre("a"));
  EXPECT_TRUE(config.endpoints.at("open").auth->none);
  const Auth& own = *config.endpoints.at("own").auth;
  EXPECT_EQ(own.issuers[0].issuer, "j");
  EXPECT_THAT(own.scopes, IsEmpty());
}

TEST(AuthConfig, RefusesWhatWouldLetNobodyOrAnybodyIn) {
  EXPECT_THAT(Wrong("auth: {}"), HasSubstr("1:1: auth: names nobody"));
  EXPECT_THAT(Wrong("auth: off"), HasSubstr("auth: must be"));
  EXPECT_THAT(Wrong("auth: {issuers: [{issuer: i}]}"), HasSubstr("needs exactly one of keys"));
  EXPECT_THAT(Wrong("auth: {issuers: [{issuer: i, secret: s, keys_file: f}]}"),
              HasSubstr("needs exactly one of keys"));
  EXPECT_THAT(Wrong("auth: {issuers: [{secret: s}]}"), HasSubstr("issuer: is missing"));
  EXPECT_THAT(Wrong("auth: {issuers: [{issuer: 'urn:switchyard:api-key', secret: s}]}"),
              HasSubstr("must not begin with urn:switchyard:"));
  EXPECT_THAT(Wrong("auth: {issuers: [{issuer: i, secret: s}, {issuer: i, secret: t}]}"),
              HasSubstr("has \"i\" twice"));
  EXPECT_THAT(Wrong("auth: {issuers: [{issuer: i, secret: s, clock_skew: 1h}]}"),
              HasSubstr("clock_skew"));
  EXPECT_THAT(Wrong("auth: {api_keys: [{name: a}]}"), HasSubstr("hash: is missing"));
  EXPECT_THAT(Wrong("auth: {api_keys: [{name: a, hash: h}, {name: a, hash: i}]}"),
              HasSubstr("is that of another key"));
  for (const char* expires : {"tomorrow", "2027-02-30", "2027-01-31T25:00:00Z", "2027-1-31",
                              "2027-01-31 10:00:00Z", "2027-01-31T10:00:00"}) {
    EXPECT_THAT(
        Wrong("auth: {api_keys: [{name: a, hash: h, expires: '" + std::string(expires) + "'}]}"),
        HasSubstr("expires: must be a day"))
        << expires;
  }
  EXPECT_THAT(Wrong("auth: {api_keys: [{name: a, hash: h, scopes: ['a b']}]}"),
              HasSubstr("without spaces"));
  EXPECT_THAT(Wrong("auth: {api_keys_file: f, scopes_supported: [offline_access]}"),
              HasSubstr("must not have offline_access"));
  EXPECT_THAT(Wrong("auth: {certificates: [{cn: a}]}"), HasSubstr("needs listen.tls.client_ca"));
  EXPECT_THAT(Wrong("listen: {tls: {certificate: c, key: k, client_ca: a}}\n"
                    "auth: {certificates: [{cn: a, dns: b}]}"),
              HasSubstr("needs exactly one of cn"));
  EXPECT_THAT(Wrong("listen: {tls: {certificate: c, key: k, client_ca: a}}\n"
                    "auth: {certificates: [{fingerprint: 'aa:bb'}]}"),
              HasSubstr("64 hexadecimal digits"));
}

TEST(AuthConfig, OtherMachinesAreServedOnlyWhereSomebodySaidHow) {
  EXPECT_THAT(Wrong("listen: 0.0.0.0:80"),
              HasSubstr("1:9: listen: other machines can reach 0.0.0.0 and nobody has to prove who "
                        "they are at /mcp"));
  EXPECT_THAT(Wrong("listen: 0.0.0.0:80\nendpoints: {own: {auth: {api_keys_file: f}}, more: {}}"),
              HasSubstr("at /mcp, /mcp/more;"));
  Good("listen: 0.0.0.0:80\nauth: {api_keys_file: f}");
  Good("listen: 0.0.0.0:80\nauth: none");
  Good("listen: {address: '0.0.0.0:80', tls: {certificate: c, key: k, client_ca: a}}");
  EXPECT_THAT(Wrong("listen: {address: '0.0.0.0:80', tls: {certificate: c, key: k, client_ca: a, "
                    "client_certificate: optional}}"),
              HasSubstr("other machines"));
  EXPECT_THAT(OpenHere(Good("listen: 127.0.0.1:80")), HasSubstr("every program on this machine"));
  EXPECT_EQ(OpenHere(Good("auth: {api_keys_file: f}")), "");
  EXPECT_EQ(OpenHere(Good("listen: {address: '127.0.0.1:80', tls: {certificate: c, key: k, "
                          "client_ca: a, client_certificate: required}}")),
            "")
      << "nor does a program without a certificate come in here";
  EXPECT_THAT(OpenHere(Good("listen: {address: '127.0.0.1:80', tls: {certificate: c, key: k, "
                            "client_ca: a, client_certificate: optional}}")),
              HasSubstr("every program on this machine"));
}

TEST(AuthConfig, WhoeverMayPresentNothingComesInByAnOpenEndpoint) {
  const Config here = Good("auth: {api_keys_file: f, anonymous: true}");
  EXPECT_THAT(OpenPathsOf(here).machine, ElementsAre("/mcp"));
  EXPECT_THAT(OpenHere(here), HasSubstr("every program on this machine may use /mcp"));
  const Config there = Good(
      "listen: 0.0.0.0:80\nauth: {api_keys_file: f}\n"
      "endpoints: {own: {}, any: {auth: {anonymous: true}}}");
  EXPECT_THAT(OpenPathsOf(there).network, ElementsAre("/mcp/any"));
  EXPECT_THAT(OpenWarnings(there), ElementsAre(HasSubstr("may use /mcp/any: nobody has to")));
}

TEST(AuthConfig, UrlsThatTokensAreForAreSaid) {
  const std::string auth = "\nauth: {issuers: [{issuer: i, secret: s}]}";
  Good("listen: 127.0.0.1:80" + auth);
  EXPECT_THAT(Wrong("listen: 0.0.0.0:80" + auth), HasSubstr("needs listen.public_url"));
  EXPECT_THAT(Wrong("listen: {address: '127.0.0.1:80', allowed_hosts: [a.example]}" + auth),
              HasSubstr("needs listen.public_url"));
  Good("listen: {address: '0.0.0.0:80', public_url: 'https://a.example'}" + auth);
  for (const char* url : {"a.example", "https://a.example/x", "ftp://a.example", "https://u@a"}) {
    EXPECT_THAT(Wrong("listen: {address: '127.0.0.1:80', public_url: '" + std::string(url) + "'}"),
                HasSubstr("public_url: must be how clients reach"))
        << url;
  }
}

}  // namespace
}  // namespace switchyard::config
