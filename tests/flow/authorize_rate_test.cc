// Rules of authorize that hold for calls beyond a rate, in a whole gateway.
#include <gmock/gmock.h>

#include "flow/approval.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;

const std::string kX = R"({"label":"x"})";

class AuthorizeRate : public ApprovalFixture, public ::testing::Test {
 protected:
  void StartRules(const std::string& rules) {
    gateway.GoesBy(clock)
        .Serves("a", fake)
        .With("policies", "{approval: {hold: 0s}, authorize: {rules: [" + rules + "]}}")
        .Start();
  }
};

TEST_F(AuthorizeRate, ManyCallsOfOneToolAreRefusedAndOthersAreNot) {
  StartRules("{effect: allow}, {effect: deny, what: {tool: wipe}, when: {rate: {over: 2/h}}}");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gateway.Modern().Call("a__wipe", kX).text(), "wiped x");
  EXPECT_THAT(gateway.Modern().Call("a__wipe", kX).text(), HasSubstr("come at another time"));
  EXPECT_EQ(gateway.Modern().Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(gateway.Modern().Tools().size(), gateway.Legacy().Tools().size());
  EXPECT_EQ(wiped, 2);
}

// What anybody can write is no way around it.
TEST_F(AuthorizeRate, WhatLooksLikeARetryCounts) {
  StartRules("{effect: allow}, {effect: deny, what: {tool: wipe}, when: {rate: {over: 2/h}}}");
  ModernClient one = gateway.Modern();
  const auto call = [&one] {
    return one.Request({.method = "tools/call",
                        .members = R"("name":"a__wipe","inputResponses":{},"arguments":)" + kX});
  };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(call().text(), "wiped x");
  EXPECT_THAT(call().text(), HasSubstr("come at another time"));
  EXPECT_EQ(wiped, 2);
}

TEST_F(AuthorizeRate, BeyondItAPersonIsAsked) {
  StartRules(
      "{effect: allow}, {effect: require_approval, what: {tool: wipe}, when: {rate: {over: 1/h}}}");
  ModernClient one = gateway.Modern();
  one.set_capabilities(kForms);
  const auto call = [&one](const std::string& more) {
    return one.Request(
        {.method = "tools/call", .members = R"("name":"a__wipe","arguments":)" + kX + more});
  };
  EXPECT_EQ(call("").text(), "wiped x");
  const Answer asked = call("");
  EXPECT_EQ(TextAt(asked.message(), "/result/resultType"), "input_required") << asked;
  const std::string yes =
      R"(,"inputResponses":{"switchyard_approval":{"action":"accept","content":{"approve":true}}})";
  EXPECT_EQ(call(yes + R"(,"requestState":)" + Quote(State(asked))).text(), "wiped x");
  EXPECT_EQ(wiped, 2);
}

}  // namespace
}  // namespace switchyard::tests
