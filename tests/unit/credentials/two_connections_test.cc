// Two sources of one server, as a reload leaves them side by side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credentials/connections.h"
#include "credentials/oauth/form.h"
#include "support/fake_fetcher.h"

namespace switchyard::credentials {
namespace {

using fetch::Request;
using fetch::Response;
using std::chrono::hours;

class TwoConnectionsTest : public testing::Test {
 protected:
  TwoConnectionsTest() {
    fetcher_.Answers([this](const Request& request) -> Result<Response> {
      if (request.url.contains("/oauth-protected-resource") && !named_.empty()) {
        return Response{.status = 200,
                        .body = R"({"resource":"https://s.example/mcp","authorization_servers":)" +
                                named_ + "}"};
      }
      if (request.url == "https://first.example/.well-known/oauth-authorization-server") {
        return Response{.status = 200, .body = R"({"issuer":"https://first.example",
                                  "token_endpoint":"https://first.example/token"})"};
      }
      if (request.url == "https://as.example/.well-known/oauth-authorization-server") {
        ++looks_;
        return Response{.status = 200, .body = R"({"issuer":"https://as.example",
                                  "token_endpoint":"https://as.example/token"})"};
      }
      if (request.url != "https://as.example/token") return Response{.status = 404};
      spent_.emplace_back(*oauth::Find(oauth::ReadForm(request.body).value(), "refresh_token"));
      if (meanwhile_) std::exchange(meanwhile_, nullptr)();
      const std::string number = std::to_string(spent_.size());
      return Response{.status = 200,
                      .body = R"({"access_token":"t)" + number + R"(","refresh_token":"r)" +
                              number + R"(","token_type":"Bearer","expires_in":3600,"scope":")" +
                              more_ + "\"}"};
    });
    links_.SetBase("https://g.example");
    Keep(*old_, "0");
    clock_.Advance(hours(2));
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
  void Keep(Connections& source, const std::string& number) { Keep(source, number, alice_); }
  void Keep(Connections& source, const std::string& number, const Caller& caller) {
    source.Keep(Whose::Of(*caller), {.token = {.access = "t" + number,
                                               .refresh = "r" + number,
                                               .expires = clock_.WallNow() + hours(1)},
                                     .asked = {"read"},
                                     .issuer = "https://as.example",
                                     .resource = "https://s.example/mcp"});
  }
  using Got = Result<GrantPtr>;
  void Begin(const std::shared_ptr<Connections>& source, std::optional<Got>& into,
             Caller caller = nullptr) {
    Spawn(context_.get_executor(), "test",
          [](std::shared_ptr<Connections> from, Caller who, std::optional<Got>& got) -> Task<void> {
            got = co_await from->Obtain(who, {}, Deadline());
          }(source, caller == nullptr ? alice_ : caller, into));
  }
  void Run() {
    context_.restart();
    context_.run();
  }
  std::string Obtain(const std::shared_ptr<Connections>& source, Caller caller = nullptr) {
    std::optional<Got> got;
    Begin(source, got, std::move(caller));
    Run();
    return Shown(got);
  }
  static std::string Shown(const std::optional<Got>& got) {
    if (!got || !*got) return "none";
    std::string lines = (**got)->lines;
    return lines.substr(0, lines.size() - 2);
  }

  // The next token is one that the vault does not take.
  void NothingCanBeKept() {
    more_ = std::string(Vault::kMostBytes, 'x');
    clock_.Advance(hours(2));
  }

  net::io_context context_;
  ManualClock clock_;
  tests::FakeFetcher fetcher_;
  Vault vault_ = Vault::InMemory();
  std::string more_;
  std::string named_;  // authorization servers, as JSON; "" = the server says nothing of them
  int looks_ = 0;      // at the metadata of the one that gives tokens
  Links links_{clock_};
  std::shared_ptr<Turns> turns_ = std::make_shared<Turns>();
  config::ServerCredentials config_ = [] {
    config::ServerCredentials config;
    config.kind = config::ServerCredentials::Kind::kOAuth;
    config.client_id = "me";
    config.issuer = "https://as.example";
    return config;
  }();
  const Caller alice_ = MakeCaller({.issuer = "i", .subject = "alice"});
  const Caller bob_ = MakeCaller({.issuer = "i", .subject = "bob"});
  std::vector<std::string> spent_;
  std::function<void()> meanwhile_;
  std::shared_ptr<Connections> old_ = Make(), new_ = Make();
};

TEST_F(TwoConnectionsTest, WhichOfSeveralIssuersGaveATokenIsLookedUpOnceForAllCallers) {
  named_ = R"(["https://first.example","https://as.example"])";
  config_.issuer = "";
  old_ = Make();
  Keep(*old_, "0", bob_);
  clock_.Advance(hours(2));
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t1");
  EXPECT_EQ(looks_, 1);
  EXPECT_EQ(Obtain(old_, bob_), "Authorization: Bearer t2");
  EXPECT_EQ(looks_, 1);
  clock_.Advance(hours(2));
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t3");
  EXPECT_EQ(looks_, 2) << "for as long as what names it";
}

TEST_F(TwoConnectionsTest, ARefreshTokenIsSpentOnce) {
  fetcher_.wait = [this]() -> Task<void> {
    const auto box = std::make_shared<Mailbox<bool>>();
    net::post(context_, [box] { box->Put(true); });
    co_await box->Take();
  };
  std::optional<Got> one, other;
  Begin(old_, one);
  Begin(new_, other);
  Run();
  EXPECT_EQ(Shown(one), "Authorization: Bearer t1");
  EXPECT_EQ(Shown(other), "Authorization: Bearer t1");
  clock_.Advance(hours(2));
  EXPECT_EQ(Obtain(new_), "Authorization: Bearer t2");
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t2");
  EXPECT_THAT(spent_, testing::ElementsAre("r0", "r1"));
}

TEST_F(TwoConnectionsTest, WhatOneForgetsTheOtherDoesNotBringBack) {
  meanwhile_ = [this] { new_->Forget(Whose::Of(*alice_)); };
  EXPECT_EQ(Obtain(old_), "none");
  EXPECT_EQ(vault_.size(), 0U);
  EXPECT_EQ(Obtain(new_), "none");
}

TEST_F(TwoConnectionsTest, WhatOneKeepsTheOtherDoesNotReplace) {
  meanwhile_ = [this] { Keep(*new_, "9"); };
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t9");
  EXPECT_EQ(Obtain(Make()), "Authorization: Bearer t9");
}

TEST_F(TwoConnectionsTest, OneThatHadNothingSeesWhatTheOtherKeeps) {
  EXPECT_EQ(Obtain(old_, bob_), "none");
  Keep(*new_, "9", bob_);
  EXPECT_EQ(Obtain(old_, bob_), "Authorization: Bearer t9");
  const Caller carol = MakeCaller({.issuer = "i", .subject = "carol"});
  Keep(*new_, "8", carol);
  EXPECT_EQ(Obtain(old_, carol), "Authorization: Bearer t8") << "whom it had not heard of";
}

TEST_F(TwoConnectionsTest, WhatIsAtHandIsNotUsedOnWhenTheOtherHasAnotherOne) {
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t1");
  Keep(*new_, "9");
  EXPECT_EQ(old_->Find(&alice_).value(), nullptr);
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t9");
  EXPECT_NE(old_->Find(&alice_).value(), nullptr);
  new_->Forget(Whose::Of(*alice_));
  EXPECT_EQ(old_->Find(&alice_).value(), nullptr);
  EXPECT_EQ(Obtain(old_), "none");
  EXPECT_TRUE(spent_.size() == 1);
}

TEST_F(TwoConnectionsTest, WhatCouldNotBeKeptReplacesNothingNewer) {
  NothingCanBeKept();
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t1");
  Keep(*new_, "9");
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t9");
  EXPECT_EQ(Obtain(Make()), "Authorization: Bearer t9");
}

TEST_F(TwoConnectionsTest, WhatCouldNotBeKeptDoesNotComeBackAfterItWasForgotten) {
  NothingCanBeKept();
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t1");
  more_.clear();
  EXPECT_TRUE(new_->Forget(Whose::Of(*alice_)));
  clock_.Advance(hours(2));
  EXPECT_EQ(Obtain(old_), "none");
  EXPECT_EQ(vault_.size(), 0U);
}

TEST_F(TwoConnectionsTest, WhatCouldNotBeKeptIsKeptLater) {
  NothingCanBeKept();
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t1");
  more_.clear();
  clock_.Advance(hours(2));
  EXPECT_EQ(Obtain(old_), "Authorization: Bearer t2");
  EXPECT_EQ(Obtain(Make()), "Authorization: Bearer t2");
  EXPECT_THAT(spent_, testing::ElementsAre("r0", "r1"));
}

TEST_F(TwoConnectionsTest, OneOfAnotherIssuerIsNotLeftBehind) {
  config_.issuer = "https://other.example";
  const std::shared_ptr<Connections> moved = Make();
  moved->Keep(Whose::Of(*alice_), {.token = {.access = "t9"},
                                   .asked = {},
                                   .issuer = "https://other.example",
                                   .resource = "https://s.example/mcp"});
  EXPECT_EQ(vault_.Labels(kConnection).size(), 1U);
}

}  // namespace
}  // namespace switchyard::credentials
