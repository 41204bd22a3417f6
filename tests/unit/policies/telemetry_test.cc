#include <array>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "mcp/error_map.h"
#include "support/doc_examples.h"
#include "telemetry/call_log.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::milliseconds;
using testing::Answer;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::Progress;
using testing::Step;
using testing::ToolCall;

class TelemetryPolicy : public ::testing::Test {
 protected:
  TelemetryPolicy() {
    if (::pipe(pipe_.data()) != 0) std::abort();
    writer_.emplace(pipe_[1]);
    log_.emplace(*writer_, switchyard::telemetry::LogFormat::kJson);
    definition_.server = "files";
    definition_.name = "read";
    call_ = ToolCall("files__read");
    call_.client = std::make_shared<const Client>();
    call_.endpoint = "e";
    call_.target = {.server = "files", .name = "read", .definition = &definition_, .pin = nullptr};
  }
  ~TelemetryPolicy() override {
    writer_.reset();
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  std::shared_ptr<const Policy> Make(const std::string& yaml = "{}") {
    return made_.emplace_back(
        testing::MakePolicy("telemetry", &telemetry::Make, yaml,
                            {.clock = clock_, .metrics = metrics_, .call_log = &*log_}));
  }

  // Handles the call and pulls its reply to the end. True when it ended.
  bool Serve(const std::shared_ptr<const Policy>& policy) {
    return loop_.Run(Pull(*policy, call_, service_)).has_value();
  }
  static Task<bool> Pull(const Policy& policy, Call& call, Service& service) {
    Result<ReplyPtr> reply = co_await policy.Handle(call, service);
    while (reply) {
      Step step = co_await (*reply)->Next();
      if (!step || !*step || (*step)->is_response()) break;
    }
    co_return true;
  }

  std::string Count(const std::string& outcome, const std::string& tool = "read") {
    const std::string text = metrics_.Serialize();
    const std::string line = R"(switchyard_calls_total{endpoint="/mcp/e",server=")" +
                             std::string(call_.target.server) + R"(",tool=")" + tool +
                             R"(",method="tools/call",outcome=")" + outcome + "\"} ";
    const std::size_t at = text.find(line);
    return at == std::string::npos ? "none" : text.substr(at + line.size(), 1);
  }
  // The next line of the call log.
  boost::json::value Line() {
    writer_->Flush();
    std::string text(4096, '\0');
    const ssize_t size = ::read(pipe_[0], text.data(), text.size());
    text.resize(static_cast<std::size_t>(size));
    return boost::json::parse(text);
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Policies made_;  // outlive their calls, as in the gateway
  std::array<int, 2> pipe_{};
  std::optional<switchyard::telemetry::LineWriter> writer_;
  std::optional<switchyard::telemetry::CallLog> log_;
  Definition definition_{};
  Call call_;
  FakeService service_;
  Loop loop_;
};

TEST_F(TelemetryPolicy, AnAnsweredCallIsCountedAndLoggedOnce) {
  service_.answer = [this](Call&) -> Result<ReplyPtr> {
    clock_.Advance(milliseconds(7));
    return FakeService::Script(Progress(), Answer());
  };
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Count("ok"), "1");
  EXPECT_EQ(Count("cancelled"), "none");
  const auto line = Line();
  EXPECT_EQ(line.at("endpoint").as_string(), "/mcp/e");
  EXPECT_EQ(line.at("server").as_string(), "files");
  EXPECT_EQ(line.at("tool").as_string(), "read");
  EXPECT_EQ(line.at("outcome").as_string(), "ok");
  EXPECT_EQ(line.at("duration_ms").as_double(), 7.0);
  EXPECT_EQ(line.at("trace").as_string().size(), 32U);
  EXPECT_GT(line.at("bytes_out").as_int64(), 36);
}

TEST_F(TelemetryPolicy, TheLineNamesWhoAnsweredInTheTargetsStead) {
  service_.answer = [](Call& call) -> Result<ReplyPtr> {
    call.stand_in = "b__read";
    return FakeService::Script(Answer());
  };
  EXPECT_TRUE(Serve(Make()));
  const auto line = Line();
  EXPECT_EQ(line.at("answered_by").as_string(), "b__read");
  EXPECT_EQ(line.at("server").as_string(), "files");
}

TEST_F(TelemetryPolicy, AToolThatSaysIsErrorIsAToolError) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Answer(R"({"content":[],"isError":true})"));
  };
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Count("tool_error"), "1");
}

TEST_F(TelemetryPolicy, AnErrorObjectOfTheServerIsAnErrorWithItsCode) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(testing::Parsed(
        R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no such file"}})"));
  };
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Count("error"), "1");
  const auto line = Line();
  EXPECT_EQ(line.at("code").as_string(), "rpc_-32602");
  EXPECT_THAT(std::string(line.at("error").as_string()), HasSubstr("no such file"));
}

TEST_F(TelemetryPolicy, ARefusalFurtherInIsLoggedWithItsDetail) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kUnavailable, Origin::kServer, "server files: down", "errno 111");
  };
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Count("error"), "1");
  const auto line = Line();
  EXPECT_EQ(line.at("code").as_string(), "unavailable");
  EXPECT_EQ(line.at("detail").as_string(), "errno 111");
}

TEST_F(TelemetryPolicy, AnErrorInTheMiddleOfAReplyEndsTheCall) {
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return FakeService::Script(Progress(), testing::Broken(Code::kProtocol, "rubbish"));
  };
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Line().at("code").as_string(), "protocol");
}

TEST_F(TelemetryPolicy, AReplyThatIsDroppedEarlyIsACancelledCall) {
  service_.answer = [](Call&) -> Result<ReplyPtr> { return FakeService::Script(Progress()); };
  EXPECT_FALSE(Serve(Make()));
  EXPECT_EQ(Count("cancelled"), "none");
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("switchyard_calls_in_flight{server=\"files\"} 1"));
  loop_.Drop();
  EXPECT_EQ(Count("cancelled"), "1");
  EXPECT_EQ(Line().at("outcome").as_string(), "cancelled");
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("switchyard_calls_in_flight{server=\"files\"} 0"));
}

TEST_F(TelemetryPolicy, ACallThatIsDroppedBeforeItsReplyIsCancelledToo) {
  service_.hangs = true;
  const auto policy = Make();
  EXPECT_FALSE(Serve(policy));
  loop_.Drop();
  EXPECT_EQ(Count("cancelled"), "1");
}

TEST_F(TelemetryPolicy, ANameThatOnlyTheClientKnowsIsNoLabelButStandsInTheLog) {
  call_.target = {};
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kNotFound, Origin::kClient, "unknown tool");
  };
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Count("error", "unknown"), "1");
  EXPECT_EQ(Line().at("tool").as_string(), "files__read");
}

TEST_F(TelemetryPolicy, TheTraceOfTheClientIsTheTraceOfTheLine) {
  call_.message = testing::Parsed(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":)"
      R"({"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}})");
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Line().at("trace").as_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_F(TelemetryPolicy, TheLogCanBeOffWhileCountingGoesOn) {
  EXPECT_TRUE(Serve(Make("log: false")));
  EXPECT_EQ(Count("ok"), "1");
  EXPECT_TRUE(Serve(Make("log: true")));
  EXPECT_EQ(Line().at("outcome").as_string(), "ok");  // exactly one line: else this does not parse
}

TEST_F(TelemetryPolicy, ACallThatTookSeveralAttemptsSaysHowMany) {
  EXPECT_TRUE(Serve(Make()));
  EXPECT_FALSE(Line().as_object().contains("attempts"));
  service_.answer = [](Call& call) -> Result<ReplyPtr> {
    call.attempts = 3;
    return FakeService::Script(Answer());
  };
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Line().at("attempts").as_int64(), 3);
}

TEST_F(TelemetryPolicy, UnknownSettingsAreProblems) {
  EXPECT_THAT(testing::ProblemsOf("telemetry", "lgo: true"), ElementsAre(HasSubstr("lgo")));
}

TEST_F(TelemetryPolicy, ABytesCountHasTheErrorsOfTheGatewayToo) {
  Error refused{.code = Code::kRateLimited, .message = "too many calls"};
  service_.answer = [&refused](Call&) -> Result<ReplyPtr> { return Failure(refused); };
  const auto policy = Make();
  EXPECT_TRUE(Serve(policy));
  const std::size_t error = mcp::ErrorMessage(call_.message.id(), refused).size();
  EXPECT_EQ(Line().at("bytes_out").as_int64(), static_cast<std::int64_t>(error));
  refused.for_agent = true;  // the error of a tool is another message
  EXPECT_TRUE(Serve(policy));
  const std::size_t told = mcp::ToolErrorMessage(call_.message.id(), refused).size();
  EXPECT_EQ(Line().at("bytes_out").as_int64(), static_cast<std::int64_t>(told));
  EXPECT_THAT(metrics_.Serialize(),
              HasSubstr(R"(switchyard_call_bytes_total{server="files",direction="out"} )" +
                        std::to_string(error + told)));
  refused = {.code = Code::kCancelled, .message = "gone"};
  EXPECT_TRUE(Serve(policy));
  EXPECT_EQ(Line().at("bytes_out").as_int64(), 0) << "nobody was told";
}

TEST_F(TelemetryPolicy, TheExampleOfItsPageDoesWhatItSays) {
  const std::string yaml = tests::FromPolicyPage("telemetry", 0, "endpoints");
  const std::string key = "telemetry: ";
  const std::size_t at = yaml.find(key);
  ASSERT_NE(at, std::string::npos) << yaml;
  const std::size_t end = yaml.find('\n', at);
  service_.answer = [](Call&) -> Result<ReplyPtr> { return FakeService::Script(Answer()); };
  EXPECT_TRUE(Serve(Make(yaml.substr(at + key.size(), end - at - key.size()))));
  EXPECT_EQ(Count("ok"), "1") << "counted";
  EXPECT_TRUE(Serve(Make()));
  EXPECT_EQ(Line().at("outcome").as_string(), "ok") << "the first line is that of the second call";
  EXPECT_EQ(Count("ok"), "2");
}

}  // namespace
}  // namespace switchyard::policies
