// What a call pays whose price was to come with its answer, and did not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/budget_fixture.h"

namespace switchyard::policies {
namespace {

using testing::FakeService;
using ::testing::HasSubstr;

class BudgetUnpriced : public testing::BudgetFixture {
 protected:
  // Of money, in millionths.
  std::int64_t Used() const {
    const std::string page = metrics_.Serialize();
    const std::string line = R"(switchyard_budget_used{budget="b",scope="",unit="money"} )";
    const std::size_t at = page.find(line);
    return at == std::string::npos ? -1 : std::stoll(page.substr(at + line.size()));
  }
  // A call that has no arguments at all.
  Call Without() {
    Call call = Of();
    call.message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read"}})");
    return call;
  }
};

constexpr const char* kTold =
    "{price: {meta: cost}, reserve: {money: 2}, budgets: {b: {money: 9, window: 1h}}}";

TEST_F(BudgetUnpriced, WhatEndsWithoutAnAnswerPaysWhatWasSetAside) {
  const auto policy = Make(kTold);
  Fails({.code = Code::kDeadline, .origin = Origin::kServer, .message = "too late"});
  EXPECT_THAT(Send(policy), HasSubstr("too late"));
  EXPECT_EQ(Used(), 2'000'000);
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Progress(), testing::Broken(Code::kProtocol, "died"));
  };
  EXPECT_THAT(Send(policy), HasSubstr("died"));
  EXPECT_EQ(Used(), 4'000'000);
  service_.hangs = true;
  EXPECT_EQ(Send(policy), "waits");
  loop_.Drop();
  EXPECT_EQ(Used(), 6'000'000) << "cancelled";
  service_.hangs = false;
  Fails({.code = Code::kUnavailable, .retryable = true, .message = "down"});
  EXPECT_THAT(Send(policy), HasSubstr("down"));
  EXPECT_EQ(Used(), 6'000'000) << "nothing ran";
}

TEST_F(BudgetUnpriced, AnAnswerThatDoesNotSayItsPricePaysWhatWasSetAside) {
  const auto policy = Make(kTold);
  Answers(R"({"content":[]})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_EQ(Used(), 2'000'000);
  Answers(R"({"resultType":"task","task":{"taskId":"t"}})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_EQ(Used(), 4'000'000);
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(mcp::Message::MakeError("7", -32603, "oh"));
  };
  EXPECT_THAT(Send(policy), HasSubstr("oh"));
  EXPECT_EQ(Used(), 6'000'000);
  Answers(R"({"content":[],"_meta":{"cost":0}})");
  EXPECT_TRUE(Passes(policy));
  EXPECT_EQ(Used(), 6'000'000) << "nothing is a price";
}

TEST_F(BudgetUnpriced, WhatIsSetAsideByHandIsTheLeastThatACallWithoutAnAnswerPays) {
  const auto policy =
      Make("{price: {per_call: 0.5}, reserve: {money: 2}, budgets: {b: {money: 9, window: 1h}}}");
  EXPECT_TRUE(Passes(policy));
  EXPECT_EQ(Used(), 500'000) << "an answer is priced";
  Fails({.code = Code::kDeadline, .origin = Origin::kServer, .message = "too late"});
  EXPECT_THAT(Send(policy), HasSubstr("too late"));
  EXPECT_EQ(Used(), 2'500'000);
  const auto dear = Make(
      "{price: {per_call: 3, meta: cost}, reserve: {money: 2}, budgets: {b: {money: 9, window: "
      "1h}}}");
  EXPECT_THAT(Send(dear), HasSubstr("too late"));
  EXPECT_EQ(Used(), 5'500'000) << "the table, where that is more";
}

TEST_F(BudgetUnpriced, WhatIsUsedUpIsUsedUpAlsoForCallsOfWhichNoCostIsKnownBefore) {
  const auto dear = Make("{price: {per_call: 9}, budgets: {b: {money: 9, window: 1h}}}");
  EXPECT_TRUE(Passes(dear));
  const auto by_input = Make("{price: {per_1k_in: 1}, budgets: {b: {money: 9, window: 1h}}}");
  EXPECT_FALSE(Passes(by_input, Without()));
  const auto free = Make("{price: {per_call: 0}, budgets: {b: {money: 9, window: 1h}}}");
  EXPECT_TRUE(Passes(free)) << "what is free needs none";
}

}  // namespace
}  // namespace switchyard::policies
