#include "telemetry/metrics.h"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>
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

TEST(Metrics, TheCounterOfAPolicyIsOneForAllThreadsAndForAllWhoAskForIt) {
  Metrics metrics;
  const auto count = [&metrics](const char* outcome) {
    metrics.CounterOf("switchyard_rate_limit_calls_total", {"caller", outcome}).Add();
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 20; ++t) {
      threads.emplace_back([&count] {
        for (int i = 0; i < 100; ++i) count("allowed");
      });
    }
  }
  count("refused");
  const std::string text = metrics.Serialize();
  const std::string name = R"(switchyard_rate_limit_calls_total{limit="caller",outcome=)";
  EXPECT_THAT(text, HasSubstr(name + "\"allowed\"} 2000\n"));
  EXPECT_THAT(text, HasSubstr(name + "\"refused\"} 1\n"));
}

TEST(Metrics, WhatPoliciesKeepIsShown) {
  Metrics metrics;
  metrics.ReadStoreFrom(
      [] { return Metrics::StoreNumbers{.keys = 5, .dropped_counters = 2, .full = 3}; });
  EXPECT_THAT(metrics.Serialize(), HasSubstr("switchyard_store_keys 5\n"));
  EXPECT_THAT(metrics.Serialize(),
              HasSubstr("switchyard_store_dropped_total{kind=\"counter\"} 2\n"));
  EXPECT_THAT(metrics.Serialize(), HasSubstr("switchyard_store_full_total 3\n"));
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

TEST(Metrics, AGaugeOfAPolicyIsShownAsLongAsItIsHeld) {
  Metrics metrics;
  auto gauge = metrics.GaugeOf("switchyard_breaker_state", {"files", "", ""});
  gauge->Set(2);
  EXPECT_EQ(metrics.GaugeOf("switchyard_breaker_state", {"files", "", ""}), gauge);
  const std::string line = R"(switchyard_breaker_state{server="files",scope="",tool=""} 2)";
  EXPECT_THAT(metrics.Serialize(), HasSubstr(line));
  gauge = nullptr;
  EXPECT_THAT(metrics.Serialize(), Not(HasSubstr("switchyard_breaker_state{")));
}

TEST(Metrics, NamesTypesAndLabelsAreThoseOfTheGoldenList) {
  Metrics metrics;
  Call(metrics, kRead, Ended(Outcome::kError));
  metrics.SetServerUp("files", true);
  metrics.CounterOf("switchyard_schema_misfits_total", {"files", "read", "arguments", "refused"})
      .Add();
  metrics.CounterOf("switchyard_rate_limit_calls_total", {"caller", "refused"}).Add();
  metrics.CounterOf("switchyard_approval_decisions_total", {"approved"}).Add();
  metrics.HistogramOf("switchyard_approval_wait_seconds").Observe(std::chrono::seconds(1));
  metrics.HistogramOf("switchyard_orchestration_claim_seconds", telemetry::Histogram::kOfMachines)
      .Observe(std::chrono::milliseconds(1));
  const auto pending = metrics.GaugeOf("switchyard_approvals_pending", {});
  const auto oldest = metrics.GaugeOf("switchyard_approval_oldest_seconds", {});
  metrics.CounterOf("switchyard_auth_total", {"/mcp", "accepted"}).Add();
  metrics.CounterOf("switchyard_refused_total", {"403"}).Add();
  metrics.CounterOf("switchyard_authorize_decisions_total", {"hidden", "none"}).Add();
  metrics.CounterOf("switchyard_audit_anomalies_total", {"denials"}).Add();
  metrics.CounterOf("switchyard_pin_verdicts_total", {"files", "changed", "offered"}).Add();
  metrics.CounterOf("switchyard_pin_findings_total", {"files", "invisible"}).Add();
  metrics.CounterOf("switchyard_credentials_tokens_total", {"files", "fetched"}).Add();
  metrics.CounterOf("switchyard_connect_logins_total", {"proven"}).Add();
  const auto tasks = metrics.GaugeOf("switchyard_orchestration_tasks", {"pending", "low"});
  const auto agents = metrics.GaugeOf("switchyard_orchestration_agents", {"idle"});
  const auto locks = metrics.GaugeOf("switchyard_orchestration_locks", {"held"});
  const auto held = metrics.GaugeOf("switchyard_pin_quarantined", {"files", "changed"});
  metrics.CounterOf("switchyard_breaker_transitions_total", {"files", "", "open"}).Add();
  metrics.CounterOf("switchyard_breaker_refused_total", {"files", ""}).Add();
  const auto gauge = metrics.GaugeOf("switchyard_breaker_state", {"files", "", "read"});
  metrics.CounterOf("switchyard_retries_total", {"files", "repeated"}).Add();
  metrics.CounterOf("switchyard_fallback_total", {"files", "server", "open"}).Add();
  metrics.CounterOf("switchyard_concurrency_refused_total", {"files", "", "queue_full"}).Add();
  const auto inside = metrics.GaugeOf("switchyard_concurrency_in_flight", {"files", ""});
  const auto queued = metrics.GaugeOf("switchyard_concurrency_queued", {"files", ""});
  metrics.CounterOf("switchyard_cache_calls_total", {"files", "hit"}).Add();
  metrics.CounterOf("switchyard_cache_evictions_total", {}).Add();
  const auto bytes = metrics.GaugeOf("switchyard_cache_bytes", {});
  const auto entries = metrics.GaugeOf("switchyard_cache_entries", {});
  for (const char* what : {"refused", "warned", "unknown"}) {
    metrics.CounterOf(fmt::format("switchyard_budget_{}_total", what), {"daily", ""}).Add();
  }
  metrics.CounterOf("switchyard_budget_spent_total", {"daily", "", "money"}).Add(7);
  const auto used = metrics.GaugeOf("switchyard_budget_used", {"daily", "", "money"});
  const auto limit = metrics.GaugeOf("switchyard_budget_limit", {"daily", "", "money"});
  metrics.CounterOf("switchyard_guardrail_total", {"files", "result", "jwt", "redacted"}).Add();
  metrics.CounterOf("switchyard_guardrail_hook_total", {"files", "result", "denied"}).Add();
  metrics.CounterOf("switchyard_opa_decisions_total", {"denied", "kept"}).Add();
  metrics.CounterOf("switchyard_fetches_total", {"ok"}).Add();
  const auto open = metrics.GaugeOf("switchyard_open_endpoints", {"network"});
  metrics.CounterOf("switchyard_orchestration_plans_total", {"url", "planned"}).Add();
  metrics.CounterOf("switchyard_key_fetches_total", {"https://issuer.example", "ok"}).Add();
  const auto age = metrics.GaugeOf("switchyard_keys_age_seconds", {"https://issuer.example"});
  metrics.CounterOf("switchyard_results_cut_total", {"files"}).Add();
  metrics.CounterOf("switchyard_result_bytes_cut_total", {"files"}).Add(7);
  metrics.CounterOf("switchyard_result_pages_total", {"read"}).Add();
  metrics.CounterOf("switchyard_kept_results_dropped_total", {}).Add();
  metrics.CounterOf("switchyard_context_calls_total", {"files", "cut"}).Add();
  metrics.CounterOf("switchyard_context_tokens_total", {"files", "results"}).Add(7);
  metrics.CounterOf("switchyard_ledger_errors_total", {}).Add();
  const auto behind = metrics.GaugeOf("switchyard_ledger_behind", {});
  std::string seen;
  for (const auto& [name, shape] : Shapes(metrics.Serialize())) seen += name + " " + shape + "\n";
  std::ifstream file(::switchyard::paths::SourceDir() + "/tests/golden/metrics.txt");
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(seen, golden.str());
}

}  // namespace
}  // namespace switchyard::telemetry
