#include "telemetry/metrics.h"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/paths.h"

namespace switchyard::telemetry {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Metrics::CallLabels kRead = {
    .endpoint = "/mcp", .server = "files", .tool = "read", .method = "tools/call"};

CallSeries::End Ended(Outcome outcome, Duration duration = milliseconds(3),
                      ErrorCode error = ErrorCode::Of(Code::kInternal)) {
  return {
      .outcome = outcome, .error = error, .duration = duration, .bytes_in = 10, .bytes_out = 100};
}

void Call(Metrics& metrics, const Metrics::CallLabels& labels, const CallSeries::End& end) {
  CallSeries& series = metrics.Calls(labels);
  series.CountBegin();
  series.CountEnd(end);
}

TEST(Metrics, ACallIsCountedByOutcomeAndLatencyAndBytes) {
  Metrics metrics;
  Call(metrics, kRead, Ended(Outcome::kOk));
  Call(metrics, kRead, Ended(Outcome::kToolError, microseconds(50)));
  const std::string text = metrics.Serialize();
  const std::string labels = R"(endpoint="/mcp",server="files",tool="read",method="tools/call")";
  EXPECT_THAT(text, HasSubstr("switchyard_calls_total{" + labels + ",outcome=\"ok\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("switchyard_calls_total{" + labels + ",outcome=\"tool_error\"} 1\n"));
  const std::string seconds = R"(switchyard_call_seconds_bucket{server="files",tool="read",le=)";
  EXPECT_THAT(text, HasSubstr(seconds + "\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(seconds + "\"0.0025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(seconds + "\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(seconds + "\"+Inf\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr(R"(switchyard_call_seconds_sum{server="files",tool="read"} 0.00305)"));
  EXPECT_THAT(text,
              HasSubstr(R"(switchyard_call_bytes_total{server="files",direction="out"} 200)"));
}

TEST(Metrics, ErrorsAreCountedByAClosedSetOfCodes) {
  Metrics metrics;
  Call(metrics, kRead, Ended(Outcome::kError, milliseconds(1), ErrorCode::Of(Code::kDeadline)));
  Call(metrics, kRead, Ended(Outcome::kError, milliseconds(1), ErrorCode::OfRpc(-32602)));
  Call(metrics, kRead, Ended(Outcome::kError, milliseconds(1), ErrorCode::OfRpc(12345)));
  const std::string text = metrics.Serialize();
  for (const char* code : {"deadline", "rpc_-32602", "rpc_other"}) {
    EXPECT_THAT(text, HasSubstr(std::string(R"(switchyard_errors_total{endpoint="/mcp",)") +
                                R"(server="files",code=")" + code + "\"} 1\n"));
  }
}

TEST(Metrics, ACallThatHasNotEndedIsInFlight) {
  Metrics metrics;
  CallSeries& series = metrics.Calls(kRead);
  series.CountBegin();
  EXPECT_THAT(metrics.Serialize(), HasSubstr("switchyard_calls_in_flight{server=\"files\"} 1\n"));
  series.CountEnd(Ended(Outcome::kCancelled));
  EXPECT_THAT(metrics.Serialize(), HasSubstr("switchyard_calls_in_flight{server=\"files\"} 0\n"));
}

TEST(Metrics, TheShardsOfAllThreadsAreSummedUpAndReadWhileTheyCount) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&metrics] {
        for (int i = 0; i < 1000; ++i) Call(metrics, kRead, Ended(Outcome::kOk));
      });
    }
    for (int i = 0; i < 10; ++i) metrics.Serialize();
  }
  EXPECT_THAT(metrics.Serialize(), HasSubstr("outcome=\"ok\"} 4000\n"));
}

TEST(Metrics, ToolsBeyondTheBoundAreCountedTogetherAsOther) {
  Metrics metrics(3);
  for (int i = 0; i < 10; ++i) {
    const std::string tool = "t" + std::to_string(i);
    for (int n = 0; n < 2; ++n) {
      Call(metrics, {.endpoint = "/mcp", .server = "a", .tool = tool, .method = "tools/call"},
           Ended(Outcome::kOk));
    }
  }
  const std::string text = metrics.Serialize();
  EXPECT_THAT(text, HasSubstr("tool=\"t2\""));
  EXPECT_THAT(text, Not(HasSubstr("tool=\"t3\"")));
  EXPECT_THAT(text, HasSubstr("tool=\"other\",method=\"tools/call\",outcome=\"ok\"} 14\n"));
}

TEST(Metrics, ServersComeAndGo) {
  Metrics metrics;
  metrics.SetServerUp("a", true);
  metrics.SetServerUp("b", false);
  metrics.CountRestart("b");
  std::string text = metrics.Serialize();
  EXPECT_THAT(text, HasSubstr("switchyard_server_up{server=\"a\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("switchyard_server_up{server=\"b\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("switchyard_server_restarts_total{server=\"b\"} 1\n"));
  metrics.ForgetServer("b");
  EXPECT_THAT(metrics.Serialize(), Not(HasSubstr("server=\"b\"")));
}

TEST(Metrics, SessionsStreamsAndDroppedLinesAreShown) {
  Metrics metrics;
  metrics.AddSessions(3);
  metrics.AddSessions(-1);
  metrics.AddStreams(1);
  metrics.ReadDroppedLinesFrom([] { return std::uint64_t{7}; });
  const std::string text = metrics.Serialize();
  EXPECT_THAT(text, HasSubstr("switchyard_sessions 2\n"));
  EXPECT_THAT(text, HasSubstr("switchyard_streams 1\n"));
  EXPECT_THAT(text, HasSubstr("switchyard_log_lines_dropped_total 7\n"));
}

// name -> "type label label", of what is really written.
std::map<std::string, std::string> Shapes(const std::string& text) {
  std::map<std::string, std::string> types;
  std::map<std::string, std::set<std::string>> labels;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex("# TYPE (\\S+) (\\S+)"))) {
      types[match[1]] = match[2];
    } else if (!line.starts_with('#')) {
      std::string name = line.substr(0, line.find_first_of("{ "));
      name = std::regex_replace(name, std::regex("_(bucket|sum|count)$"), "");
      const std::regex label("(\\w+)=\"");
      for (auto it = std::sregex_iterator(line.begin(), line.end(), label);
           it != std::sregex_iterator(); ++it) {
        if ((*it)[1] != "le") labels[name].insert((*it)[1]);
      }
    }
  }
  for (auto& [name, shape] : types) {
    for (const std::string& label : labels[name]) shape += " " + label;
  }
  return types;
}

TEST(Metrics, NamesTypesAndLabelsAreThoseOfTheGoldenList) {
  Metrics metrics;
  Call(metrics, kRead, Ended(Outcome::kError));
  metrics.SetServerUp("files", true);
  std::string seen;
  for (const auto& [name, shape] : Shapes(metrics.Serialize())) seen += name + " " + shape + "\n";
  std::ifstream file(::switchyard::paths::SourceDir() + "/tests/golden/metrics.txt");
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(seen, golden.str());
}

}  // namespace
}  // namespace switchyard::telemetry
