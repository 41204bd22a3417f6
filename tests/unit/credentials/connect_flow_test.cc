#include "credentials/connect_flow.h"

#include <map>

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credentials/oauth/form.h"
#include "unit/credentials/flow_fixture.h"

namespace switchyard::credentials {
namespace {

using config::ServerCredentials;
using fetch::Request;
using fetch::Response;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;

class ConnectFlowTest : public FlowFixture {
 protected:
  ConnectFlowTest() {
    fetcher_.Answers([this](const Request& request) { return Answer(request); });
    config_.kind = ServerCredentials::Kind::kOAuth;
    config_.issuer = "https://as.example";
    links_.SetBase("http://localhost:1");
    source_ = Make();
  }

  Result<Response> Answer(const Request& request) {
    if (request.url == "https://as.example/.well-known/oauth-authorization-server") {
      ++metadata_asked_;
      if (down_) return Response{.status = 503};
      return Response{.status = 200, .body = R"({"issuer":"https://as.example",
          "authorization_endpoint":"https://as.example/authorize",
          "token_endpoint":"https://as.example/token","code_challenge_methods_supported":["S256"],
          "registration_endpoint":"https://as.example/register"})"};
    }
    if (request.url == "https://as.example/register") {
      ++registered_;
      if (refuses_to_register_) return Response{.status = 403};
      return Response{.status = 201,
                      .body = R"({"client_id":"client-)" + std::to_string(registered_) +
                              R"(","token_endpoint_auth_method":"none"})"};
    }
    if (request.url != "https://as.example/token") return Response{.status = 404};
    forms_.push_back(oauth::ReadForm(request.body).value());
    if (meanwhile_) meanwhile_();
    if (!refusal_.empty())
      return Response{.status = 400, .body = R"({"error":")" + refusal_ + "\"}"};
    const std::string number = std::to_string(forms_.size());
    return Response{.status = 200,
                    .body = R"({"access_token":"t)" + number + R"(","refresh_token":"r)" + number +
                            R"(","token_type":"Bearer","expires_in":3600})"};
  }

  std::shared_ptr<Connections> Make() {
    return Connections::Make("s", "https://s.example/mcp", config_, "",
                             {.home = context_.get_executor(),
                              .clock = clock_,
                              .fetcher = fetcher_,
                              .vault = vault_,
                              .links = links_,
                              .turns = turns_})
        .value();
  }

  using Sent = Result<std::optional<std::string>>;
  // The page, and its button.
  Sent Presses(const Whose& whose) {
    const std::string token = TokenFor(whose);
    const Result<ConnectFlow::Shown> shown = Of(flow_.Look(token, kBrowser));
    if (!shown) return Failure(shown.error());
    return Of(flow_.Begin(token, kBrowser, ConnectFlow::TermsOf(*shown)));
  }
  Result<ConnectFlow::Shown> Returns(const std::string& url) {
    const auto fields = oauth::ReadForm(url.substr(url.find('?') + 1)).value();
    const std::string state(*oauth::Find(fields, "state"));
    return Of(flow_.Finish("/connect/callback/s", "code=c&state=" + state, kBrowser));
  }
  void Connect(const Whose& whose) {
    const Sent sent = Presses(whose);
    ASSERT_TRUE(sent && *sent);
    EXPECT_TRUE(Returns(**sent));
  }
  Result<GrantPtr> Obtain(const Caller& caller) {
    return Of(source_->Obtain(caller, {}, Deadline()));
  }
  std::string ClientOf(const oauth::Fields& form) {
    return std::string(oauth::Find(form, "client_id").value_or("nobody"));
  }

  Vault vault_ = Vault::InMemory();
  std::shared_ptr<Turns> turns_ = std::make_shared<Turns>();
  ServerCredentials config_;
  std::shared_ptr<Connections> source_;
  ConnectFlow flow_{links_, clock_, &fetcher_, [this](std::string_view) { return source_; }};
  std::string refusal_;
  int metadata_asked_ = 0, registered_ = 0;
  bool down_ = false, refuses_to_register_ = false;
  const Caller alice_ = MakeCaller({.issuer = "i", .subject = "alice"});
  const Caller bob_ = MakeCaller({.issuer = "i", .subject = "bob"});
  const Whose of_alice_ = Whose::Of(*alice_), of_bob_ = Whose::Of(*bob_);
};

TEST_F(ConnectFlowTest, PagesDoNotAskOnAndOn) {
  down_ = true;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Of(flow_.Look(TokenFor(of_alice_), kBrowser)));
  EXPECT_EQ(metadata_asked_, 1);
  down_ = false;
  clock_.Advance(minutes(1));
  EXPECT_TRUE(Of(flow_.Look(TokenFor(of_alice_), kBrowser)));
  refuses_to_register_ = true;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Presses(of_alice_));
  EXPECT_EQ(registered_, 1);
  refuses_to_register_ = false;
  clock_.Advance(minutes(1));
  EXPECT_TRUE(Presses(of_alice_));
  EXPECT_EQ(metadata_asked_, 2);
}

TEST_F(ConnectFlowTest, TheGatewayIsRegisteredOnceHoweverManyBegin) {
  const std::string terms =
      ConnectFlow::TermsOf(Of(flow_.Look(TokenFor(of_alice_), kBrowser)).value());
  fetcher_.wait = []() -> Task<void> {
    const Executor executor = co_await net::this_coro::executor;
    const auto box = std::make_shared<Mailbox<bool>>();
    net::post(executor, [box] { box->Put(true); });
    co_await box->Take();
  };
  std::optional<Sent> alice, bob;
  Spawn(context_.get_executor(), "test",
        Into(flow_.Begin(TokenFor(of_alice_), kBrowser, terms), alice));
  Spawn(context_.get_executor(), "test",
        Into(flow_.Begin(TokenFor(of_bob_), kBrowser, terms), bob));
  Run();
  EXPECT_EQ(registered_, 1);
  ASSERT_TRUE(alice && *alice && **alice);
  ASSERT_TRUE(bob && *bob && **bob);
  EXPECT_TRUE(Returns(***alice));
  EXPECT_TRUE(Returns(***bob));
}

TEST_F(ConnectFlowTest, ARegistrationThatIsGoneEndsNobodyElsesConnection) {
  Connect(of_alice_);
  Connect(of_bob_);
  EXPECT_EQ(registered_, 1);
  clock_.Advance(hours(2));
  refusal_ = "invalid_client";
  EXPECT_NE(Obtain(alice_).error().visit, "");
  refusal_ = "";
  EXPECT_TRUE(Obtain(bob_));
  EXPECT_EQ(ClientOf(forms_.back()), "client-1");
  Connect(of_alice_);
  EXPECT_EQ(registered_, 2);
  EXPECT_EQ(ClientOf(forms_.back()), "client-2");
  clock_.Advance(hours(2));
  source_ = Make();
  EXPECT_TRUE(Obtain(bob_));
  EXPECT_EQ(ClientOf(forms_.back()), "client-1") << "it is whose token that is";
}

TEST_F(ConnectFlowTest, OneWhoMayNotIsStillRegistered) {
  refusal_ = "unauthorized_client";
  const Sent sent = Presses(of_alice_);
  ASSERT_TRUE(sent && *sent);
  EXPECT_FALSE(Returns(**sent));
  refusal_ = "";
  Connect(of_alice_);
  EXPECT_EQ(registered_, 1);
}

TEST_F(ConnectFlowTest, AReloadMeanwhileTakesNoConnectionAway) {
  const Sent sent = Presses(of_alice_);
  ASSERT_TRUE(sent && *sent);
  EXPECT_FALSE(Obtain(bob_)) << "what is kept has been looked for";
  const std::shared_ptr<Connections> old = source_;
  meanwhile_ = [this] {
    source_ = Make();
    Spawn(context_.get_executor(), "test",
          [](std::shared_ptr<Connections> from, Caller who) -> Task<void> {
            Result<GrantPtr> none = co_await from->Obtain(who, {}, Deadline());
            EXPECT_FALSE(none);
          }(source_, bob_));
  };
  EXPECT_TRUE(Returns(**sent));
  EXPECT_NE(source_, old);
  EXPECT_TRUE(Obtain(alice_));
}

TEST_F(ConnectFlowTest, AConnectionIsRenewedAsWhomItWasMadeThoughAReloadSaysAnother) {
  config_.client_id = "first";
  source_ = Make();
  const Sent sent = Presses(of_alice_);
  ASSERT_TRUE(sent && *sent);
  const std::shared_ptr<Connections> old = source_;
  meanwhile_ = [this] {
    config_.client_id = "second";
    source_ = Make();
  };
  EXPECT_TRUE(Returns(**sent));
  meanwhile_ = nullptr;
  clock_.Advance(hours(2));
  EXPECT_TRUE(Obtain(alice_));
  EXPECT_EQ(ClientOf(forms_.back()), "first");
}

TEST_F(ConnectFlowTest, AServerThatMovedMeanwhileIsGivenNothing) {
  const Sent sent = Presses(of_alice_);
  ASSERT_TRUE(sent && *sent);
  meanwhile_ = [this] {
    config_.resource = "https://elsewhere.example/";
    source_ = Make();
  };
  EXPECT_FALSE(Returns(**sent));
  EXPECT_EQ(vault_.Labels(kConnection).size(), 0U);
}

TEST_F(ConnectFlowTest, WhatIsAskedForIsWhatWasShown) {
  const std::string token = TokenFor(of_alice_, {"read"});
  const Result<ConnectFlow::Shown> shown = Of(flow_.Look(token, kBrowser));
  ASSERT_TRUE(shown);
  const std::string terms = ConnectFlow::TermsOf(*shown);
  EXPECT_EQ(TokenFor(of_alice_, {"write"}), token) << "the server wants more meanwhile";
  const Sent stale = Of(flow_.Begin(token, kBrowser, terms));
  ASSERT_TRUE(stale);
  EXPECT_FALSE(*stale);
  EXPECT_FALSE(*Of(flow_.Begin(token, kBrowser, "")));
  EXPECT_EQ(registered_, 0);
  const Result<ConnectFlow::Shown> again = Of(flow_.Look(token, kBrowser));
  EXPECT_THAT(again->scopes, Contains("write"));
  const Sent sent = Of(flow_.Begin(token, kBrowser, ConnectFlow::TermsOf(*again)));
  ASSERT_TRUE(sent && *sent);
  EXPECT_THAT(**sent, HasSubstr("scope=read%20write"));
}

TEST_F(ConnectFlowTest, TermsThatDifferReadDifferently) {
  const ConnectFlow::Shown one{
      .server = "s", .url = "u", .whose = {}, .issuer = "i", .sign_in = "", .scopes = {"a", "b"}};
  ConnectFlow::Shown other = one;
  EXPECT_EQ(ConnectFlow::TermsOf(one), ConnectFlow::TermsOf(other));
  other.scopes = {"a b"};
  EXPECT_NE(ConnectFlow::TermsOf(one), ConnectFlow::TermsOf(other));
  other = one;
  other.issuer = "j";
  EXPECT_NE(ConnectFlow::TermsOf(one), ConnectFlow::TermsOf(other));
  other = one;
  other.sign_in = "https://x";
  EXPECT_NE(ConnectFlow::TermsOf(one), ConnectFlow::TermsOf(other));
}

}  // namespace
}  // namespace switchyard::credentials
