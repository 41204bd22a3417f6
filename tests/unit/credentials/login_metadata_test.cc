// An issuer that changes while somebody signs in there.
#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credentials/login_flow.h"
#include "credentials/oauth/form.h"
#include "support/fake_fetcher.h"

namespace switchyard::credentials {
namespace {

using fetch::Request;
using fetch::Response;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::Not;

class LoginMetadataTest : public testing::Test {
 protected:
  LoginMetadataTest() {
    fetcher_.Answers([this](const Request&) -> Result<Response> {
      if (!published_) return Response{.status = 404};
      return Response{.status = 200, .body = R"({"issuer":"https://issuer.example",
          "authorization_endpoint":"https://issuer.example/authorize",
          "token_endpoint":"https://issuer.example/token",
          "code_challenge_methods_supported":["S256"]})"};
    });
    links_.SetBase("https://g.example");
    flow_.Use(std::make_shared<const Logins>(
        Logins{{"https://issuer.example", Login{.client = {.id = "me", .secret = "s3cret"},
                                                .scopes = {"openid"},
                                                .rules = {},
                                                .keys = nullptr}}}));
  }

  template <class T>
  static Task<void> Into(Task<T> task, std::optional<T>& into) {
    into = co_await std::move(task);
  }
  Result<std::string> Of(Task<Result<std::string>> task) {
    std::optional<Result<std::string>> out;
    Spawn(context_.get_executor(), "test", Into(std::move(task), out));
    context_.restart();
    context_.run();
    return std::move(*out);
  }
  // Presses the button of a new link: the state that the browser is sent away with.
  std::string Begins(const std::string& subject) {
    const std::string link =
        links_.UrlFor("s", {.issuer = "https://issuer.example", .subject = subject}, {});
    const Result<std::string> sent = Of(flow_.Begin(link.substr(link.rfind('/') + 1), kBrowser));
    EXPECT_TRUE(sent) << sent.error().message;
    if (!sent) return "";
    const auto fields = oauth::ReadForm(sent->substr(sent->find('?') + 1));
    return std::string(*oauth::Find(*fields, "state"));
  }

  static inline const std::string kBrowser = std::string(32, 'b');
  net::io_context context_;
  ManualClock clock_;
  tests::FakeFetcher fetcher_;
  Links links_{clock_};
  std::map<std::string, int> counted_;
  LoginFlow flow_{links_, clock_, &fetcher_, [this](std::string_view outcome, unsigned by) {
                    counted_[std::string(outcome)] += static_cast<int>(by);
                  }};
  bool published_ = true;
};

TEST_F(LoginMetadataTest, AnIssuerThatPublishesNoneAnyMoreIsAFailureAndNoLinkThatIsGone) {
  Begins("alice");
  clock_.Advance(LoginFlow::kForget - minutes(5));
  const std::string state = Begins("bob");
  clock_.Advance(minutes(10));
  published_ = false;
  const Result<std::string> back =
      Of(flow_.Finish("/connect/login/issuer.example", "code=c&state=" + state, kBrowser));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Code::kUnavailable);
  EXPECT_THAT(back.error().message, HasSubstr("finds the reason in its log"));
  EXPECT_THAT(back.error().message, Not(HasSubstr("metadata"))) << "that is for the log";
  EXPECT_EQ(counted_["failed"], 1);
}

}  // namespace
}  // namespace switchyard::credentials
