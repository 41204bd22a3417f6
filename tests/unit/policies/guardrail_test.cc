#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using testing::Answer;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using ::testing::Not;

const std::string kAwsKey = std::string("AK") + "IAQ4ZK7XW2NB5TJH3M";

class GuardrailPolicy : public ::testing::Test {
 protected:
  GuardrailPolicy() {
    tool_.kind = ItemKind::kTool;
    tool_.server = "x";
    tool_.name = "read";
    tool_.exposed = "x__read";
    call_.message = testing::Parsed(
        R"({"jsonrpc":"2.0","id":"c1","method":"tools/call","params":{"name":"x__read","arguments":)"
        R"({"region":")" +
        kAwsKey + R"(","n":1}}})");
    call_.target.definition = &tool_;
    call_.target.server = "x";
  }

  // Everything that the client reads; "failed: " and the message where there is an error.
  std::string Run(const std::string& yaml) {
    policy_ = testing::MakePolicy("guardrail", &guardrail::Make, yaml,
                                  {.clock = clock_, .metrics = metrics_});
    auto reply = loop_.Run(policy_->Handle(call_, service_));
    if (!reply) return "nothing";
    if (!*reply) return Failed(reply->error());
    std::string text;
    for (;;) {
      auto next = loop_.Run((**reply)->Next());
      if (!next) return text + "nothing more";
      if (!*next) return text + Failed(next->error());
      if (!**next) return text;
      text += (**next)->ToText();
      if ((**next)->is_response()) return text;
    }
  }
  std::string Failed(Error error) {
    failure_ = std::move(error);
    return "failed: " + failure_.message;
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Definition tool_{};
  switchyard::Call call_;
  FakeService service_;
  Loop loop_;
  std::shared_ptr<const Policy> policy_;
  Error failure_;
};

TEST_F(GuardrailPolicy, IsOffUnlessItIsAskedFor) {
  Run("{}");
  EXPECT_EQ(service_.calls, 1);
  EXPECT_THAT(call_.message.ToText(), HasSubstr(kAwsKey));
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr("guardrail_total{")));
}

TEST_F(GuardrailPolicy, WhatIsReportedPassesAndIsCounted) {
  Run("arguments: {aws_key: report}");
  EXPECT_EQ(service_.calls, 1);
  EXPECT_THAT(call_.message.ToText(), HasSubstr(kAwsKey));
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(direction="arguments",detector="aws_key",action="reported"} 1)"));
}

TEST_F(GuardrailPolicy, ARefusalNamesThePlaceAndNeverTheSecret) {
  EXPECT_THAT(Run("arguments: {all: deny}"),
              HasSubstr("x__read was not called: what it was given holds what must not be sent: "
                        "aws_key at /arguments/region"));
  EXPECT_EQ(service_.calls, 0);
  EXPECT_TRUE(failure_.for_agent);
  EXPECT_EQ(failure_.code, Code::kForbidden);
  EXPECT_THAT(failure_.message + failure_.detail + failure_.data, Not(HasSubstr(kAwsKey)));
  EXPECT_THAT(
      failure_.data,
      HasSubstr(R"("findings":[{"detector":"aws_key","at":"/arguments/region","count":1}])"));
}

TEST_F(GuardrailPolicy, WhoComesBehindReadsTheRedactedCall) {
  service_.answer = [this](Call& call) -> Result<ReplyPtr> {
    EXPECT_EQ(call.message.Get(mcp::Key::kArguments), R"({"region":"[redacted:aws_key]","n":1})");
    EXPECT_EQ(call.message.id(), R"("c1")");
    EXPECT_TRUE(call.message.edits().empty());
    return service_.Script(Answer());
  };
  Run("arguments: {all: redact}");
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(GuardrailPolicy, HeadersSayWhatTheArgumentsSay) {
  tool_.param_marks = {{.header = "Region", .path = {"region"}}};
  call_.header_params = {.expected = true,
                         .sent = {{"region", kAwsKey}, {"Other", "x " + kAwsKey}}};
  Run("arguments: {all: redact}");
  EXPECT_EQ(call_.header_params.sent[0].second, "[redacted:aws_key]");
  EXPECT_EQ(call_.header_params.sent[1].second, "x [redacted:aws_key]");
  EXPECT_EQ(service_.calls, 1);
}

TEST_F(GuardrailPolicy, AHeaderAloneMayBeDenied) {
  call_.message = testing::Parsed(
      R"({"jsonrpc":"2.0","id":"c1","method":"tools/call","params":{"name":"x__read"}})");
  call_.header_params = {.expected = true, .sent = {{"Other", kAwsKey}}};
  EXPECT_THAT(Run("arguments: {all: deny}"), HasSubstr("aws_key"));
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(GuardrailPolicy, AUriIsDeniedWhereItWouldBeRedacted) {
  call_.message = testing::Parsed(
      R"({"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a://b/)" + kAwsKey +
      R"("}})");
  EXPECT_THAT(Run("arguments: {all: redact}"), HasSubstr("aws_key at /uri"));
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(GuardrailPolicy, WhatFailedSaysNoMoreThanAnAnswerMay) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Error{.code = Code::kUnavailable,
                         .message = "bad key " + kAwsKey,
                         .detail = "sent " + kAwsKey,
                         .data = R"({"k":")" + kAwsKey + R"("})"});
  };
  EXPECT_EQ(Run("results: {all: redact}"), "failed: bad key [redacted:aws_key]");
  EXPECT_EQ(failure_.detail, "sent [redacted:aws_key]");
  EXPECT_EQ(failure_.data, R"({"k":"[redacted:aws_key]"})");
  EXPECT_THAT(Run("results: {all: deny}"), Not(HasSubstr(kAwsKey)));
  EXPECT_EQ(failure_.code, Code::kUnavailable);
  EXPECT_THAT(failure_.message + failure_.detail + failure_.data, Not(HasSubstr(kAwsKey)));
}

TEST_F(GuardrailPolicy, AnAnswerThatIsSharedOrEditedIsLookedAtAsItIsWritten) {
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    return ReplyWith(mcp::Message::FromResult(
        call_.message.id(), std::make_shared<const std::string>(R"({"a":")" + kAwsKey + R"("})")));
  };
  EXPECT_EQ(Run("results: {all: redact}"),
            R"({"jsonrpc":"2.0","id":"c1","result":{"a":"[redacted:aws_key]"}})");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    mcp::Message message = testing::Parsed(R"({"jsonrpc":"2.0","id":1,"result":{}})");
    message.SetResult(R"({"a":")" + kAwsKey + R"("})");
    return ReplyWith(std::move(message));
  };
  EXPECT_THAT(Run("results: {all: redact}"), HasSubstr(R"("result":{"a":"[redacted:aws_key]"}})"));
}

TEST_F(GuardrailPolicy, AnAnswerThatCannotBeReadIsWithheld) {
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    Result<mcp::Message> message = mcp::Message::Parse(
        R"({"jsonrpc":"2.0","id":1,"result":{"a":{"b" "c"}}})", mcp::Check::kEnvelope);
    EXPECT_TRUE(message.has_value());
    return service_.Script(Result<std::optional<mcp::Message>>(std::move(*message)));
  };
  EXPECT_THAT(Run("results: {all: report}"), HasSubstr("no JSON"));
  EXPECT_EQ(failure_.code, Code::kProtocol);
}

TEST_F(GuardrailPolicy, RequestsThatGiveUpWhatWaitsPass) {
  call_.forsaken = true;
  Run("arguments: {all: deny}");
  EXPECT_EQ(service_.calls, 1);
}

}  // namespace
}  // namespace switchyard::policies
