#include "unit/credentials/account.h"

namespace switchyard::credentials {
namespace {

TEST_F(AccountTest, FetchesATokenAndUsesItAgain) {
  const SourcePtr source = Make();
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "none");
  EXPECT_EQ(LinesOf(Obtain(source)), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(LinesOf(Obtain(source)), "Authorization: Bearer t1\r\n");
  ASSERT_EQ(forms_.size(), 1U);
  EXPECT_EQ(oauth::Find(forms_[0], "grant_type"), "client_credentials");
  EXPECT_EQ(oauth::Find(forms_[0], "resource"), "https://s.example/mcp");
  EXPECT_EQ(fetcher_.asked.back().headers.back().value,
            oauth::BasicCredentials("me", "the secret"));
  EXPECT_EQ(fetcher_.asked.back().max_redirects, 0U);
  EXPECT_EQ(counted_["fetched"], 1);
  EXPECT_FALSE(source->personal());
}

TEST_F(AccountTest, ManyWhoWaitMakeOneRequest) {
  Mailbox<bool> gate;
  fetcher_.wait = [&gate]() -> Task<void> {
    co_await gate.Take();
    gate.Put(true);
  };
  const SourcePtr source = Make();
  std::vector<Result<GrantPtr>> got(20, GrantPtr());
  for (Result<GrantPtr>& one : got) {
    Spawn(context_.get_executor(), "test",
          [](SourcePtr from, Result<GrantPtr>& into) -> Task<void> {
            into = co_await from->Obtain(Nobody(), {}, Deadline());
          }(source, one));
  }
  context_.poll();
  EXPECT_EQ(fetcher_.asked.size(), 1U);
  gate.Put(true);
  Run();
  for (const Result<GrantPtr>& one : got) EXPECT_EQ(LinesOf(one), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(forms_.size(), 1U);
}

TEST_F(AccountTest, ATokenIsReplacedBeforeItEndsAndNobodyWaits) {
  const SourcePtr source = Make();
  Obtain(source);
  clock_.Advance(seconds(3301));
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n");
  Run();
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t2\r\n");
  EXPECT_EQ(forms_.size(), 2U);
  EXPECT_EQ(counted_["refreshed"], 1);
}

TEST_F(AccountTest, OneThatEndedIsNotUsed) {
  const SourcePtr source = Make();
  Obtain(source);
  clock_.Advance(seconds(3600));
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "none");
}

TEST_F(AccountTest, AfterAFailureItWaitsAndUsesWhatIsStillGood) {
  const SourcePtr source = Make();
  Obtain(source);
  status_ = 503;
  clock_.Advance(seconds(3301));
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n");
  Run();
  EXPECT_EQ(forms_.size(), 2U);
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n");
  Run();
  EXPECT_EQ(forms_.size(), 2U) << "within the pause";
  EXPECT_EQ(counted_["failed"], 1);
  status_ = 200;
  clock_.Advance(seconds(2));
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n");
  Run();
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t3\r\n");
}

TEST_F(AccountTest, WhatTheAuthorizationServerSaysIsForTheLogOnly) {
  status_ = 400;
  refusal_ = R"({"error":"invalid_client","error_description":"see evil.example"})";
  const Result<GrantPtr> refused = Obtain(Make());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "server s: no token for it could be had");
  EXPECT_THAT(refused.error().detail, HasSubstr("invalid_client"));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("the secret")));
}

TEST_F(AccountTest, WhatItRepeatsOfWhatItWasSentIsNotLogged) {
  status_ = 400;
  refusal_ = R"({"error":"invalid_client","error_description":"not r0 and not the secret"})";
  config_.kind = Kind::kRefreshToken;
  config_.refresh_token = Secret("r0");
  const Result<GrantPtr> refused = Obtain(Make());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("not *** and not ***"));
}

TEST_F(AccountTest, ATokenThatEndsAtOnceIsNotFetchedForEachCall) {
  life_ = "0";
  const SourcePtr never = Make();
  Obtain(never);
  EXPECT_EQ(LinesOf(never->Find(nullptr)), "Authorization: Bearer t1\r\n") << "as if not said";
  life_ = "1";
  const SourcePtr source = Make();
  Obtain(source);
  clock_.Advance(std::chrono::milliseconds(999));
  const GrantPtr early = Obtain(source).value();
  EXPECT_EQ(forms_.size(), 2U);
  clock_.Advance(std::chrono::milliseconds(2));
  Obtain(source);
  EXPECT_EQ(forms_.size(), 3U);
}

TEST_F(AccountTest, ARefusedTokenIsReplacedOnce) {
  const SourcePtr source = Make();
  const GrantPtr first = Obtain(source).value();
  clock_.Advance(seconds(60));
  const Refusal refusal{.grant = first, .status = 401, .challenge = "Bearer error=invalid_token"};
  EXPECT_EQ(LinesOf(Obtain(source, refusal)), "Authorization: Bearer t2\r\n");
  // Another call that was refused with the same one comes late.
  EXPECT_EQ(LinesOf(Obtain(source, refusal)), "Authorization: Bearer t2\r\n");
  EXPECT_EQ(forms_.size(), 2U);
}

TEST_F(AccountTest, AServerThatRefusesEveryTokenHasNoneFetchedForEachCall) {
  const SourcePtr source = Make();
  const GrantPtr first = Obtain(source).value();
  const Result<GrantPtr> again = Obtain(source, {.grant = first, .status = 401, .challenge = ""});
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("fetched a moment ago"));
  EXPECT_EQ(forms_.size(), 1U);
}

TEST_F(AccountTest, MoreScopesAreAskedForOnce) {
  config_.scopes = {"read"};
  const SourcePtr source = Make();
  const GrantPtr first = Obtain(source).value();
  const std::string challenge = R"(Bearer error="insufficient_scope", scope="write")";
  const GrantPtr second = Obtain(source, {first, 403, challenge}).value();
  EXPECT_EQ(oauth::Find(forms_[1], "scope"), "read write");
  EXPECT_FALSE(Obtain(source, {second, 403, challenge}));
  EXPECT_FALSE(Obtain(source, {second, 403, "Bearer"}));
  EXPECT_EQ(forms_.size(), 2U);
}

TEST_F(AccountTest, ScopesThatAreNotGrantedTakeTheServerAwayFromNobody) {
  config_.scopes = {"read"};
  const SourcePtr source = Make();
  const GrantPtr first = Obtain(source).value();
  const Refusal refusal{first, 403, R"(Bearer error="insufficient_scope", scope="admin")"};
  status_ = 400;
  refusal_ = R"({"error":"invalid_scope"})";
  EXPECT_FALSE(Obtain(source, refusal));
  EXPECT_EQ(oauth::Find(forms_[1], "scope"), "read admin");
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n") << "good for others";
  EXPECT_EQ(LinesOf(Obtain(source)), "Authorization: Bearer t1\r\n");
  status_ = 200;
  EXPECT_FALSE(Obtain(source, refusal)) << "not tried again at once";
  EXPECT_EQ(forms_.size(), 2U);
  clock_.Advance(seconds(60));
  EXPECT_TRUE(Obtain(source, {first, 401, ""}));
  EXPECT_EQ(oauth::Find(forms_[2], "scope"), "read");
  clock_.Advance(Account::kStepUp);
  const GrantPtr now = Obtain(source).value();
  EXPECT_TRUE(Obtain(source, {now, 403, refusal.challenge}));
  EXPECT_EQ(oauth::Find(forms_[3], "scope"), "read admin");
}

TEST_F(AccountTest, ScopesThatComeWithA401AreKeptOnlyWhenTheyAreGranted) {
  const SourcePtr source = Make();
  const GrantPtr first = Obtain(source).value();
  status_ = 400;
  EXPECT_FALSE(Obtain(source, {first, 401, R"(Bearer scope="admin")"}));
  EXPECT_EQ(oauth::Find(forms_[1], "scope"), "admin");
  status_ = 200;
  EXPECT_TRUE(Obtain(source));
  EXPECT_EQ(oauth::Find(forms_[2], "scope").value_or(""), "");
}

TEST_F(AccountTest, ARefreshTokenIsNotAskedForMoreThanItWasGranted) {
  config_.kind = Kind::kRefreshToken;
  config_.refresh_token = Secret("r0");
  const SourcePtr source = Make();
  const GrantPtr first = Obtain(source).value();
  const Result<GrantPtr> more =
      Obtain(source, {first, 403, R"(Bearer error="insufficient_scope", scope="admin")"});
  ASSERT_FALSE(more);
  EXPECT_THAT(more.error().message, HasSubstr("was not granted"));
  EXPECT_EQ(forms_.size(), 1U);
  EXPECT_EQ(LinesOf(source->Find(nullptr)), "Authorization: Bearer t1\r\n");
}

TEST_F(AccountTest, WhatItProvesItselfWithGoesToNoOtherIssuer) {
  names_ = "https://evil.example";
  const Result<GrantPtr> refused = Obtain(Make());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("does not name the configured issuer"));
  EXPECT_TRUE(forms_.empty());
  for (const Request& request : fetcher_.asked) EXPECT_THAT(request.url, Not(HasSubstr("evil")));
}

TEST_F(AccountTest, WhereARefusalPointsIsLookedUpOnce) {
  published_ = false;
  config_.kind = Kind::kClientCredentials;
  const SourcePtr source = Make();
  const GrantPtr first = Obtain(source).value();
  EXPECT_EQ(oauth::Find(forms_[0], "resource"), "https://s.example/mcp");
  const auto refusal = [](const GrantPtr& grant, const std::string& where) {
    return Refusal{grant, 401, "Bearer resource_metadata=\"https://s.example/" + where + "\""};
  };
  const GrantPtr second = Obtain(source, refusal(first, "meta")).value();
  EXPECT_THAT(UrlsAsked(), Contains("https://s.example/meta"));
  EXPECT_FALSE(Obtain(source, refusal(second, "meta"))) << "a moment ago";
  EXPECT_FALSE(Obtain(source, refusal(second, "other"))) << "nor wherever else it points";
  EXPECT_EQ(forms_.size(), 2U);
}

TEST_F(AccountTest, AServerThatPublishesNothingIsOfTheConfiguredIssuer) {
  published_ = false;
  EXPECT_EQ(LinesOf(Obtain(Make())), "Authorization: Bearer t1\r\n");
  EXPECT_EQ(oauth::Find(forms_[0], "resource"), "https://s.example/mcp");
}

TEST_F(AccountTest, ARefreshTokenIsFollowedByItsSuccessorsAcrossARestart) {
  config_.kind = Kind::kRefreshToken;
  config_.refresh_token = Secret("r0");
  rotates_ = true;
  {
    const SourcePtr source = Make();
    EXPECT_EQ(LinesOf(Obtain(source)), "Authorization: Bearer t1\r\n");
    EXPECT_EQ(oauth::Find(forms_[0], "refresh_token"), "r0");
    clock_.Advance(seconds(3600));
    Obtain(source);
    EXPECT_EQ(oauth::Find(forms_[1], "refresh_token"), "r1");
  }
  Obtain(Make());
  EXPECT_EQ(oauth::Find(forms_[2], "refresh_token"), "r2");
  config_.refresh_token = Secret("another");
  Obtain(Make());
  EXPECT_EQ(oauth::Find(forms_[3], "refresh_token"), "another");
}

TEST_F(AccountTest, ARefreshTokenThatCouldNotBeKeptIsUsedAndKeptLater) {
  config_.kind = Kind::kRefreshToken;
  config_.refresh_token = Secret("r0");
  rotates_ = true;
  more_ = R"(,"scope":")" + std::string(Vault::kMostBytes, 'a') + "\"";  // the vault takes no such
  {
    const SourcePtr source = Make();
    Obtain(source);
    EXPECT_EQ(vault_.size(), 0U);
    clock_.Advance(seconds(3600));
    Obtain(source);
    EXPECT_EQ(oauth::Find(forms_[1], "refresh_token"), "r1") << "r0 is spent";
    more_.clear();
    clock_.Advance(seconds(3600));
    Obtain(source);
    EXPECT_EQ(oauth::Find(forms_[2], "refresh_token"), "r2");
    EXPECT_EQ(vault_.size(), 1U);
  }
  Obtain(Make());
  EXPECT_EQ(oauth::Find(forms_[3], "refresh_token"), "r3");
}

TEST_F(AccountTest, APrivateKeyThatIsNoneIsSaidAtTheStart) {
  config_.private_key = Secret("hello");
  const auto made = Account::Make("s", "https://s.example/mcp", config_,
                                  {context_.get_executor(), clock_, fetcher_, vault_});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("servers.s.credentials: private_key"));
}

}  // namespace
}  // namespace switchyard::credentials
