#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/lib/context_window.h"
#include "unit/policies/context_fixture.h"
#include "unit/policies/remote_store.h"

namespace switchyard::policies {
namespace {

namespace json = boost::json;
using std::chrono::minutes;
using testing::ContextBudgetPolicy;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::kTenThousand;
using testing::RemoteStore;
using testing::Text;
using testing::TokensOf;
using testing::Words;

// Another store, in which somebody else may write just before a swap.
class RacingStore final : public Store {
 public:
  explicit RacingStore(Store& inner) : inner_(inner) {}
  std::function<void(std::string_view key)> race;

  Eventual<Drawn> Draw(std::span<const Bucket> buckets, TimePoint now) override {
    return inner_.Draw(buckets, now);
  }
  Eventual<Charged> Add(std::span<const Charge> charges, TimePoint now) override {
    return inner_.Add(charges, now);
  }
  Eventual<std::optional<Item>> Get(Key key, TimePoint now) override {
    return inner_.Get(key, now);
  }
  Eventual<Swapped> Swap(Key key, std::uint64_t version, std::string value, Duration keep,
                         TimePoint now) override {
    if (race) race(key.text);
    return inner_.Swap(key, version, std::move(value), keep, now);
  }
  Eventual<std::uint64_t> Put(Key key, std::string value, Duration keep, TimePoint now) override {
    return inner_.Put(key, std::move(value), keep, now);
  }
  Eventual<bool> Erase(Key key, TimePoint now) override { return inner_.Erase(key, now); }

 private:
  Store& inner_;
};

TEST_F(ContextBudgetPolicy, IsOffUnlessATotalIsSet) {
  With("{}");
  for (int i = 0; i < 30; ++i) EXPECT_EQ(TextAt(Answered(Text(Words(20'000)))), Words(20'000));
  EXPECT_FALSE(reads_->Tools().at(0)->IsOfferedWith(*set_));
}

TEST_F(ContextBudgetPolicy, AResultTakesAtMostAFractionOfWhatIsLeft) {
  With(kTenThousand);
  const json::object first = Answered(Text(Words(9000)));
  EXPECT_LE(TokensOf(first), 2500);
  EXPECT_GT(TokensOf(first), 2000);
  EXPECT_THAT(TextAt(first, 1), HasSubstr("cut to what the context has room for"));
  const json::object second = Answered(Text(Words(9000)));
  EXPECT_LE(TokensOf(second), (10'000 - TokensOf(first)) / 4);
  EXPECT_EQ(TextAt(Answered(Text(Words(500)))), Words(500)) << "what fits is left as it is";
}

TEST_F(ContextBudgetPolicy, TheRestIsReadInPagesThatCountToo) {
  With(kTenThousand);
  EXPECT_TRUE(reads_->Tools().at(0)->IsOfferedWith(*set_));
  const json::object first = Answered(Text(Words(3000)));
  const json::object second = Read(HandleOf(first), 2);
  EXPECT_EQ(TextAt(first) + TextAt(second), Words(3000));
  for (int i = 0; i < 100; ++i) Read(HandleOf(first), 1);
  EXPECT_TRUE(IsRefused(Read(HandleOf(first), 2)));
}

TEST_F(ContextBudgetPolicy, APageThatIsTooLargeForWhatIsLeftIsCutAgain) {
  With(kTenThousand);
  const json::object first = Answered(Text(Words(6000)));
  const json::object second = Read(HandleOf(first), 2);
  EXPECT_LE(TokensOf(second), (10'000 - TokensOf(first)) / 4);
  const json::object rest = Read(HandleOf(second), 2);
  EXPECT_TRUE(Words(6000).starts_with(TextAt(first) + TextAt(second) + TextAt(rest)));
}

TEST_F(ContextBudgetPolicy, APageCountsAsItsResultDidWhereOnlyItsToolIsCounted) {
  With(kTenThousand);
  OnlyForTheTool();
  const json::object first = Answered(Text(Words(6000)));
  const json::object second = Read(HandleOf(first), 2);
  EXPECT_LE(TokensOf(second), (10'000 - TokensOf(first)) / 4) << "cut to what is left";
  const json::object third = Read(HandleOf(second), 2);
  EXPECT_THAT(json::serialize(third), HasSubstr("of a result of read")) << "and so is its rest";
  for (int i = 0; i < 100; ++i) Read(HandleOf(second), 2);
  EXPECT_TRUE(IsRefused(Read(HandleOf(second), 2)));
  EXPECT_TRUE(IsRefused(Answered(Text("x"))));
  client_ = Session("two");
  EXPECT_FALSE(IsRefused(Answered(Text("x"))));
}

TEST_F(ContextBudgetPolicy, WithTooLittleLeftACallIsRefusedAndToldToAnswerFromWhatIsThere) {
  With(kTenThousand);
  UseUp();
  const int before = service_.calls;
  const json::object refused = Answered(Text("x"));
  EXPECT_EQ(service_.calls, before) << "nobody was asked";
  EXPECT_EQ(refused.at("isError"), true);
  EXPECT_THAT(TextAt(refused), HasSubstr("answer from what is there"));
  const json::object& why = refused.at("_meta").at("switchyard/error").as_object();
  EXPECT_EQ(why.at("code"), "rate_limited");
  EXPECT_EQ(why.at("total"), 11'000);
  EXPECT_EQ(why.at("used").as_int64() + why.at("available").as_int64(), 10'000);
  EXPECT_LT(why.at("available").as_int64(), 1000);
}

TEST_F(ContextBudgetPolicy, IsForgottenAfterItsIdleTimeWithoutCalls) {
  With(kTenThousand);
  Answered(Text(Words(9000)));
  clock_.Advance(minutes(29));
  UseUp();
  clock_.Advance(minutes(29));
  EXPECT_TRUE(IsRefused(Answered(Text("x")))) << "calls keep it";
  clock_.Advance(minutes(1));
  EXPECT_FALSE(IsRefused(Answered(Text("x")))) << "refused ones do not";
}

TEST_F(ContextBudgetPolicy, SessionsHaveContextsOfTheirOwn) {
  With(kTenThousand);
  UseUp();
  client_ = Session("two");
  EXPECT_FALSE(IsRefused(Answered(Text("x"))));
}

TEST_F(ContextBudgetPolicy, EachEndpointHasACountOfItsOwn) {
  With(kTenThousand);
  UseUp();
  endpoint_ = "other";
  EXPECT_FALSE(IsRefused(Answered(Text("x"))));
}

TEST_F(ContextBudgetPolicy, AClientNamesItsConversationsInMeta) {
  With(kTenThousand);
  client_ = std::make_shared<const Client>();
  UseUp();
  const std::string named = R"({"switchyard/conversation":"chat-2"})";
  EXPECT_FALSE(IsRefused(Answered(Text(Words(300)), "{}", named)));
  for (int i = 0; i < 30; ++i) Answered(Text(Words(5000)), "{}", named);
  EXPECT_TRUE(IsRefused(Answered(Text("x"), "{}", named)));
  EXPECT_FALSE(IsRefused(Answered(Text("x"), "{}", R"({"switchyard/conversation":"chat-3"})")));
  caller_.subject = "ann";
  EXPECT_FALSE(IsRefused(Answered(Text("x"), "{}", named))) << "another's of the same name";
}

TEST_F(ContextBudgetPolicy, PerPrincipalItIsOneOverSessionsAndConversations) {
  With("{per: principal, " + std::string(kTenThousand).substr(1));
  caller_.subject = "ann";
  UseUp();
  client_ = Session("two");
  EXPECT_TRUE(IsRefused(Answered(Text("x"), "{}", R"({"switchyard/conversation":"c"})")));
  caller_.subject = "bob";
  EXPECT_FALSE(IsRefused(Answered(Text("x"))));
}

TEST_F(ContextBudgetPolicy, ArgumentsCountAndThoseThatFillTheContextAreRefused) {
  With(kTenThousand);
  const auto arguments = [](std::int64_t tokens) {
    return R"({"x":)" + mcp::Quote(Words(tokens)) + "}";
  };
  EXPECT_FALSE(IsRefused(Answered(Text("x"), arguments(5000))));
  const json::object refused = Answered(Text("x"), arguments(6000));
  EXPECT_THAT(TextAt(refused), HasSubstr("the arguments of this call take"));
  EXPECT_FALSE(IsRefused(Answered(Text("x"), arguments(2000))));
}

TEST_F(ContextBudgetPolicy, CallsUnderWayTogetherNeverTakeMoreThanThereIs) {
  With(kTenThousand);
  // All are let in before any is answered.
  std::vector<Call> calls;
  calls.reserve(64);
  for (int i = 0; i < 64; ++i) calls.push_back(MakeCall());
  std::vector<ReplyPtr> replies;
  int refused = 0;
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Answer(Text(Words(4000))));
  };
  for (Call& call : calls) {
    auto reply = loop_.Run(policy_->Handle(call, service_));
    ASSERT_TRUE(reply);
    if (*reply) {
      replies.push_back(std::move(**reply));
    } else {
      ++refused;
    }
  }
  EXPECT_GT(replies.size(), 32U);
  EXPECT_EQ(replies.size() + static_cast<std::size_t>(refused), 64U);
  std::int64_t given = 0;
  int withheld = 0;
  for (const ReplyPtr& reply : replies) {
    auto next = loop_.Run(reply->Next());
    ASSERT_TRUE(next && *next && **next);
    const json::value message = json::parse((**next)->ToText());
    const json::object& result = message.at("result").as_object();
    given += TokensOf(result);
    if (TextAt(result).starts_with("The tool ran, but")) ++withheld;
  }
  EXPECT_LE(given, 10'000);
  EXPECT_GT(given, 5'000);
  EXPECT_GT(withheld, 0);
}

TEST_F(ContextBudgetPolicy, WhatOthersTakeMeanwhileIsNoLongerThere) {
  RacingStore racing(store_);
  With(kTenThousand, &racing);
  Answered(Text("x"));
  int swaps = 0;
  racing.race = [&](std::string_view key) {
    if (++swaps != 2) return;  // the first sets something aside, the second takes the share
    const auto item = **store_.Get(key, clock_.Now());
    ASSERT_TRUE(item);
    ContextUse use = *ContextUse::Parse(item->value);
    use.used += 8000;
    ASSERT_TRUE(*store_.Put(key, use.ToText(), minutes(30), clock_.Now()));
  };
  const json::object result = Answered(Text(Words(9000)));
  EXPECT_LE(TokensOf(result), 500);
  EXPECT_GE(swaps, 3);
  EXPECT_FALSE(IsRefused(result));
  EXPECT_GE(result.at("_meta").at("switchyard/context").at("used").as_int64(), 8000);
}

TEST_F(ContextBudgetPolicy, WhatWasSetAsideForACallThatFailsIsGivenBack) {
  With(kTenThousand);
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kUnavailable, Origin::kServer, "down");
  };
  for (int i = 0; i < 200; ++i) {
    Call call = MakeCall();
    Send(call, service_);
  }
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Broken(Code::kUnavailable, "gone"));
  };
  for (int i = 0; i < 200; ++i) {
    Call call = MakeCall();
    auto reply = loop_.Run(policy_->Handle(call, service_));
    ASSERT_TRUE(reply && *reply);
    loop_.Run((**reply)->Next());
  }
  EXPECT_GT(TokensOf(Answered(Text(Words(9000)))), 2000);
}

TEST_F(ContextBudgetPolicy, QuestionsAndTasksAreNoResults) {
  With(kTenThousand);
  for (const char* type : {"input_required", "task"}) {
    const std::string result =
        R"({"resultType":")" + std::string(type) + R"(","x":)" + mcp::Quote(Words(9000)) + "}";
    for (int i = 0; i < 50; ++i) EXPECT_EQ(Answered(result), json::parse(result).as_object());
  }
  EXPECT_GT(TokensOf(Answered(Text(Words(9000)))), 2000);
}

TEST_F(ContextBudgetPolicy, TheArgumentsOfACallThatAnswersQuestionsCountedBefore) {
  With(kTenThousand);
  for (int i = 0; i < 40; ++i) {
    Call call = MakeCall();
    call.message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":"c1","method":"tools/call","params":{"name":"read","arguments":)"
        R"({"x":)" +
        mcp::Quote(Words(500)) + R"(},"inputResponses":{}}})");
    service_.answer = [](Call&) { return FakeService::Script(testing::Answer(Text("x"))); };
    EXPECT_FALSE(IsRefused(Send(call, service_)));
  }
}

TEST_F(ContextBudgetPolicy, ACallThatOutlivesItsContextTakesNothingOutOfTheNext) {
  With("{warn_at: 0, " + std::string(kTenThousand).substr(1));
  service_.answer = [](Call&) { return FakeService::Script(testing::Answer(Text("late"))); };
  Call late = MakeCall();
  auto reply = loop_.Run(policy_->Handle(late, service_));
  ASSERT_TRUE(reply && *reply);
  clock_.Advance(minutes(31));
  const json::object other = Answered(Text(Words(300)));
  ASSERT_TRUE(loop_.Run((**reply)->Next()));
  const json::object last = Answered(Text("x"));
  const auto used = [](const json::object& result) {
    return result.at("_meta").at("switchyard/context").at("used").as_int64();
  };
  EXPECT_GT(used(last), used(other));
}

TEST_F(ContextBudgetPolicy, OverTheWarningShareResultsTellWhatIsLeft) {
  With(kTenThousand);
  EXPECT_FALSE(Answered(Text(Words(500))).contains("_meta"));
  for (int i = 0; i < 7; ++i) Answered(Text(Words(5000)));
  const json::object result = Answered(Text("x"));
  const json::object& told = result.at("_meta").at("switchyard/context").as_object();
  EXPECT_EQ(told.at("total"), 11'000);
  EXPECT_GE(told.at("used").as_int64(), 8000);
  EXPECT_EQ(told.at("used").as_int64() + told.at("available").as_int64(), 10'000);
}

TEST_F(ContextBudgetPolicy, AStoreThatHasToBeWaitedForIsAsGood) {
  RemoteStore remote(store_);
  With(kTenThousand, &remote);
  EXPECT_LE(TokensOf(Answered(Text(Words(9000)))), 2500);
  UseUp();
}

TEST_F(ContextBudgetPolicy, AStoreThatCannotBeAskedDoesNotStopTraffic) {
  RemoteStore remote(store_);
  remote.down = true;
  With(kTenThousand, &remote);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(TextAt(Answered(Text(Words(9000)))), Words(9000));
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(switchyard_context_calls_total{server="",outcome="unknown"} 5)"));
}

TEST_F(ContextBudgetPolicy, CountsCallsByWhatBecameOfThemAndTokens) {
  With(kTenThousand);
  const std::int64_t tokens =
      TokensOf(Answered(Text("some words"))) + TokensOf(Answered(Text(Words(5000))));
  const std::string text = metrics_.Serialize();
  for (const char* line :
       {R"(calls_total{server="",outcome="whole"} 1)", R"(calls_total{server="",outcome="cut"} 1)",
        R"(calls_total{server="",outcome="refused"} 0)"}) {
    EXPECT_THAT(text, HasSubstr(std::string("switchyard_context_") + line));
  }
  EXPECT_THAT(text, HasSubstr(R"(switchyard_context_tokens_total{server="",kind="results"} )" +
                              std::to_string(tokens)));
}

}  // namespace
}  // namespace switchyard::policies
