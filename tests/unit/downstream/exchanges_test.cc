// Whose a message is on a channel that all requests share, when one of them was given up.
#include "downstream/exchanges.h"

#include <string>

#include <gtest/gtest.h>

#include "unit/downstream/loop.h"

namespace switchyard::downstream {
namespace {

using std::chrono::seconds;
using Routed = Exchanges::Routed;

constexpr const char* kLog =
    R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}})";
constexpr const char* kUnreadable =
    R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"parse error"}})";

class ExchangesTest : public ::testing::Test {
 protected:
  Result<ReplyPtr> Add(int id, Deadline deadline = {}, bool quiet = false) {
    const mcp::Pieces nothing;
    const std::string text = std::to_string(id);
    return exchanges_->Add(
        {.body = nothing, .id = text, .headers = {}, .deadline = deadline, .quiet = quiet}, 0);
  }
  Routed Route(const std::string& text) {
    mcp::Message message = *mcp::Message::Parse(text);
    return exchanges_->Route(message);
  }
  Routed Answer(int id) {
    return Route(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":{}})");
  }

  Loop loop_;
  std::shared_ptr<Exchanges> exchanges_ =
      std::make_shared<Exchanges>("x", loop_.deps(), Exchanges::Limits{});
};

TEST_F(ExchangesTest, WhatBearsNoMarkMayBeOfACallThatRanOutOfTime) {
  const Result<ReplyPtr> late = Add(1, loop_.In(seconds(1)));
  const Result<ReplyPtr> next = Add(2);
  loop_.Pass(seconds(1));
  EXPECT_EQ(exchanges_->open_calls(), 2U);
  EXPECT_EQ(Route(kUnreadable), Routed::kUnknown);
  loop_.Pass(seconds(5));
  EXPECT_EQ(exchanges_->open_calls(), 1U) << "for a while";
  EXPECT_EQ(Route(kUnreadable), Routed::kTaken);
}

TEST_F(ExchangesTest, OrOfOneThatWasCancelledUntilTheServerAnswersItAllTheSame) {
  EXPECT_TRUE(Add(1));  // and dropped
  const Result<ReplyPtr> next = Add(2);
  EXPECT_EQ(exchanges_->open_calls(), 2U);
  EXPECT_EQ(Route(kLog), Routed::kTaken) << "who cancels a call keeps the logs of the next one";
  EXPECT_EQ(Answer(1), Routed::kLate);
  EXPECT_EQ(exchanges_->open_calls(), 1U);
}

TEST_F(ExchangesTest, AServerThatHasReadTheCancellationIsNotAskingForThatCall) {
  const Result<ReplyPtr> before = Add(1, {}, true);
  EXPECT_TRUE(Add(2));
  const Result<ReplyPtr> call = Add(3);
  const Result<ReplyPtr> ping = Add(4, {}, true);
  EXPECT_EQ(Answer(1), Routed::kTaken);
  EXPECT_EQ(exchanges_->open_calls(), 2U) << "it may have read no further than that";
  EXPECT_EQ(Answer(4), Routed::kTaken);
  EXPECT_EQ(exchanges_->open_calls(), 1U);
}

TEST_F(ExchangesTest, WhatSurelyDoesNotRunOrIsOurOwnIsForgottenAtOnce) {
  const Result<ReplyPtr> unsent = Add(1);
  exchanges_->Fail(1, {.code = Code::kUnavailable, .retryable = true, .message = {}});
  EXPECT_EQ(exchanges_->open_calls(), 0U);
  EXPECT_TRUE(Add(2, {}, true));
  EXPECT_EQ(exchanges_->open_calls(), 0U);
  const Result<ReplyPtr> broken = Add(3);
  exchanges_->Fail(3, {.code = Code::kUnavailable, .message = {}});
  EXPECT_EQ(exchanges_->open_calls(), 1U);
  const Result<ReplyPtr> answered = Add(4);
  EXPECT_EQ(Answer(4), Routed::kTaken);
  EXPECT_EQ(exchanges_->open_calls(), 1U);
}

TEST_F(ExchangesTest, AListenThatTheServerCancelsEndsAndNothingElseDoes) {
  const mcp::Pieces nothing;
  Result<ReplyPtr> listen = exchanges_->Add(
      {.body = nothing, .id = "1", .headers = {}, .deadline = {}, .quiet = true, .lasting = true},
      0);
  const Result<ReplyPtr> call = Add(2);
  const auto cancel = [this](const std::string& id) {
    return Route(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
                 id + "}}");
  };
  for (const char* other : {"2", "3", "\"1\"", "null"}) {
    EXPECT_EQ(cancel(other), Routed::kUnclaimed) << other;
  }
  EXPECT_TRUE(exchanges_->Has(1) && exchanges_->Has(2));
  EXPECT_EQ(cancel("1"), Routed::kTaken);
  const Result<std::optional<mcp::Message>> next = loop_.Run((*listen)->Next());
  ASSERT_TRUE(next && next->has_value());
  EXPECT_EQ((**next).kind(), mcp::Kind::kResult);
  EXPECT_FALSE(exchanges_->Has(1));
  EXPECT_EQ(Answer(1), Routed::kLate) << "the result may follow";
}

TEST_F(ExchangesTest, RemembersABoundedNumber) {
  for (int id = 1; id <= 1000; ++id) EXPECT_TRUE(Add(id));
  EXPECT_EQ(exchanges_->open_calls(), Exchanges::Limits{}.given_up);
}

TEST_F(ExchangesTest, AnAnswerThatCannotBeReadIsOneAllTheSame) {
  Result<ReplyPtr> call = Add(1, loop_.In(seconds(60)));
  const Result<ReplyPtr> other = Add(2);
  const Error why{.code = Code::kProtocol, .origin = Origin::kServer, .message = "why"};
  for (const char* nobody : {"", "3", "x", "-1", "99999999999999999999"}) {
    EXPECT_FALSE(exchanges_->Spoil(nobody, why)) << nobody;
  }
  EXPECT_TRUE(exchanges_->Spoil("1", why));
  EXPECT_FALSE(exchanges_->Spoil("1", why)) << "once";
  const Result<std::optional<mcp::Message>> next = loop_.Run((*call)->Next());
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().message, "why");
  EXPECT_EQ(exchanges_->open_calls(), 1U) << "the server is through with it";
}

}  // namespace
}  // namespace switchyard::downstream
