#include "credentials/oauth/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "auth/jwk.h"
#include "auth/jws.h"
#include "base/base64url.h"
#include "credentials/oauth/authorization.h"
#include "credentials/oauth/registration.h"
#include "support/signer.h"

namespace switchyard::credentials::oauth {
namespace {

using testing::HasSubstr;
using testing::Not;
using tests::Signer;

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

ServerMetadata Offering(std::vector<std::string> methods) {
  return {.issuer = "https://as.example",
          .authorization_endpoint = "https://as.example/authorize",
          .token_endpoint = "https://as.example/token",
          .code_challenge_methods = {"S256"},
          .token_auth_methods = std::move(methods)};
}

std::string Pem(EVP_PKEY* key) {
  BIO* stream = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(stream, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(stream, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(stream);
  return text;
}

std::shared_ptr<EVP_PKEY> Made(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

Fields FormOf(const TokenRequest& request) { return ReadForm(request.body).value(); }

TEST(Client, ShowsWhoItIsAsTheServerAnnounces) {
  const Client client{.id = "me", .secret = "shh"};
  const Fields grant = ClientCredentialsGrant({"a", "b"}, "https://s.example/mcp");
  const auto basic =
      MakeTokenRequest(client, Offering({"client_secret_post", "client_secret_basic"}), grant, kNow,
                       "1")
          .value();
  EXPECT_EQ(basic.authorization, BasicCredentials("me", "shh"));
  EXPECT_THAT(basic.body, Not(HasSubstr("shh")));
  EXPECT_EQ(Find(FormOf(basic), "resource"), "https://s.example/mcp");
  EXPECT_EQ(Find(FormOf(basic), "scope"), "a b");
  const auto post =
      MakeTokenRequest(client, Offering({"client_secret_post"}), grant, kNow, "1").value();
  EXPECT_EQ(post.authorization, "");
  EXPECT_EQ(Find(FormOf(post), "client_secret"), "shh");
}

TEST(Client, SendsItsSecretInNoWayThatIsNotAnnounced) {
  const Client client{.id = "me", .secret = "shh"};
  const auto made = MakeTokenRequest(client, Offering({"private_key_jwt"}),
                                     ClientCredentialsGrant({}, ""), kNow, "1");
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("set auth_method"));
  const Client told{.id = "me", .secret = "shh", .auth_method = "client_secret_post"};
  EXPECT_EQ(AuthMethodOf(told, Offering({"private_key_jwt"})), "client_secret_post");
  const Client cannot{.id = "me", .auth_method = "client_secret_post"};
  EXPECT_FALSE(AuthMethodOf(cannot, Offering({"client_secret_post"})));
}

TEST(Client, WithoutASecretIsOnlyNamed) {
  const Client client{.id = "me"};
  const auto made = MakeTokenRequest(client, Offering({"none"}),
                                     CodeGrant("c", "v", "https://g/cb", "r"), kNow, "1")
                        .value();
  EXPECT_EQ(Find(FormOf(made), "client_id"), "me");
  EXPECT_EQ(Find(FormOf(made), "code_verifier"), "v");
  EXPECT_EQ(made.authorization, "");
}

TEST(Client, WhoHasASecretByConfigurationIsNotMerelyNamed) {
  const Fields grant = ClientCredentialsGrant({}, "");
  const Client secret{.id = "me", .secret = "shh"};
  EXPECT_FALSE(MakeTokenRequest(secret, Offering({"none"}), grant, kNow, "1"));
  const std::shared_ptr<EVP_PKEY> key = Made(EVP_EC_gen("P-256"));
  const Client signs{.id = "me", .key = SigningKey::Read(Pem(key.get()), "k1", "ES256").value()};
  EXPECT_FALSE(
      MakeTokenRequest(signs, Offering({"none", "client_secret_basic"}), grant, kNow, "1"));
  const Client told{.id = "me", .secret = "shh", .auth_method = "none"};
  EXPECT_EQ(AuthMethodOf(told, Offering({"none"})), "none") << "by configuration, too";
}

TEST(Client, ASecretOfItsRegistrationThatNobodyAsksForIsNotShown) {
  const Client client =
      ReadRegistration(201, R"({"client_id":"me","client_secret":"shh"})").value();
  const auto made = MakeTokenRequest(client, Offering({"none"}),
                                     CodeGrant("c", "v", "https://g/cb", "r"), kNow, "1")
                        .value();
  EXPECT_EQ(Find(FormOf(made), "client_id"), "me");
  EXPECT_EQ(made.authorization, "");
  EXPECT_THAT(made.body, Not(HasSubstr("shh")));
  EXPECT_EQ(AuthMethodOf(client, Offering({"none", "client_secret_post"})), "client_secret_post");
}

class Assertions : public testing::TestWithParam<std::string> {};

TEST_P(Assertions, AreSignedSoThatOthersCanCheck) {
  const std::string word = GetParam();
  std::shared_ptr<EVP_PKEY> key =
      Made(word == "ES256"   ? EVP_EC_gen("P-256")
           : word == "ES384" ? EVP_EC_gen("P-384")
           : word == "EdDSA" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                             : EVP_RSA_gen(2048));
  const SigningKey signer = SigningKey::Read(Pem(key.get()), "k1", word).value();
  EXPECT_EQ(signer.algorithm(), word);
  const std::string token = signer.Sign(AssertionClaims("me", "https://as.example", kNow, "id7"));
  BIO* stream = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(stream, key.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(stream, &data);
  const std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(stream);
  const std::size_t dot = token.find('.');
  const std::string header = DecodeBase64Url(token.substr(0, dot)).value();
  EXPECT_THAT(header, HasSubstr("\"alg\":\"" + word + "\""));
  EXPECT_THAT(header, HasSubstr("\"kid\":\"k1\""));
  const std::size_t last = token.rfind('.');
  const std::string claims = DecodeBase64Url(token.substr(dot + 1, last - dot - 1)).value();
  EXPECT_EQ(claims, R"({"iss":"me","sub":"me","aud":"https://as.example","iat":1800000000,)"
                    R"("exp":1800000300,"jti":"id7"})");
  // The gateway's own verifier stands in for the authorization server.
  const auth::Verdict<auth::Jws> jws = auth::ParseJws(token);
  ASSERT_TRUE(jws);
  const auth::KeysRead open = auth::ReadPem(pem, {}).value();
  ASSERT_EQ(open.keys.size(), 1U);
  EXPECT_TRUE(open.keys.front().Verify(jws->algorithm, jws->signed_text, jws->signature));
}

INSTANTIATE_TEST_SUITE_P(Client, Assertions,
                         testing::Values("RS256", "PS256", "ES256", "ES384", "EdDSA"),
                         [](const auto& one) { return one.param; });

TEST(SigningKey, WhatItIsNotForIsRefusedWithoutShowingIt) {
  const std::string ec = Pem(Made(EVP_EC_gen("P-256")).get());
  EXPECT_FALSE(SigningKey::Read(ec, "", "RS256"));
  EXPECT_FALSE(SigningKey::Read(Pem(Made(EVP_RSA_gen(1024)).get()), ""));
  EXPECT_FALSE(SigningKey::Read(Pem(Made(EVP_EC_gen("P-521")).get()), ""));
  for (const std::string& bad : {std::string("not a key"), std::string(), ec.substr(0, 80)}) {
    const auto read = SigningKey::Read(bad, "");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message, "private_key: is no PEM of a private key without a password");
  }
}

// RFC 7636 appendix B.
TEST(Authorization, TheChallengeIsThatOfTheRfc) {
  EXPECT_EQ(ChallengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

Attempt Asked() {
  return {.state = "the state",
          .verifier = "verifier",
          .issuer = "https://as.example",
          .says_issuer = true,
          .client_id = "me",
          .redirect_uri = "https://g.example/oauth/callback",
          .resource = "https://s.example/mcp",
          .scopes = {"a", "b"}};
}

TEST(Authorization, TheBrowserIsSentWithAllThatTheSpecificationWants) {
  const std::string url = AuthorizationUrl(Offering({}), Asked()).value();
  ASSERT_TRUE(url.starts_with("https://as.example/authorize?"));
  const Fields fields = ReadForm(url.substr(url.find('?') + 1)).value();
  EXPECT_EQ(Find(fields, "response_type"), "code");
  EXPECT_EQ(Find(fields, "code_challenge_method"), "S256");
  EXPECT_EQ(Find(fields, "resource"), "https://s.example/mcp");
  EXPECT_EQ(Find(fields, "state"), "the state");
  EXPECT_EQ(Find(fields, "scope"), "a b");
  EXPECT_THAT(url, Not(HasSubstr("verifier")));
}

TEST(Authorization, WithoutPkceNobodyIsSentAnywhere) {
  ServerMetadata server = Offering({});
  server.code_challenge_methods = {"plain"};
  EXPECT_FALSE(AuthorizationUrl(server, Asked()));
  server = Offering({});
  server.authorization_endpoint.clear();
  EXPECT_FALSE(AuthorizationUrl(server, Asked()));
}

TEST(Authorization, TheCodeIsBelievedFromWhoWasAsked) {
  const auto back = [](const std::string& query) {
    return CodeIn(ReadForm(query).value(), Asked());
  };
  EXPECT_EQ(back("state=the+state&code=c1&iss=https://as.example"), "c1");
  for (const char* bad :
       {"code=c1&iss=https://as.example", "state=other&code=c1&iss=https://as.example",
        "state=the+state&code=c1", "state=the+state&code=c1&iss=https://as.example/",
        "state=the+state&code=c1&iss=https://evil.example",
        "state=the+state&iss=https://as.example", "state=the+state&code=&iss=https://as.example"}) {
    EXPECT_FALSE(back(bad)) << bad;
  }
}

TEST(Authorization, AnErrorIsShownOnlyOfWhoWasAskedAndInKnownWords) {
  const auto back = [](const std::string& query) {
    return CodeIn(ReadForm(query).value(), Asked()).error().message;
  };
  EXPECT_THAT(back("state=the+state&error=access_denied&iss=https://as.example"),
              HasSubstr("access_denied"));
  EXPECT_THAT(back("state=the+state&error=evil&iss=https://as.example"), Not(HasSubstr("evil")));
  EXPECT_THAT(back("state=the+state&error=access_denied&iss=https://evil.example"),
              Not(HasSubstr("access_denied")));
}

TEST(Authorization, AsksForWhatIsNeeded) {
  ServerMetadata server = Offering({});
  EXPECT_EQ(ScopesFor({"c"}, {}, {"s"}, server), std::vector<std::string>{"c"});
  EXPECT_EQ(ScopesFor({}, {"k"}, {"s"}, server), std::vector<std::string>{"k"});
  EXPECT_EQ(ScopesFor({}, {}, {"s"}, server), std::vector<std::string>{"s"});
  server.scopes_supported = {"offline_access"};
  EXPECT_EQ(ScopesFor({"c"}, {}, {}, server), (std::vector<std::string>{"c", "offline_access"}));
}

const Self kSelf{.redirect_uri = "https://g.example/oauth/callback",
                 .document_url = "https://g.example/oauth/client"};

TEST(Registration, TheDocumentComesBeforeRegistering) {
  ServerMetadata server = Offering({});
  EXPECT_EQ(WayOf(server, kSelf), Way::kNone);
  server.registration_endpoint = "https://as.example/register";
  EXPECT_EQ(WayOf(server, kSelf), Way::kRegister);
  server.client_id_documents = true;
  EXPECT_EQ(WayOf(server, kSelf), Way::kDocument);
  EXPECT_EQ(WayOf(server, {.redirect_uri = "http://localhost/cb"}), Way::kRegister);
}

TEST(Registration, TheDocumentNamesItself) {
  EXPECT_THAT(ClientDocument(kSelf), HasSubstr(R"("client_id":"https://g.example/oauth/client")"));
  EXPECT_THAT(RegistrationRequest(kSelf, Offering({"none"})),
              HasSubstr(R"("application_type":"web")"));
  EXPECT_THAT(RegistrationRequest(kSelf, Offering({"client_secret_post"})),
              HasSubstr(R"("token_endpoint_auth_method":"client_secret_post")"));
  EXPECT_THAT(RegistrationRequest({.redirect_uri = "http://localhost/cb"}, Offering({})),
              HasSubstr(R"("application_type":"native")"));
}

TEST(Registration, WhatWasRegisteredIsKeptAsItWas) {
  const Client client = ReadRegistration(201, R"({"client_id":"i","client_secret":"s",
                                "token_endpoint_auth_method":"client_secret_post"})")
                            .value();
  EXPECT_EQ(client.id, "i");
  const auto again = ReadClientText(ClientText(client));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->secret, "s");
  EXPECT_EQ(again->auth_method, "client_secret_post");
  EXPECT_FALSE(ReadRegistration(400, R"({"client_id":"i"})"));
  EXPECT_FALSE(ReadRegistration(201, "{}"));
  EXPECT_FALSE(ReadRegistration(201, "<html>"));
}

}  // namespace
}  // namespace switchyard::credentials::oauth
