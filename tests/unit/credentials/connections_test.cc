#include "credentials/connections.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credentials/oauth/form.h"
#include "support/fake_fetcher.h"

namespace switchyard::credentials {
namespace {

using config::ServerCredentials;
using fetch::Request;
using fetch::Response;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest() {
    fetcher_.Answers([this](const Request& request) { return Answer(request); });
    config_.kind = ServerCredentials::Kind::kOAuth;
    config_.client_id = "me";
    config_.issuer = "https://as.example";
    links_.SetBase("https://g.example");
    source_ = Make();
  }

  Result<Response> Answer(const Request& request) {
    if (down_ && request.url.contains("/.well-known/")) return Response{.status = 503};
    if (!named_.empty() && request.url.contains("/oauth-protected-resource")) {
      return Response{.status = 200,
                      .body = R"({"resource":"https://s.example/mcp",
                                  "authorization_servers":)" +
                              named_ + "}"};
    }
    for (const std::string issuer : {"https://as.example", "https://other.example"}) {
      if (request.url != issuer + "/.well-known/oauth-authorization-server") continue;
      ++looks_;
      return Response{
          .status = 200,
          .body = R"({"issuer":")" + issuer + R"(","token_endpoint":")" + issuer + R"(/token"})"};
    }
    if (request.url != "https://as.example/token") return Response{.status = 404};
    forms_.push_back(oauth::ReadForm(request.body).value());
    if (meanwhile_) meanwhile_();
    if (status_ != 200) return Response{.status = status_, .body = refusal_};
    const std::string number = std::to_string(forms_.size());
    return Response{.status = 200,
                    .body = R"({"access_token":"t)" + number +
                            R"(","token_type":"Bearer","expires_in":3600)" +
                            (rotates_ ? R"(,"refresh_token":"r)" + number + "\"" : "") + "}"};
  }

  std::shared_ptr<Connections> Make(const std::string& own = "") {
    return Connections::Make(
               "s", "https://s.example/mcp", config_, own,
               {.home = context_.get_executor(),
                .clock = clock_,
                .fetcher = fetcher_,
                .vault = vault_,
                .links = links_,
                .count = [this](const std::string&,
                                std::string_view outcome) { ++counted_[std::string(outcome)]; },
                .accounts = &accounts_})
        .value();
  }
  void Connect(const Whose& whose, std::vector<std::string> asked = {"read"}) {
    source_->Keep(whose, {.token = {.access = "t0",
                                    .refresh = "r0",
                                    .expires = clock_.WallNow() + hours(1),
                                    .scopes = asked},
                          .asked = asked,
                          .issuer = "https://as.example",
                          .resource = "https://s.example/mcp"});
  }
  Result<GrantPtr> Obtain(const Caller& caller, Refusal refused = {}) {
    Result<GrantPtr> got = GrantPtr();
    Spawn(context_.get_executor(), "test",
          [](std::shared_ptr<Connections> from, Caller who, Refusal why,
             Result<GrantPtr>& into) -> Task<void> {
            into = co_await from->Obtain(who, std::move(why), Deadline());
          }(source_, caller, std::move(refused), got));
    context_.restart();
    context_.run();
    return got;
  }
  static std::string LinesOf(const Result<GrantPtr>& grant) {
    return grant && *grant != nullptr ? (*grant)->lines : "none";
  }
  static std::string Bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }
  Refusal Forbidden(const std::string& scope) {
    return {.grant = source_->Find(&alice_).value(),
            .status = 403,
            .challenge = R"(Bearer error="insufficient_scope", scope=")" + scope + "\""};
  }
  std::vector<std::string> ScopesAsked(const Result<GrantPtr>& refused) {
    const std::string& url = refused.error().visit;
    const Offer* offer = links_.Find(url.substr(url.rfind('/') + 1));
    return offer == nullptr ? std::vector<std::string>{"no link"} : offer->scopes;
  }

  net::io_context context_;
  ManualClock clock_;
  tests::FakeFetcher fetcher_;
  Vault vault_ = Vault::InMemory();
  Links links_{clock_};
  AccountVersions accounts_;
  ServerCredentials config_;
  std::map<std::string, int> counted_;
  std::vector<oauth::Fields> forms_;
  std::function<void()> meanwhile_;
  std::string refusal_;
  std::string named_;  // authorization servers, as JSON; "" = the resource has no metadata
  int looks_ = 0;
  bool down_ = false;  // all metadata
  int status_ = 200;
  bool rotates_ = true;
  std::shared_ptr<Connections> source_;
  const Caller alice_ = MakeCaller({.issuer = "i", .subject = "alice", .client = "c"});
  const Caller bob_ = MakeCaller({.issuer = "i", .subject = "bob"});
  const Whose of_alice_ = Whose::Of(*alice_);
};

TEST_F(ConnectionsTest, WhoHasNoneIsToldWhereToGetOne) {
  EXPECT_EQ(LinesOf(source_->Find(&alice_)), "none");
  const Result<GrantPtr> none = Obtain(alice_);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().visit.starts_with("https://g.example/connect/"));
  EXPECT_THAT(none.error().message, Not(HasSubstr("connect/"))) << "messages are logged";
  EXPECT_FALSE(source_->Find(&Nobody()));
  EXPECT_TRUE(source_->personal() && source_->connects());
}

TEST_F(ConnectionsTest, EachIsShownByItsOwn) {
  Connect(of_alice_);
  EXPECT_EQ(LinesOf(source_->Find(&alice_)), Bearer("t0"));
  EXPECT_EQ(LinesOf(source_->Find(&bob_)), "none");
  EXPECT_FALSE(Obtain(bob_));
  const Caller other = MakeCaller({.issuer = "j", .subject = "alice"});
  EXPECT_FALSE(Obtain(other)) << "of another issuer";
  const Caller joined = MakeCaller({.issuer = "", .subject = "ialice"});
  EXPECT_FALSE(Obtain(joined));
  EXPECT_EQ(LinesOf(source_->Find(nullptr)), "none");
  EXPECT_EQ(counted_["connected"], 1);
}

TEST_F(ConnectionsTest, WhatTheGatewayAsksItselfGoesOutBareUntilItIsRefused) {
  const GrantPtr bare = Obtain(Nobody()).value();
  EXPECT_EQ(bare->lines, "");
  const Result<GrantPtr> refused =
      Obtain(Nobody(), {.grant = bare, .status = 401, .challenge = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().visit, "") << "no client is asked for the operator's account";
  EXPECT_THAT(refused.error().message, HasSubstr("switchyard connections --connect s"));
  Connect({});
  EXPECT_EQ(LinesOf(source_->Find(nullptr)), Bearer("t0"));
  source_ = Make("Authorization: Bearer fixed\r\n");
  EXPECT_EQ(LinesOf(source_->Find(nullptr)), Bearer("fixed"));
}

TEST_F(ConnectionsTest, ATokenIsReplacedBeforeItEndsAndNobodyWaits) {
  Connect(of_alice_);
  clock_.Advance(minutes(56));
  EXPECT_EQ(LinesOf(source_->Find(&alice_)), Bearer("t0"));
  context_.restart();
  context_.run();
  EXPECT_EQ(LinesOf(source_->Find(&alice_)), Bearer("t1"));
  ASSERT_EQ(forms_.size(), 1U);
  EXPECT_EQ(oauth::Find(forms_[0], "refresh_token"), "r0");
  EXPECT_EQ(oauth::Find(forms_[0], "resource"), "https://s.example/mcp");
  rotates_ = false;
  clock_.Advance(hours(2));
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t2"));
  clock_.Advance(hours(2));
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t3"));
  EXPECT_EQ(oauth::Find(forms_[2], "refresh_token"), "r1") << "where no new one came";
}

TEST_F(ConnectionsTest, WhatIsKeptIsFoundAgain) {
  Connect(of_alice_);
  source_ = Make();
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t0"));
  EXPECT_TRUE(forms_.empty());
  config_.issuer = "https://another.example";
  source_ = Make();
  EXPECT_FALSE(Obtain(alice_)) << "it is not for that one";
}

TEST_F(ConnectionsTest, AConnectionThatIsOverIsForgottenAndAskedForAnew) {
  Connect(of_alice_, {"read", "write"});
  clock_.Advance(hours(2));
  status_ = 400;
  refusal_ = R"({"error":"invalid_grant"})";
  const Result<GrantPtr> over = Obtain(alice_);
  ASSERT_FALSE(over);
  EXPECT_THAT(ScopesAsked(over), ElementsAre("read", "write"));
  EXPECT_EQ(vault_.size(), 0U);
  Obtain(alice_);
  EXPECT_EQ(forms_.size(), 1U);
}

TEST_F(ConnectionsTest, AfterAFailureItWaitsAndKeepsWhatItHas) {
  Connect(of_alice_);
  clock_.Advance(hours(2));
  status_ = 503;
  const Result<GrantPtr> failed = Obtain(alice_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().visit, "");
  Obtain(alice_);
  EXPECT_EQ(forms_.size(), 1U) << "within the pause";
  EXPECT_EQ(counted_["failed"], 1);
  status_ = 200;
  clock_.Advance(seconds(2));
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t2"));
}

TEST_F(ConnectionsTest, MoreScopesAreAskedForByTheirUnionAndNotInALoop) {
  Connect(of_alice_);
  const Result<GrantPtr> wider = Obtain(alice_, Forbidden("write"));
  ASSERT_FALSE(wider);
  EXPECT_THAT(ScopesAsked(wider), ElementsAre("read", "write"));
  EXPECT_EQ(LinesOf(source_->Find(&alice_)), Bearer("t0")) << "good for all else";
  Connect(of_alice_, {"read", "write"});
  const Result<GrantPtr> again = Obtain(alice_, Forbidden("write"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().visit, "");
  clock_.Advance(Connections::kStepUp);
  EXPECT_NE(Obtain(alice_, Forbidden("write")).error().visit, "");
  const Refusal plain{
      .grant = source_->Find(&alice_).value(), .status = 403, .challenge = "Bearer"};
  EXPECT_EQ(Obtain(alice_, plain).error().visit, "");
  EXPECT_TRUE(forms_.empty());
}

TEST_F(ConnectionsTest, ARefusedTokenIsReplacedOnceAndAFreshOneNot) {
  Connect(of_alice_);
  const Refusal refused{.grant = source_->Find(&alice_).value(), .status = 401, .challenge = {}};
  EXPECT_THAT(Obtain(alice_, refused).error().message, HasSubstr("a moment ago"));
  clock_.Advance(minutes(1));
  EXPECT_EQ(LinesOf(Obtain(alice_, refused)), Bearer("t1"));
  EXPECT_EQ(LinesOf(Obtain(alice_, refused)), Bearer("t1")) << "somebody was here before";
  EXPECT_EQ(forms_.size(), 1U);
}

// Scopes that the link for the gateway's own account asks for, on one that is made with it.
TEST_F(ConnectionsTest, TheGatewaysOwnAccountIsConnectedForWhatItsServerWants) {
  const auto asked = [this](const std::string& url) {
    const Offer* offer = links_.Find(url.substr(url.rfind('/') + 1));
    return offer == nullptr ? std::vector<std::string>{"no link"} : offer->scopes;
  };
  EXPECT_THAT(asked(source_->OwnLink()), ElementsAre());
  const GrantPtr bare = Obtain(Nobody()).value();
  EXPECT_FALSE(Obtain(Nobody(), {.grant = bare, .status = 401, .challenge = "Bearer scope=list"}));
  EXPECT_THAT(asked(source_->OwnLink()), ElementsAre("list"));
  links_.DropOf("s", {});
  Connect({}, {"list"});
  EXPECT_FALSE(Obtain(Nobody(), {.grant = source_->Find(nullptr).value(),
                                 .status = 403,
                                 .challenge = R"(Bearer error="insufficient_scope", scope=more)"}));
  EXPECT_THAT(asked(source_->OwnLink()), ElementsAre("list", "more"));
}

TEST_F(ConnectionsTest, ARefusedTokenHasTheServerAskedAnewWhereAccountsAre) {
  const auto looks = [this] {
    return std::ranges::count_if(fetcher_.asked, [](const Request& request) {
      return request.url.contains("oauth-protected-resource");
    });
  };
  Connect(of_alice_);
  const auto refuse = [this] {
    clock_.Advance(minutes(1));
    return Obtain(alice_,
                  {.grant = source_->Find(&alice_).value(), .status = 401, .challenge = {}});
  };
  EXPECT_EQ(LinesOf(refuse()), Bearer("t1"));
  const auto before = looks();
  clock_.Advance(minutes(56));
  EXPECT_EQ(LinesOf(source_->Find(&alice_)), Bearer("t1"));
  context_.restart();
  context_.run();
  EXPECT_EQ(looks(), before) << "a token that ends says nothing of that";
  EXPECT_EQ(LinesOf(refuse()), Bearer("t3"));
  EXPECT_GT(looks(), before);
}

TEST_F(ConnectionsTest, OfSeveralAuthorizationServersTheOneThatGaveATokenReplacesIt) {
  config_.issuer = "";
  named_ = R"(["https://other.example","https://as.example"])";
  source_ = Make();
  Connect(of_alice_);
  clock_.Advance(hours(2));
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t1"));
  named_ = R"(["https://other.example"])";
  clock_.Advance(hours(2));
  EXPECT_NE(Obtain(alice_).error().visit, "") << "it is not for that one";
  EXPECT_EQ(forms_.size(), 1U);
}

TEST_F(ConnectionsTest, RefusalsNeitherForgetWhereAccountsAreNorHaveThemLookedForAllTheTime) {
  const auto refuse = [this](seconds after) {
    clock_.Advance(after);
    return LinesOf(
        Obtain(alice_, {.grant = source_->Find(&alice_).value(), .status = 401, .challenge = {}}));
  };
  Connect(of_alice_);
  EXPECT_EQ(refuse(seconds(15)), Bearer("t1"));
  const int before = looks_;
  EXPECT_EQ(refuse(seconds(15)), Bearer("t2"));
  EXPECT_EQ(refuse(seconds(15)), Bearer("t3"));
  EXPECT_EQ(refuse(seconds(15)), Bearer("t4"));
  EXPECT_EQ(looks_, before + 1);
  down_ = true;
  EXPECT_EQ(refuse(minutes(1)), Bearer("t5")) << "nobody says that they are elsewhere";
  EXPECT_EQ(refuse(seconds(15)), Bearer("t6"));
}

TEST_F(ConnectionsTest, WhatIsForgottenWhileItIsReplacedStaysForgotten) {
  Connect(of_alice_);
  clock_.Advance(hours(2));
  meanwhile_ = [this] { source_->Forget(of_alice_); };
  EXPECT_NE(Obtain(alice_).error().visit, "");
  EXPECT_EQ(vault_.size(), 0U);
  EXPECT_FALSE(source_->Forget(of_alice_));
}

TEST_F(ConnectionsTest, WhatIsConnectedAnewWhileItIsReplacedIsUsed) {
  Connect(of_alice_);
  clock_.Advance(hours(2));
  meanwhile_ = [this] { Connect(of_alice_, {"read", "write"}); };
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t0"));
  EXPECT_EQ(LinesOf(source_->Find(&alice_)), Bearer("t0"));
}

TEST_F(ConnectionsTest, AnotherAccountIsAnotherViewOfTheCaller) {
  std::vector<std::string> views{source_->ViewOf(*alice_)};
  const std::string bobs = source_->ViewOf(*bob_);
  Connect(of_alice_);
  views.push_back(source_->ViewOf(*alice_));
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t0"));
  clock_.Advance(hours(2));
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t1"));
  EXPECT_EQ(source_->ViewOf(*alice_), views.back()) << "a new token of the same account";
  source_->Forget(of_alice_);
  views.push_back(source_->ViewOf(*alice_));
  Connect(of_alice_);
  views.push_back(source_->ViewOf(*alice_));
  std::ranges::sort(views);
  EXPECT_EQ(std::ranges::adjacent_find(views), views.end());
  EXPECT_EQ(source_->ViewOf(*bob_), bobs);
}

TEST_F(ConnectionsTest, NoMoreThanSoManyAreInMemory) {
  Connect(of_alice_);
  for (std::size_t i = 0; i <= Connections::kMostHeld; ++i) {
    EXPECT_FALSE(source_->Forget({.issuer = "i", .subject = std::to_string(i)}));
  }
  EXPECT_EQ(LinesOf(Obtain(alice_)), Bearer("t0")) << "from the vault";
}

TEST(Connected, IsReadAsItWasWritten) {
  const Connected one{.token = {.access = "a", .refresh = "r", .scopes = {"x"}},
                      .asked = {"x", "y"},
                      .issuer = {},
                      .resource = "https://s.example/mcp"};
  const auto again = ReadConnectedText(ConnectedText(one));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->token, one.token);
  EXPECT_EQ(again->asked, one.asked);
  EXPECT_EQ(again->resource, one.resource);
  for (const char* bad : {"", "\n", "\n\n", "a\nb\n{}", "{\"access\":\"a\"}"}) {
    EXPECT_FALSE(ReadConnectedText(bad)) << bad;
  }
}

TEST(Principals, AreToldApartWhateverTheirNames) {
  for (const Whose& whose : {Whose{}, Whose{"i", "s"}, Whose{"", "is"}, Whose{"1:i", "\ns"}}) {
    EXPECT_EQ(ReadPrincipalText(PrincipalText(whose)), whose);
  }
  EXPECT_NE(PrincipalText({"i", "s"}), PrincipalText({"", "is"}));
  for (const char* bad : {"", "x", "5", "5:ab", "-1:ab", "99999999999999999999:a"}) {
    EXPECT_TRUE(ReadPrincipalText(bad).own()) << bad;
  }
}

}  // namespace
}  // namespace switchyard::credentials
