#include "credentials/login_flow.h"

#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credentials/oauth/form.h"
#include "unit/auth/issuer.h"
#include "unit/credentials/flow_fixture.h"

namespace switchyard::credentials {
namespace {

using auth::Claims;
using auth::Issuer;
using fetch::Request;
using fetch::Response;
using std::chrono::minutes;
using ::testing::_;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class LoginFlowTest : public FlowFixture {
 protected:
  LoginFlowTest() {
    fetcher_.Answers([this](const Request& request) { return Answer(request); });
    links_.SetBase("https://g.example");
    Use(Configured());
  }

  static config::Issuer Configured() {
    config::Issuer issuer{.issuer = "https://issuer.example"};
    issuer.login =
        config::Login{.client_id = "me", .client_secret = config::Secret("s3cret"), .scopes = {}};
    return issuer;
  }
  void Use(const config::Issuer& issuer) {
    config::Config config;
    config.auth = config::Auth();
    config.auth->issuers = {issuer};
    flow_.Use(std::make_shared<const Logins>(
        LoginsOf(config, [this](const config::Issuer&) { return keys_; }).value()));
  }

  Result<Response> Answer(const Request& request) {
    if (request.url == "https://issuer.example/.well-known/openid-configuration") {
      ++metadata_asked_;
      if (down_) return Response{.status = 503};
      return Response{.status = 200,
                      .body = R"({"issuer":"https://issuer.example",
          "authorization_endpoint":"https://issuer.example/authorize",
          "token_endpoint":"https://issuer.example/token")" +
                              metadata_ + "}"};
    }
    if (request.url != "https://issuer.example/token") return Response{.status = 404};
    forms_.push_back(oauth::ReadForm(request.body).value());
    if (meanwhile_) meanwhile_();
    if (!answer_.empty()) return Response{.status = 200, .body = answer_};
    return Response{
        .status = 200,
        .body = R"({"access_token":"a","token_type":"Bearer","id_token":")" + IdToken() + "\"}"};
  }
  // Of who signed in last, with the nonce that the browser was sent with.
  std::string IdToken() const {
    const auto now = std::chrono::system_clock::to_time_t(clock_.WallNow());
    return Issuer::Get().ed.Token("EdDSA", auth::HeaderText("EdDSA", "ed"),
                                  auth::ClaimsText({{"aud", R"("me")"},
                                                    {"nonce", "\"" + nonce_ + "\""},
                                                    {"sub", "\"" + subject_ + "\""},
                                                    {"iat", std::to_string(now)},
                                                    {"exp", std::to_string(now + 60)}}));
  }

  using Sent = std::map<std::string, std::string>;
  // The button: what the issuer is asked.
  Sent Presses(const std::string& token, const std::string& browser = kBrowser) {
    const Result<std::string> url = Of(flow_.Begin(token, browser));
    Sent sent;
    EXPECT_TRUE(url) << url.error().message;
    if (!url) return sent;
    EXPECT_TRUE(url->starts_with("https://issuer.example/authorize?")) << *url;
    const auto fields = oauth::ReadForm(url->substr(url->find('?') + 1));
    for (const auto& [name, value] : fields.value()) sent[name] = value;
    nonce_ = sent["nonce"];
    return sent;
  }
  Result<std::string> Returns(const Sent& sent, const std::string& browser = kBrowser,
                              const std::string& path = "/connect/login/issuer.example") {
    return Of(flow_.Finish(path, "code=c&state=" + sent.at("state"), browser));
  }
  bool IsProven(const std::string& token) {
    const Offer* offer = links_.Find(token);
    return offer != nullptr && flow_.Proven(*offer);
  }

  static inline const std::string kOther = std::string(32, 'c');
  std::map<std::string, int> counted_;
  LoginFlow flow_{links_, clock_, &fetcher_, [this](std::string_view outcome, unsigned by) {
                    counted_[std::string(outcome)] += static_cast<int>(by);
                  }};
  std::shared_ptr<auth::KeyProvider> keys_ =
      std::make_shared<auth::FixedKeys>(std::make_shared<auth::KeySet>(Issuer::Get().keys));
  std::string metadata_ = R"(,"code_challenge_methods_supported":["S256"])";
  std::string answer_, nonce_, subject_ = "alice";
  int metadata_asked_ = 0;
  bool down_ = false;
  const Whose of_alice_{.issuer = "https://issuer.example", .subject = "alice"};
};

TEST_F(LoginFlowTest, WhoSignsInAsTheCallerHasTheLink) {
  const std::string token = TokenFor(of_alice_);
  ASSERT_TRUE(flow_.Look(token));
  EXPECT_EQ(flow_.Look(token)->server, "s");
  EXPECT_EQ(flow_.Look(token)->issuer, "https://issuer.example");
  EXPECT_FALSE(IsProven(token));
  const Sent sent = Presses(token);
  EXPECT_FALSE(IsProven(token)) << "not by the button";
  EXPECT_EQ(sent.at("client_id"), "me");
  EXPECT_EQ(sent.at("scope"), "openid");
  EXPECT_EQ(sent.at("redirect_uri"), "https://g.example/connect/login/issuer.example");
  EXPECT_EQ(sent.at("code_challenge_method"), "S256");
  EXPECT_EQ(sent.at("nonce").size(), 32U);
  EXPECT_FALSE(sent.contains("prompt"));
  const Result<std::string> back = Returns(sent);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, token);
  EXPECT_TRUE(IsProven(token));
  EXPECT_EQ(links_.Find(token)->browser, kBrowser);
  EXPECT_FALSE(flow_.Look(token));
  EXPECT_THAT(counted_,
              UnorderedElementsAre(Pair("proven", 1), Pair("another", 0), Pair("failed", 0)));
  const auto& form = forms_.at(0);
  EXPECT_EQ(oauth::ChallengeOf(*oauth::Find(form, "code_verifier")), sent.at("code_challenge"));
  EXPECT_EQ(oauth::Find(form, "redirect_uri"), sent.at("redirect_uri"));
  EXPECT_FALSE(oauth::Find(form, "client_secret")) << "in the header";
}

TEST_F(LoginFlowTest, SomebodyElseIsToldAndGetsNoFurther) {
  const std::string token = TokenFor(of_alice_);
  subject_ = "mallory";
  const Result<std::string> back = Returns(Presses(token));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Code::kForbidden);
  EXPECT_THAT(back.error().message, HasSubstr("as somebody else"));
  EXPECT_THAT(back.error().message, Not(HasSubstr("alice")))
      << "whose it is, is not theirs to know";
  EXPECT_FALSE(IsProven(token));
  EXPECT_THAT(counted_,
              UnorderedElementsAre(Pair("proven", 0), Pair("another", 1), Pair("failed", 0)));
  subject_ = "alice";
  const Sent again = Presses(token);
  EXPECT_EQ(again.at("prompt"), "login") << "or the issuer would name the same one again";
  EXPECT_TRUE(Returns(again));
}

TEST_F(LoginFlowTest, TheAliceOfAnotherIssuerIsAnother) {
  const Whose whose{.issuer = "https://other.example", .subject = "alice"};
  EXPECT_TRUE(IsProven(TokenFor(whose))) << "it has no login";
  EXPECT_FALSE(flow_.Look(TokenFor(whose)));
  EXPECT_FALSE(Of(flow_.Begin(TokenFor(whose), kBrowser)));
  EXPECT_TRUE(IsProven(TokenFor({.issuer = "urn:switchyard:api-key", .subject = "ci"})));
  EXPECT_TRUE(IsProven(TokenFor({}))) << "of the gateway itself";
}

TEST_F(LoginFlowTest, AnAnswerIsGoodOnce) {
  const std::string token = TokenFor(of_alice_);
  const Sent sent = Presses(token);
  meanwhile_ = [this, &sent] {
    EXPECT_EQ(links_.BySignIn(sent.at("state")), nullptr) << "not even while it is looked at";
  };
  EXPECT_TRUE(Returns(sent));
  meanwhile_ = nullptr;
  EXPECT_EQ(Returns(sent).error().code, Code::kNotFound);
  EXPECT_EQ(forms_.size(), 1U);
  const std::string next = TokenFor({.issuer = "https://issuer.example", .subject = "bob"});
  const Sent denied = Presses(next);
  const Result<std::string> refused =
      Of(flow_.Finish("/connect/login/issuer.example",
                      "error=access_denied&state=" + denied.at("state"), kBrowser));
  EXPECT_THAT(refused.error().message, HasSubstr("access_denied"));
  EXPECT_EQ(Returns(denied).error().code, Code::kNotFound) << "whatever came of it";
  EXPECT_EQ(forms_.size(), 1U);
  EXPECT_EQ(counted_["failed"], 1);
}

TEST_F(LoginFlowTest, AnswersThatDoNotFitEndNothing) {
  const std::string token = TokenFor(of_alice_);
  const Sent sent = Presses(token);
  const auto finish = [this](const std::string& path, const std::string& query,
                             const std::string& browser) {
    return Of(flow_.Finish(path, query, browser)).error().code;
  };
  const std::string path = "/connect/login/issuer.example";
  const std::string good = "code=c&state=" + sent.at("state");
  EXPECT_EQ(finish(path, "", kBrowser), Code::kNotFound);
  EXPECT_EQ(finish(path, "code=c", kBrowser), Code::kNotFound);
  EXPECT_EQ(finish(path, "code=c&state=", kBrowser), Code::kNotFound);
  EXPECT_EQ(finish(path, "code=c&state=" + std::string(32, '0'), kBrowser), Code::kNotFound);
  EXPECT_EQ(finish(path, good + "&state=x", kBrowser), Code::kNotFound);
  EXPECT_EQ(finish("/connect/login/", good, kBrowser), Code::kNotFound);
  EXPECT_EQ(finish("/connect/login/other.example", good, kBrowser), Code::kNotFound)
      << "the page of another issuer";
  EXPECT_EQ(finish(path, good, ""), Code::kForbidden);
  EXPECT_EQ(finish(path, good, kOther), Code::kForbidden);
  EXPECT_THAT(forms_, IsEmpty());
  EXPECT_FALSE(IsProven(token));
  EXPECT_TRUE(Returns(sent)) << "none of them took the attempt away";
}

TEST_F(LoginFlowTest, WhoAnswersIsWhoWasAsked) {
  metadata_ += R"(,"authorization_response_iss_parameter_supported":true)";
  const std::string path = "/connect/login/issuer.example";
  for (const char* issuer : {"", "&iss=", "&iss=https%3A%2F%2Fevil.example"}) {
    const Sent sent = Presses(TokenFor(of_alice_));
    const auto back = Of(flow_.Finish(path, "code=c&state=" + sent.at("state") + issuer, kBrowser));
    EXPECT_EQ(back.error().code, Code::kForbidden) << issuer;
  }
  EXPECT_THAT(forms_, IsEmpty());
  const Sent sent = Presses(TokenFor(of_alice_));
  EXPECT_TRUE(Of(flow_.Finish(
      path, "code=c&state=" + sent.at("state") + "&iss=https%3A%2F%2Fissuer.example", kBrowser)));
}

TEST_F(LoginFlowTest, AnIdTokenOfAnotherAttemptIsNotBelieved) {
  const Sent first = Presses(TokenFor(of_alice_));
  const std::string stale = nonce_;
  const Sent second = Presses(TokenFor(of_alice_));
  EXPECT_NE(stale, nonce_);
  EXPECT_NE(first.at("state"), second.at("state"));
  EXPECT_EQ(Returns(first).error().code, Code::kNotFound) << "one attempt at a time";
  nonce_ = stale;
  const Result<std::string> back = Returns(second);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Code::kUnavailable);
  EXPECT_THAT(back.error().message, Not(HasSubstr("nonce"))) << "that is for the log";
  EXPECT_FALSE(IsProven(TokenFor(of_alice_)));
  EXPECT_EQ(counted_["failed"], 1);
}

TEST_F(LoginFlowTest, WithoutAnIdTokenNobodySignedIn) {
  for (const char* answer : {R"({"access_token":"a","token_type":"Bearer"})",
                             R"({"access_token":"a","token_type":"Bearer","id_token":null})",
                             R"({"access_token":"a","token_type":"Bearer","id_token":"a.b.c"})",
                             R"({"error":"invalid_grant"})", "<html>"}) {
    answer_ = answer;
    EXPECT_EQ(Returns(Presses(TokenFor(of_alice_))).error().code, Code::kUnavailable) << answer;
  }
  EXPECT_FALSE(IsProven(TokenFor(of_alice_)));
}

TEST_F(LoginFlowTest, TheBrowserThatSignedInHasTheLinkForItself) {
  const std::string token = TokenFor(of_alice_);
  const Sent sent = Presses(token);
  meanwhile_ = [this, &token] {  // somebody signs in faster
    Offer* offer = links_.Find(token);
    offer->proven = true;
    offer->browser = kOther;
  };
  EXPECT_EQ(Returns(sent).error().code, Code::kForbidden);
  EXPECT_EQ(links_.Find(token)->browser, kOther);
}

TEST_F(LoginFlowTest, WhatAnotherBrowserHadBegunIsOver) {
  const std::string token = TokenFor(of_alice_);
  links_.Find(token)->browser = kOther;  // before login was asked for
  links_.Find(token)->attempt = oauth::Attempt{.state = "x"};
  EXPECT_TRUE(Returns(Presses(token)));
  EXPECT_FALSE(links_.Find(token)->attempt);
  EXPECT_EQ(links_.Find(token)->browser, kBrowser);
}

TEST_F(LoginFlowTest, ALinkThatIsOverIsOver) {
  const std::string token = TokenFor(of_alice_);
  const Sent sent = Presses(token);
  clock_.Advance(minutes(16));
  EXPECT_EQ(Returns(sent).error().code, Code::kNotFound);
  EXPECT_EQ(Of(flow_.Begin(token, kBrowser)).error().code, Code::kNotFound);
  EXPECT_FALSE(flow_.Look(token));
  const std::string forgotten = TokenFor(of_alice_);
  const Sent away = Presses(forgotten);
  meanwhile_ = [this] { links_.DropOf("s", of_alice_); };
  EXPECT_EQ(Returns(away).error().code, Code::kNotFound) << "forgotten meanwhile";
}

TEST_F(LoginFlowTest, WhoHasNoCookieIsSentNowhere) {
  EXPECT_EQ(Of(flow_.Begin(TokenFor(of_alice_), "")).error().code, Code::kForbidden);
  EXPECT_EQ(metadata_asked_, 0);
}

TEST_F(LoginFlowTest, AReloadMeanwhileLeavesNoDoubt) {
  Sent sent = Presses(TokenFor(of_alice_));
  config::Issuer changed = Configured();
  changed.login->client_id = "another";
  Use(changed);
  EXPECT_EQ(Returns(sent).error().code, Code::kNotFound) << "it is for whom it was begun";
  EXPECT_THAT(forms_, IsEmpty());
  sent = Presses(TokenFor(of_alice_));
  config::Issuer without = Configured();
  without.login.reset();
  Use(without);
  EXPECT_EQ(Returns(sent).error().code, Code::kNotFound);
  EXPECT_TRUE(IsProven(TokenFor(of_alice_))) << "nothing is asked for any more";
  EXPECT_FALSE(links_.Find(TokenFor(of_alice_))->proven) << "yet it was not proved";
  EXPECT_THAT(counted_, Each(Pair(_, 0)));
}

TEST_F(LoginFlowTest, WithoutPkceTheClientHasToProveItself) {
  metadata_ = "";
  EXPECT_TRUE(Returns(Presses(TokenFor(of_alice_)))) << "the nonce does for it";
  config::Issuer bare = Configured();
  bare.login->client_secret = {};
  Use(bare);
  const Whose bob{.issuer = "https://issuer.example", .subject = "bob"};
  EXPECT_EQ(Of(flow_.Begin(TokenFor(bob), kBrowser)).error().code, Code::kUnavailable);
  Use(Configured());
  metadata_ = R"(,"token_endpoint_auth_methods_supported":["none"])";
  clock_.Advance(minutes(61));
  EXPECT_FALSE(Of(flow_.Begin(TokenFor(bob), kBrowser))) << "nobody asks for its secret";
}

TEST_F(LoginFlowTest, PagesDoNotAskOnAndOn) {
  down_ = true;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Of(flow_.Begin(TokenFor(of_alice_), kBrowser)));
  EXPECT_EQ(metadata_asked_, 1);
  down_ = false;
  clock_.Advance(minutes(1));
  for (int i = 0; i < 2; ++i) Presses(TokenFor(of_alice_));
  EXPECT_EQ(metadata_asked_, 2);
  clock_.Advance(LoginFlow::kForget);
  Presses(TokenFor(of_alice_));
  EXPECT_EQ(metadata_asked_, 3);
}

// Keys that come only when they are asked for, as after a change at the issuer.
class LateKeys final : public auth::KeyProvider {
 public:
  explicit LateKeys(auth::KeysPtr keys) : keys_(std::move(keys)) {}
  std::uint64_t version() const override { return there_ ? 2 : 1; }
  auth::KeysPtr Current() const override { return there_ ? keys_ : nullptr; }
  Task<bool> AwaitNewer(std::uint64_t /*seen*/, Deadline /*deadline*/) override {
    ++asked;
    const bool comes = !there_ && keys_ != nullptr;
    there_ = comes || there_;
    co_return comes;
  }
  int asked = 0;

 private:
  const auth::KeysPtr keys_;
  bool there_ = false;
};

TEST_F(LoginFlowTest, KeysThatAreNotThereYetAreWaitedForOnce) {
  const auto late = std::make_shared<LateKeys>(std::make_shared<auth::KeySet>(Issuer::Get().keys));
  keys_ = late;
  Use(Configured());
  EXPECT_TRUE(Returns(Presses(TokenFor(of_alice_))));
  EXPECT_EQ(late->asked, 1);
  const auto never = std::make_shared<LateKeys>(nullptr);
  keys_ = never;
  Use(Configured());
  links_.DropOf("s", of_alice_);
  EXPECT_EQ(Returns(Presses(TokenFor(of_alice_))).error().code, Code::kUnavailable);
  EXPECT_EQ(never->asked, 1);
}

}  // namespace
}  // namespace switchyard::credentials
