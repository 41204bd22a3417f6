// What the policy leaves of a call, told to a sink that keeps it.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/event.h"
#include "base/digest.h"
#include "policies/audit/arguments.h"
#include "policies/lib/arguments.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using switchyard::audit::Event;
using switchyard::audit::Sink;
using testing::Answer;
using testing::Broken;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Keeper final : public Sink {
 public:
  bool on() const override { return says != Admission::kOff; }
  Admission Admit() override { return says; }
  void Put(std::unique_ptr<Event> event) override { events.push_back(std::move(*event)); }
  void Note(Event event) override { events.push_back(std::move(event)); }

  Admission says = Admission::kGranted;
  std::vector<Event> events;
};

class AuditPolicy : public ::testing::Test {
 protected:
  std::shared_ptr<const Policy> Make(const std::string& yaml = "{}") {
    return testing::MakePolicy("audit", &audit::Make, yaml,
                               {.clock = clock_, .metrics = metrics_, .audit = &keeper_});
  }
  static Call CallWith(const std::string& params, const std::string& method = "tools/call") {
    Call call;
    call.message = testing::Parsed(R"({"jsonrpc":"2.0","id":1,"method":")" + method +
                                   R"(","params":)" + params + "}");
    call.target.server = "x";
    return call;
  }
  // Its answer read to the end.
  void Run(const Policy& policy, Call& call) {
    loop_.Run([](const Policy& p, Call& c, Service& s) -> Task<bool> {
      Result<ReplyPtr> reply = co_await p.Handle(c, s);
      while (reply) {
        Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
        if (!next || !*next || (*next)->is_response()) break;
      }
      co_return true;
    }(policy, call, service_));
  }
  const Event& Only() const {
    static const Event none;
    EXPECT_EQ(keeper_.events.size(), 1U);
    return keeper_.events.empty() ? none : keeper_.events.back();
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  Keeper keeper_;
  FakeService service_;
  testing::Loop loop_;
};

TEST_F(AuditPolicy, SaysWhoCalledWhatAndWhatCameOfIt) {
  const auto policy = Make();
  Call call = CallWith(R"({"name":"t","arguments":{"b":1,"a":"x"}})");
  call.caller = MakeCaller({.issuer = "i", .subject = "ada", .client = "c"});
  auto client = std::make_shared<Client>();
  client->session = "sess";
  client->name = "agent";
  call.client = client;
  call.endpoint = "team";
  Run(*policy, call);
  const Event& event = Only();
  EXPECT_EQ(event.issuer, "i");
  EXPECT_EQ(event.subject, "ada");
  EXPECT_EQ(event.client, "c");
  EXPECT_EQ(event.agent, "agent");
  EXPECT_EQ(event.session, switchyard::audit::SessionName("sess"));
  EXPECT_EQ(event.endpoint, "/mcp/team");
  EXPECT_EQ(event.server, "x");
  EXPECT_EQ(event.item_key, "tool");
  EXPECT_EQ(event.item, "t");
  EXPECT_EQ(event.method, "tools/call");
  EXPECT_EQ(event.outcome, "ok");
  EXPECT_EQ(event.digest, Sha256(R"({"a":"x","b":1})"));
  EXPECT_THAT(event.arguments, IsEmpty()) << "only when they are asked for";
  EXPECT_EQ(event.trace.size(), 32U);
}

TEST_F(AuditPolicy, ACallOfTheBuiltInServiceNamesTheAgentThatActs) {
  struct Row {
    std::string server, arguments, acting;
  };
  for (const Row& row :
       {Row{"orchestration", R"({"task_id":"task_1","agent_id":"coder-1"})", "coder-1"},
        Row{"orchestration", R"({"agent_id":"coder-1","sender_id":"planner"})", "planner"},
        Row{"orchestration", R"({"assigned_agent_id":"coder-1","coordinator_agent_id":"lead"})",
            "lead"},
        Row{"orchestration", R"({"agent\u005fid":"coder-2"})", "coder-2"},
        Row{"orchestration", R"({"id":"coder-1"})", "coder-1"},
        Row{"orchestration", R"({"agent_id":null,"id":"coder-1"})", "coder-1"},
        Row{"orchestration", R"({"content":"x","creator":"coder-1"})", "coder-1"},
        Row{"orchestration", R"({"coordinator_model_id":"lead"})", "lead"},
        Row{"orchestration", R"({"agent_id":["coder-1"]})", ""},
        Row{"orchestration", R"({"task":{"agent_id":"coder-1"}})", ""},
        Row{"orchestration", R"([{"agent_id":"coder-1"}])", ""},
        Row{"x", R"({"agent_id":"coder-1"})", ""}}) {
    keeper_.events.clear();
    const auto policy = Make();
    Call call = CallWith(R"({"name":"t","arguments":)" + row.arguments + "}");
    call.target.server = row.server;
    Run(*policy, call);
    EXPECT_EQ(Only().acting_as, row.acting) << row.server << " " << row.arguments;
  }
}

TEST_F(AuditPolicy, OutcomesAreThoseOfTheCall) {
  struct Row {
    testing::Step step;
    std::string outcome;
  };
  std::vector<Row> rows;
  rows.push_back({Answer(), "ok"});
  rows.push_back({Answer(R"({"isError":true})"), "tool_error"});
  rows.push_back({Answer(R"({"resultType":"input_required"})"), "input_required"});
  rows.push_back({Broken(Code::kDeadline, "late"), "error"});
  rows.push_back({Failure(Code::kForbidden, Origin::kGateway, "no"), "denied"});
  rows.push_back({Failure(Code::kRateLimited, Origin::kGateway, "slow down"), "refused"});
  rows.push_back({Failure(Code::kCancelled, Origin::kClient, "gone"), "cancelled"});
  const auto policy = Make();
  for (Row& row : rows) {
    keeper_.events.clear();
    auto step = std::make_shared<testing::Step>(std::move(row.step));
    service_.answer = [step](Call&) -> Result<ReplyPtr> {
      if (!*step) return Failure(step->error());
      return FakeService::Script(std::move(*step));
    };
    Call call = CallWith(R"({"name":"t"})");
    Run(*policy, call);
    EXPECT_EQ(Only().outcome, row.outcome);
  }
}

TEST_F(AuditPolicy, ACallThatIsDroppedWasCancelled) {
  const auto policy = Make();
  service_.hangs = true;
  Call call = CallWith(R"({"name":"t"})");
  Run(*policy, call);
  EXPECT_THAT(keeper_.events, IsEmpty());
  loop_.Drop();
  EXPECT_EQ(Only().outcome, "cancelled");
}

TEST_F(AuditPolicy, ARecordHasWhatOthersNotedOfTheCall) {
  const auto policy = Make();
  service_.answer = [](Call& call) -> Result<ReplyPtr> {
    call.notes->decided_by = "authorize";
    call.notes->decision = "hidden";
    call.notes->rule = "r";
    call.notes->cost.calls = 1;
    call.notes->approval = "a-1";
    call.target = Target();
    return Failure(Code::kNotFound, Origin::kClient, "unknown tool: t");
  };
  Call call = CallWith(R"({"name":"t"})");
  Run(*policy, call);
  EXPECT_EQ(Only().outcome, "denied") << "the caller reads that there is no such tool";
  EXPECT_EQ(Only().rule, "r");
  EXPECT_EQ(Only().server, "x") << "as it was before it was hidden";
  EXPECT_EQ(Only().calls, 1);
  EXPECT_EQ(Only().approval, "a-1");
}

TEST_F(AuditPolicy, WithoutARecordNoCallBegins) {
  const auto policy = Make();
  keeper_.says = Sink::Admission::kRefused;
  Call call = CallWith(R"({"name":"t"})");
  const auto reply = loop_.Run(policy->Handle(call, service_));
  ASSERT_TRUE(reply && !*reply);
  EXPECT_EQ(reply->error().code, Code::kUnavailable);
  EXPECT_TRUE(reply->error().retryable);
  EXPECT_THAT(reply->error().message, HasSubstr("no call runs without a record"));
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(AuditPolicy, WhatIsNotToBeRecordedIsNot) {
  const auto policy = Make();
  Call list = CallWith("{}", "tools/list");
  Run(*policy, list);
  EXPECT_THAT(keeper_.events, IsEmpty());
  Run(*Make("{lists: true}"), list);
  EXPECT_EQ(Only().method, "tools/list");
  keeper_.events.clear();
  Call call = CallWith(R"({"name":"t"})");
  Run(*Make("{record: false}"), call);
  EXPECT_THAT(keeper_.events, IsEmpty());
  keeper_.says = Sink::Admission::kOff;
  Run(*policy, call);
  EXPECT_THAT(keeper_.events, IsEmpty());
}

TEST_F(AuditPolicy, ArgumentsAreShownWithoutWhatIsNobodysToRead) {
  const auto policy = Make("{arguments: true, redact: [pin, /card/number]}");
  Call call = CallWith(
      R"({"name":"t","arguments":{"user":"ada","Password":"p1","deep":[{"apiKey":{"x":"p2"}}],)"
      R"("card":{"number":"p3","holder":"ada"},"PIN":"p4","number":7}})");
  Run(*policy, call);
  EXPECT_EQ(Only().arguments, R"({"PIN":"***","Password":"***","card":{"holder":"ada",)"
                              R"("number":"***"},"deep":[{"apiKey":"***"}],"number":7,)"
                              R"("user":"ada"})");
}

TEST_F(AuditPolicy, ArgumentsThatAreTooLongAreLeftOut) {
  const auto policy = Make("{arguments: true, max_arguments: 100B}");
  Call call = CallWith(R"({"name":"t","arguments":{"a":")" + std::string(200, 'x') + "\"}}");
  Run(*policy, call);
  EXPECT_THAT(Only().arguments, IsEmpty());
  EXPECT_EQ(Only().arguments_left_out, 208U);
  EXPECT_EQ(Only().digest.size(), 64U);
}

TEST_F(AuditPolicy, NearerLevelsHideMoreAndNeverLess) {
  const auto far = testing::KeyOf("audit").parse(
      [] {
        static const config::ProcessEnvironment environment;
        static config::Document document("{arguments: true, redact: [pin]}", "t", environment);
        return std::move(*document.Root());
      }(),
      nullptr);
  const auto policy =
      testing::MakePolicy("audit", &audit::Make, "{redact: [iban]}",
                          {.clock = clock_, .metrics = metrics_, .audit = &keeper_}, far.get());
  Call call = CallWith(R"({"name":"t","arguments":{"pin":1,"iban":2,"x":3}})");
  Run(*policy, call);
  EXPECT_EQ(Only().arguments, R"({"iban":"***","pin":"***","x":3})");
}

TEST_F(AuditPolicy, AQueryOfAUriIsNotRecorded) {
  const auto policy = Make();
  Call call = CallWith(R"({"uri":"db://x/y?key=s3cr3t"})", "resources/read");
  Run(*policy, call);
  EXPECT_EQ(Only().item_key, "resource");
  EXPECT_EQ(Only().item, "db://x/y?***");
}

TEST(AuditDigest, IsTheSameForAllWritingsOfTheSameArguments) {
  const auto digest = [](const std::string& raw) {
    return audit::DigestOf(raw, ReadArguments(raw));
  };
  EXPECT_EQ(digest(R"({"a":1,"b":[true,null]})"), digest(R"( { "b" : [ true , null ], "a":1 } )"));
  EXPECT_EQ(digest(R"({"a":"\u0041"})"), digest(R"({"a":"A"})"));
  EXPECT_NE(digest(R"({"a":1})"), digest(R"({"a":2})"));
  EXPECT_EQ(digest(""), Sha256("{}"));
  EXPECT_THAT(digest(R"({"a":1,"a":2})"), HasSubstr("raw:")) << "two readers may read two values";
}

}  // namespace
}  // namespace switchyard::policies
