#include "credentials/token_exchange.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credentials/oauth/form.h"
#include "support/fake_fetcher.h"

namespace switchyard::credentials {
namespace {

using config::Secret;
using config::ServerCredentials;
using fetch::Request;
using fetch::Response;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class TokenExchangeTest : public testing::Test {
 protected:
  TokenExchangeTest() {
    fetcher_.Answers([this](const Request& request) { return Answer(request); });
    config_.kind = ServerCredentials::Kind::kTokenExchange;
    config_.issuer = "https://as.example";
    config_.client_id = "me";
    config_.client_secret = Secret("the secret");
  }

  Result<Response> Answer(const Request& request) {
    if (request.url == "https://as.example/.well-known/oauth-authorization-server") {
      ++searched_;
      if (!published_) return Response{.status = 503};
      return Response{.status = 200, .body = R"({"issuer":"https://as.example",
                                  "token_endpoint":"https://as.example/token"})"};
    }
    if (request.url != "https://as.example/token") return Response{.status = 404};
    forms_.push_back(oauth::ReadForm(request.body).value());
    if (status_ != 200) return Response{.status = status_, .body = refusal_};
    const std::string given = echoes_ ? std::string(*oauth::Find(forms_.back(), "subject_token"))
                                      : "t" + std::to_string(forms_.size());
    return Response{.status = 200,
                    .body = R"({"access_token":")" + given +
                            R"(","token_type":"Bearer","issued_token_type":)"
                            R"("urn:ietf:params:oauth:token-type:access_token")" +
                            life_ + "}"};
  }

  std::shared_ptr<TokenExchange> Make() {
    SourcePtr made =
        TokenExchange::Make(
            "s", "https://s.example/mcp", config_, "Authorization: own\r\n",
            {.home = context_.get_executor(),
             .clock = clock_,
             .fetcher = fetcher_,
             .lent = lent_,
             .count = [this](const std::string&,
                             std::string_view word) { ++counted_[std::string(word)]; }})
            .value();
    return std::static_pointer_cast<TokenExchange>(made);
  }
  static Caller Of(const std::string& token) {
    return MakeCaller({.issuer = "i", .subject = "alice", .credential = "digest of " + token});
  }
  // While a request with the token is served.
  LentTokens::TokenPtr Lend(const std::string& token) {
    return lent_.Lend("digest of " + token, token);
  }

  void Run() {
    context_.restart();
    context_.run();
  }
  static Task<void> Into(SourcePtr from, Caller caller, Refusal why, Result<GrantPtr>& into) {
    into = co_await from->Obtain(std::move(caller), std::move(why), Deadline());
  }
  Result<GrantPtr> Obtain(const SourcePtr& source, const Caller& caller, Refusal refused = {}) {
    Result<GrantPtr> got = GrantPtr();
    Spawn(context_.get_executor(), "test", Into(source, caller, std::move(refused), got));
    Run();
    return got;
  }
  static std::string LinesOf(const Result<GrantPtr>& grant) {
    if (!grant) return "refused: " + grant.error().message;
    return *grant != nullptr ? (*grant)->lines : "none";
  }
  std::string Found(const SourcePtr& source, const Caller& caller) {
    return LinesOf(source->Find(&caller));
  }

  net::io_context context_;
  ManualClock clock_;
  tests::FakeFetcher fetcher_;
  LentTokens lent_;
  ServerCredentials config_;
  std::map<std::string, int> counted_;
  std::vector<oauth::Fields> forms_;
  std::string life_ = R"(,"expires_in":3600)", refusal_;
  int status_ = 200, searched_ = 0;
  bool published_ = true, echoes_ = false;
};

TEST_F(TokenExchangeTest, OtherRightsAreAnotherViewOfTheCaller) {
  const auto source = Make();
  const auto view = [&](Principal caller) { return source->ViewOf(caller); };
  const Principal one{.subject = "a", .scopes = {"x", "y"}, .claims = {{"jti", {"1"}}}};
  EXPECT_EQ(view(one), view({.subject = "a", .scopes = {"y", "x"}, .claims = {{"jti", {"2"}}}}));
  EXPECT_NE(view(one), view({.subject = "a", .scopes = {"x"}}));
  EXPECT_NE(view({.scopes = {"x"}}), view({.roles = {"x"}}));
  EXPECT_NE(view({.scopes = {"x", "y"}}), view({.scopes = {"x;y"}}));
  EXPECT_NE(view({.claims = {{"authorization_details", {"{}"}}}}),
            view({.claims = {{"authorization_details", {"{\"type\":\"all\"}"}}}}));
}

TEST_F(TokenExchangeTest, TheCallersTokenIsExchangedOnceAndTheOtherUsed) {
  config_.scopes = {"read", "write"};
  const auto source = Make();
  const Caller alice = Of("a");
  const auto lent = Lend("a");
  EXPECT_TRUE(source->personal());
  EXPECT_EQ(Found(source, alice), "none");
  EXPECT_EQ(LinesOf(Obtain(source, alice)), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(Found(source, alice), "Authorization: Bearer t1\r\n");
  ASSERT_EQ(forms_.size(), 1U);
  const auto field = [this](const char* name) { return oauth::Find(forms_[0], name).value_or(""); };
  EXPECT_EQ(field("grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange");
  EXPECT_EQ(field("subject_token"), "a");
  EXPECT_EQ(field("subject_token_type"), "urn:ietf:params:oauth:token-type:access_token");
  EXPECT_EQ(field("requested_token_type"), "urn:ietf:params:oauth:token-type:access_token");
  EXPECT_EQ(field("scope"), "read write");
  EXPECT_EQ(field("resource"), "https://s.example/mcp") << "the server, where nothing else is said";
  EXPECT_EQ(field("actor_token"), "");
  EXPECT_EQ(fetcher_.asked.back().headers.back().value,
            oauth::BasicCredentials("me", "the secret"));
  EXPECT_EQ(fetcher_.asked.back().max_redirects, 0U);
  EXPECT_EQ(counted_["fetched"], 1);
}

TEST_F(TokenExchangeTest, WhomItIsForAndWhoActsIsConfigured) {
  config_.audience = "billing";
  config_.subject_token_type = "jwt";
  config_.actor_token = Secret("the actor");
  config_.issuer.clear();
  config_.token_endpoint = "https://as.example/token";
  const auto source = Make();
  const auto lent = Lend("a");
  EXPECT_EQ(LinesOf(Obtain(source, Of("a"))), "Authorization: Bearer t1\r\n");
  const auto field = [this](const char* name) { return oauth::Find(forms_[0], name).value_or(""); };
  EXPECT_EQ(field("audience"), "billing");
  EXPECT_EQ(field("resource"), "") << "an audience says it";
  EXPECT_EQ(field("subject_token_type"), "urn:ietf:params:oauth:token-type:jwt");
  EXPECT_EQ(field("actor_token"), "the actor");
  EXPECT_EQ(field("actor_token_type"), "urn:ietf:params:oauth:token-type:access_token");
  EXPECT_EQ(searched_, 0) << "a configured endpoint is not looked for";
}

TEST_F(TokenExchangeTest, TwoTokensOfOneCallerAreTwo) {
  const auto source = Make();
  const auto wide = Lend("wide"), narrow = Lend("narrow");
  EXPECT_EQ(LinesOf(Obtain(source, Of("wide"))), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(Found(source, Of("narrow")), "none") << "what one may is not what the other may";
  EXPECT_EQ(LinesOf(Obtain(source, Of("narrow"))), "Authorization: Bearer t2\r\n");
  EXPECT_EQ(oauth::Find(forms_[1], "subject_token"), "narrow");
  EXPECT_EQ(searched_, 1);
}

TEST_F(TokenExchangeTest, WhoShowedNoTokenIsTold) {
  const auto source = Make();
  const Caller key = MakeCaller({.issuer = "urn:switchyard:api-key", .subject = "ci"});
  EXPECT_THAT(Found(source, key), HasSubstr("this caller has shown none"));
  EXPECT_THAT(Found(source, Nobody()), HasSubstr("this caller has shown none"));
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: own\r\n");
  const GrantPtr own = source->Find(nullptr).value();
  EXPECT_FALSE(Obtain(source, Nobody(), {.grant = own, .status = 401, .challenge = ""}));
  EXPECT_TRUE(fetcher_.asked.empty());
}

TEST_F(TokenExchangeTest, WithoutARequestUnderWayThereIsNothingToExchange) {
  const auto source = Make();
  auto lent = Lend("a");
  Obtain(source, Of("a"));
  lent.reset();
  EXPECT_EQ(Found(source, Of("a")), "Authorization: Bearer t1\r\n");
  clock_.Advance(seconds(3600));
  EXPECT_EQ(Found(source, Of("a")), "none");
  EXPECT_THAT(LinesOf(Obtain(source, Of("a"))), HasSubstr("no request with it is under way"));
  EXPECT_EQ(forms_.size(), 1U);
}

TEST_F(TokenExchangeTest, ManyWhoWaitMakeOneRequest) {
  Mailbox<bool> gate;
  fetcher_.wait = [&gate]() -> Task<void> {
    co_await gate.Take();
    gate.Put(true);
  };
  const auto source = Make();
  const auto a = Lend("a"), b = Lend("b");
  std::vector<Result<GrantPtr>> got(20, GrantPtr());
  for (std::size_t i = 0; i < got.size(); ++i) {
    Spawn(context_.get_executor(), "test", Into(source, Of(i % 2 == 0 ? "a" : "b"), {}, got[i]));
  }
  context_.poll();
  EXPECT_EQ(fetcher_.asked.size(), 1U) << "the issuer is looked for once, too";
  gate.Put(true);
  Run();
  EXPECT_EQ(forms_.size(), 2U);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(LinesOf(got[i]), LinesOf(got[i % 2]));
  EXPECT_NE(LinesOf(got[0]), LinesOf(got[1]));
}

TEST_F(TokenExchangeTest, IsExchangedAnewBeforeItEndsAndNobodyWaits) {
  const auto source = Make();
  const auto lent = Lend("a");
  Obtain(source, Of("a"));
  clock_.Advance(seconds(3301));
  EXPECT_EQ(Found(source, Of("a")), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(Found(source, Of("a")), "Authorization: Bearer t1\r\n");
  Run();
  EXPECT_EQ(Found(source, Of("a")), "Authorization: Bearer t2\r\n");
  EXPECT_EQ(forms_.size(), 2U);
  EXPECT_EQ(counted_["refreshed"], 1);
}

TEST_F(TokenExchangeTest, OneThatDoesNotSayHowLongLivesShortly) {
  life_ = "";
  const auto source = Make();
  const auto lent = Lend("a");
  Obtain(source, Of("a"));
  clock_.Advance(TokenExchange::kUnsaid);
  EXPECT_EQ(Found(source, Of("a")), "none");
}

TEST_F(TokenExchangeTest, AfterAFailureItWaitsAndOthersDoNot) {
  const auto source = Make();
  const auto a = Lend("a"), b = Lend("b");
  status_ = 400;
  refusal_ = R"({"error":"invalid_request","error_description":"a is not for the secret"})";
  const Result<GrantPtr> refused = Obtain(source, Of("a"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "server s: no token for this caller could be had");
  EXPECT_THAT(refused.error().detail, HasSubstr("invalid_request"));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("the secret")));
  EXPECT_EQ(Found(source, Of("a")), "refused: server s: no token for this caller could be had");
  EXPECT_FALSE(Obtain(source, Of("a")));
  EXPECT_EQ(forms_.size(), 1U) << "within the pause";
  status_ = 200;
  EXPECT_EQ(LinesOf(Obtain(source, Of("b"))), "Authorization: Bearer t2\r\n");
  clock_.Advance(seconds(2));
  EXPECT_EQ(LinesOf(Obtain(source, Of("a"))), "Authorization: Bearer t3\r\n");
}

TEST_F(TokenExchangeTest, WhatIsStillGoodIsUsedWhileThereIsNoOther) {
  const auto source = Make();
  const auto lent = Lend("a");
  Obtain(source, Of("a"));
  status_ = 503;
  clock_.Advance(seconds(3301));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Found(source, Of("a")), "Authorization: Bearer t1\r\n");
    Run();
  }
  EXPECT_EQ(forms_.size(), 2U) << "a pause between tries";
}

TEST_F(TokenExchangeTest, AnIssuerThatIsDownIsNotLookedForByEachCaller) {
  published_ = false;
  const auto source = Make();
  std::vector<LentTokens::TokenPtr> lent;
  for (const char* token : {"a", "b", "c"}) {
    lent.push_back(Lend(token));
    EXPECT_FALSE(Obtain(source, Of(token)));
  }
  EXPECT_EQ(searched_, 1);
  published_ = true;
  clock_.Advance(seconds(2));
  EXPECT_TRUE(Obtain(source, Of("a")));
}

TEST_F(TokenExchangeTest, TheCallersOwnTokenIsNeverWhatTheServerGets) {
  echoes_ = true;
  const auto source = Make();
  const auto lent = Lend("a");
  const Result<GrantPtr> got = Obtain(source, Of("a"));
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().detail, HasSubstr("gave back the very token"));
}

TEST_F(TokenExchangeTest, ARefusedTokenIsReplacedOnceAndAForbiddenCallIsNot) {
  const auto source = Make();
  const auto lent = Lend("a");
  const GrantPtr first = Obtain(source, Of("a")).value();
  const Refusal refused{.grant = first, .status = 401, .challenge = ""};
  EXPECT_THAT(LinesOf(Obtain(source, Of("a"), refused)), HasSubstr("a moment ago"));
  EXPECT_FALSE(Obtain(source, Of("a"), {.grant = first, .status = 403, .challenge = ""}));
  clock_.Advance(seconds(60));
  EXPECT_EQ(LinesOf(Obtain(source, Of("a"), refused)), "Authorization: Bearer t2\r\n");
  EXPECT_EQ(LinesOf(Obtain(source, Of("a"), refused)), "Authorization: Bearer t2\r\n");
  EXPECT_EQ(forms_.size(), 2U);
}

TEST_F(TokenExchangeTest, SoManyAreKeptAndNoMore) {
  const auto source = Make();
  for (std::size_t i = 0; i < TokenExchange::kMost + 10; ++i) {
    const std::string token = "a" + std::to_string(i);
    const auto lent = Lend(token);
    ASSERT_TRUE(Obtain(source, Of(token)));
  }
  EXPECT_EQ(source->kept(), TokenExchange::kMost);
  EXPECT_EQ(Found(source, Of("a0")), "none");
  EXPECT_EQ(Found(source, Of("a2057")), "Authorization: Bearer t2058\r\n");
}

TEST_F(TokenExchangeTest, TokensAreLentWhileThereIsOne) {
  EXPECT_FALSE(lent_.wanted());
  auto source = Make();
  EXPECT_TRUE(lent_.wanted());
  source.reset();
  EXPECT_FALSE(lent_.wanted());
}

}  // namespace
}  // namespace switchyard::credentials
