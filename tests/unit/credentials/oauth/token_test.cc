#include "credentials/oauth/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::credentials::oauth {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const WallTime kTokenTime{seconds(1'800'000'000)};

Result<Token> Read(const std::string& body, int status = 200) {
  return ReadTokenResponse(status, body, {"asked"}, kTokenTime);
}

TEST(TokenResponse, IsAToken) {
  const Token token =
      Read(R"({"access_token":"at","token_type":"bearer","expires_in":60,"refresh_token":"rt",
               "scope":"a b"})")
          .value();
  EXPECT_EQ(token.access, "at");
  EXPECT_EQ(token.refresh, "rt");
  EXPECT_EQ(token.expires, kTokenTime + seconds(60));
  EXPECT_THAT(token.scopes, ElementsAre("a", "b"));
}

TEST(TokenResponse, WhatItDoesNotSayWasGranted) {
  const Token token = Read(R"({"access_token":"at","token_type":"Bearer"})").value();
  EXPECT_THAT(token.scopes, ElementsAre("asked"));
  EXPECT_EQ(token.expires, std::nullopt);
}

TEST(TokenResponse, WhatWouldEndAHeaderIsNoToken) {
  for (const char* bad : {R"("a\r\nX: y")", R"("a b")", R"("")", "7", "null", R"("ä")"}) {
    EXPECT_FALSE(Read(R"({"token_type":"Bearer","access_token":)" + std::string(bad) + "}")) << bad;
  }
  EXPECT_FALSE(
      Read(R"({"token_type":"Bearer","access_token":")" + std::string(20'000, 'a') + "\"}"));
}

TEST(TokenResponse, AnotherKindOfTokenIsRefused) {
  EXPECT_FALSE(Read(R"({"access_token":"a","token_type":"DPoP"})"));
  EXPECT_FALSE(Read(R"({"access_token":"a"})"));
  EXPECT_FALSE(Read(R"({"access_token":"a","token_type":"Bearer","error":"invalid_grant"})"));
  EXPECT_FALSE(Read(R"({"access_token":"a","access_token":"b","token_type":"Bearer"})"));
  EXPECT_FALSE(Read("<html>"));
}

TEST(TokenResponse, OddLifetimesDoNoHarm) {
  const auto life = [](const std::string& text) {
    const Token token =
        Read(R"({"access_token":"a","token_type":"Bearer","expires_in":)" + text + "}").value();
    return token.expires ? *token.expires - kTokenTime : seconds(-1);
  };
  EXPECT_EQ(life("\"3600\""), seconds(3600));
  for (const char* none : {"0", "-5", "-5.5", "0.0", "\"0\""}) EXPECT_EQ(life(none), seconds(-1));
  EXPECT_EQ(life("59.9"), seconds(59));
  EXPECT_EQ(life("true"), seconds(-1));
  EXPECT_GT(life("18446744073709551615"), seconds(3600));
  EXPECT_GT(life("1e300"), seconds(3600));
}

TEST(IdTokenResponse, HasAnIdTokenBesideTheOther) {
  const auto read = [](const std::string& members) {
    return ReadIdTokenResponse(200, R"({"token_type":"Bearer","access_token":"a")" + members + "}",
                               kTokenTime);
  };
  EXPECT_EQ(read(R"(,"id_token":"h.p.s")").value(), "h.p.s");
  for (const char* bad : {"", R"(,"id_token":"")", R"(,"id_token":null)", R"(,"id_token":7)",
                          R"(,"id_token":["h.p.s"])", R"(,"id_token":"h p s")",
                          R"(,"id_token":"h.p.s\r\n")", R"(,"id_token":"a","id_token":"b")"}) {
    EXPECT_FALSE(read(bad)) << bad;
  }
  EXPECT_FALSE(read(R"(,"id_token":")" + std::string(20'000, 'a') + '"'));
  EXPECT_FALSE(read(R"(,"error":"invalid_grant","id_token":"h.p.s")"));
  EXPECT_FALSE(ReadIdTokenResponse(200, R"({"id_token":"h.p.s"})", kTokenTime))
      << "no access token, so it is no answer of a token endpoint";
  EXPECT_EQ(ReadIdTokenResponse(400, R"({"error":"invalid_client"})", kTokenTime).error().code,
            Code::kUnauthenticated);
}

TEST(TokenResponse, AnErrorRepeatsOnlyKnownWords) {
  const auto gone =
      Read(R"({"error":"invalid_grant","error_description":"see evil.example"})", 400);
  EXPECT_EQ(gone.error().code, Code::kUnauthenticated);
  EXPECT_EQ(gone.error().message, "the token endpoint answered 400 invalid_grant");
  EXPECT_THAT(gone.error().detail, HasSubstr("evil.example"));
  const auto odd = Read(R"({"error":"go to evil.example"})", 400);
  EXPECT_THAT(odd.error().message, Not(HasSubstr("evil")));
  EXPECT_EQ(Read("", 503).error().code, Code::kUnavailable);
}

TEST(TokenResponse, AnErrorRepeatsNothingThatIsSecret) {
  const auto detail = [](const std::string& body, int status = 400) {
    return ReadTokenResponse(status, body, {}, kTokenTime, {"the-refresh-token", "", "s3cret"})
        .error()
        .detail;
  };
  EXPECT_EQ(
      detail(R"({"error":"invalid_grant","error_description":"the-refresh-token, s3cret\n"})"),
      "invalid_grant: ***, *** ");
  EXPECT_EQ(detail(R"({"error":"x","refresh_token":"new one","access_token":"at"})", 200), "x");
  EXPECT_EQ(detail("token=the-refresh-token"), "");
}

TEST(TokenResponse, AnErrorThatIsNullIsNone) {
  EXPECT_TRUE(Read(R"({"access_token":"a","token_type":"Bearer","error":null})"));
}

TEST(TokenText, IsReadAsItWasWritten) {
  const Token token{.access = "a", .refresh = "r\"\\", .expires = kTokenTime, .scopes = {"x", "y"}};
  EXPECT_EQ(ReadTokenText(TokenText(token)), token);
  const Token bare{.access = "a"};
  EXPECT_EQ(ReadTokenText(TokenText(bare)), bare);
  EXPECT_EQ(ReadTokenText("{}"), std::nullopt);
  EXPECT_EQ(ReadTokenText("x"), std::nullopt);
}

TEST(Token, IsReplacedBeforeItEnds) {
  EXPECT_EQ(RefreshAt(kTokenTime, kTokenTime + seconds(3600)), kTokenTime + seconds(3300));
  EXPECT_EQ(RefreshAt(kTokenTime, kTokenTime + seconds(60)), kTokenTime + seconds(50));
  EXPECT_EQ(RefreshAt(kTokenTime, kTokenTime + seconds(10)), kTokenTime + seconds(5));
  EXPECT_EQ(RefreshAt(kTokenTime, kTokenTime + seconds(86400)), kTokenTime + seconds(86400 - 300));
}

}  // namespace
}  // namespace switchyard::credentials::oauth
