// The audit log of a whole gateway: what came of calls is in it, whatever came of them.
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/verify_log.h"
#include "support/doc_examples.h"
#include "support/gateway_fixture.h"
#include "support/metrics_page.h"
#include "support/temp_dir.h"

namespace switchyard::tests {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class AuditTrail : public ::testing::TestWithParam<Era> {
 protected:
  ~AuditTrail() override { gateway.Stop(); }
  void Start(const std::string& policies) {
    gateway.Serves("a", fake)
        .With("policies", policies)
        .With("audit", "{path: " + path + "}")
        .Start();
  }
  std::unique_ptr<Client> NewClient() const { return gateway.ClientOf(GetParam()); }

  // What the log says of calls, once all that came before is in it.
  std::vector<json::value> Calls() {
    gateway.Stop();
    const auto logs = switchyard::audit::FindLogs(path);
    EXPECT_TRUE(logs);
    if (!logs) return {};
    const auto verified = switchyard::audit::VerifyLog(logs->front(), {}, nullptr);
    EXPECT_FALSE(verified.problem) << verified.problem->reason;
    std::vector<json::value> calls;
    for (const std::string& file : logs->front().files) {
      std::ifstream in(file);
      for (std::string line; std::getline(in, line);) {
        json::value record = Parse(line);
        if (record.at("event") == "call") calls.push_back(std::move(record));
      }
    }
    return calls;
  }
  static std::string Text(const json::value& record, const char* key) {
    const json::value* value = record.as_object().if_contains(key);
    return value == nullptr || !value->is_string() ? "" : std::string(value->as_string());
  }
  static std::vector<std::string> Outcomes(const std::vector<json::value>& calls) {
    std::vector<std::string> out;
    for (const json::value& call : calls) {
      out.push_back(Text(call, "tool") + " " + Text(call, "outcome"));
    }
    return out;
  }

  const TempDir directory;
  std::string path = directory.Path("audit.jsonl");
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
};

INSTANTIATE_TEST_SUITE_P(Era, AuditTrail, ::testing::Values(Era::kModern, Era::kLegacy), EraWord);

TEST_P(AuditTrail, HasCallsThatWereAllowedDeniedHiddenAndUnknown) {
  Start(
      "{authorize: {rules: [{name: fine, effect: allow, what: {tool: echo}, when: {arguments: "
      "[{at: /text, one_of: [x]}]}}]}}");
  const auto client = NewClient();
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  client->Call("a__echo", R"({"text":"secret words"})");
  client->Call("a__mirror");
  client->Call("a__nothing");
  const std::vector<json::value> calls = Calls();
  EXPECT_THAT(Outcomes(calls), ::testing::ElementsAre("echo ok", "echo denied", "mirror denied",
                                                      "a__nothing error"));
  ASSERT_EQ(calls.size(), 4U);
  EXPECT_EQ(Text(calls[0], "rule"), "fine");
  EXPECT_EQ(Text(calls[0], "decision"), "allowed");
  EXPECT_EQ(Text(calls[1], "decision"), "denied");
  EXPECT_EQ(Text(calls[2], "decision"), "hidden");
  EXPECT_EQ(Text(calls[2], "server"), "a") << "who reads the log sees what the caller may not";
  for (const char* of_a_rule : {"rule", "decision", "decided_by", "server"}) {
    EXPECT_EQ(Text(calls[3], of_a_rule), "") << of_a_rule << ": nobody has it, and nobody hid it";
  }
  EXPECT_EQ(Text(calls[0], "session").empty(), GetParam() == Era::kModern);
  std::ifstream in(path);
  const std::string log{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_THAT(log, Not(HasSubstr("secret words")));
}

TEST_P(AuditTrail, HasCallsThatLimitsRefusedAndThatBudgetsPaidFor) {
  Start(
      "{rate_limit: {limits: [{name: few, rate: 1/h}]}, "
      "budget: {budgets: {b: {calls: 100, window: 1h}}}}");
  const auto client = NewClient();
  client->Call("a__echo", R"({"text":"x"})");
  client->Call("a__echo", R"({"text":"x"})");
  const std::vector<json::value> calls = Calls();
  EXPECT_THAT(Outcomes(calls), ::testing::ElementsAre("echo ok", "echo refused"));
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].at("cost").at("calls"), json::value(1));
  EXPECT_EQ(Text(calls[1], "code"), "rate_limited");
  EXPECT_THAT(Text(calls[1], "reason"), HasSubstr("rate limit few"));
}

TEST_P(AuditTrail, HasCallsThatTheCacheAnswered) {
  Start("{cache: {ttl: 1h, allow: [echo]}}");
  const auto client = NewClient();
  for (int i = 0; i < 2; ++i) client->Call("a__echo", R"({"text":"x"})");
  const std::vector<json::value> calls = Calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(Text(calls[0], "answered_by"), "");
  EXPECT_EQ(Text(calls[1], "answered_by"), "cache");
  EXPECT_EQ(fake.received("tools/call").size(), 1U);
}

TEST_P(AuditTrail, HasCallsThatFailedAndThatWereCancelled) {
  Start("{}");
  const auto client = NewClient();
  Exchange held = client->BeginCall("a__hold", R"({"label":"l"})");
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:l")));
  client->Cancel(held);
  ASSERT_TRUE(WaitFor(fake.surface().Named("cancelled:l")));
  EXPECT_TRUE(Shows(gateway, "switchyard_calls_in_flight{server=\"a\"} 0"));
  client->Call("a__fail");
  const std::vector<std::string> outcomes = Outcomes(Calls());
  EXPECT_THAT(outcomes, Contains("hold cancelled"));
  EXPECT_THAT(outcomes, Contains("fail tool_error"));
}

TEST_P(AuditTrail, HasPromptsResourcesAndCompletions) {
  Start("{}");
  const auto client = NewClient();
  client->Request({.method = "prompts/get", .members = R"("name":"a__greet","arguments":{})"});
  client->Request({.method = "resources/read", .members = R"("uri":"fake://a/one")"});
  client->Request({.method = "completion/complete",
                   .members = R"("ref":{"type":"ref/prompt","name":"a__greet"},)"
                              R"("argument":{"name":"who","value":"x"})"});
  client->Tools();
  std::vector<std::string> methods;
  for (const json::value& call : Calls()) methods.push_back(Text(call, "method"));
  EXPECT_THAT(methods,
              ::testing::ElementsAre("prompts/get", "resources/read", "completion/complete"));
}

TEST_P(AuditTrail, IsOneChainOfAllWorkersThroughReloadsAndMoves) {
  constexpr int kThreads = 4, kEach = 50;
  Start("{}");
  const std::string moved = directory.Path("moved.jsonl");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this] {
      const auto client = NewClient();
      for (int i = 0; i < kEach; ++i) client->Call("a__echo", R"({"text":"x"})");
    });
  }
  gateway.With("audit", "{path: " + path + ", max_size: 64KiB}").Reload();
  gateway.With("audit", "{path: " + moved + ", max_size: 64KiB}").Reload();
  for (std::thread& thread : threads) thread.join();
  std::size_t calls = Calls().size();
  path = moved;
  calls += Calls().size();
  EXPECT_EQ(calls, static_cast<std::size_t>(kThreads) * kEach);
}

TEST_P(AuditTrail, APathThatCannotBeUsedIsRefusedWithTheWholeReload) {
  Start("{}");
  gateway.With("audit", "{path: /nowhere/at/all/audit.jsonl}");
  const Result<void> refused = gateway.TryReload();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("audit.path: /nowhere/at/all/audit.jsonl: "));
  EXPECT_EQ(NewClient()->Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(Calls().size(), 1U);
}

TEST_P(AuditTrail, TheExampleOfItsPageDoesWhatItSays) {
  std::string yaml = FromPolicyPage("audit", 0, "audit");
  const std::string written = "/var/log/switchyard/audit.jsonl";
  ASSERT_NE(yaml.find(written), std::string::npos);
  yaml.replace(yaml.find(written), written.size(), path);
  gateway.Serves("a", fake)
      .With("policies", FromPolicyPage("audit", 0, "policies"))
      .With("audit", yaml)
      .Start();
  const auto client = NewClient();
  client->Call("a__echo", R"({"text":"x","password":"p1","pin":"p2"})");
  client->Tools();
  const std::vector<json::value> calls = Calls();
  ASSERT_EQ(calls.size(), 2U) << "the list, too";
  const json::value arguments = calls[0].at("arguments");
  EXPECT_EQ(arguments.at("text"), json::value("x"));
  EXPECT_EQ(arguments.at("password"), json::value("***"));
  EXPECT_EQ(arguments.at("pin"), json::value("***"));
}

}  // namespace
}  // namespace switchyard::tests
