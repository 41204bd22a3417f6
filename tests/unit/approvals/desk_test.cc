// The desk: what waits, who uses it, what voids it; in memory and over a restart.
#include "approvals/desk.h"

#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "approvals/words.h"
#include "telemetry/metrics.h"

namespace switchyard::approvals {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

// What is written, for as long as the test lives.
struct Disk {
  std::map<std::string, std::string> rows;
  bool fails = false;
  int used = 0;
};

class FakeJournal final : public Journal {
 public:
  explicit FakeJournal(Disk& disk) : disk_(disk) {}
  Result<void> Load(const std::function<void(Approval)>& each) override {
    for (const auto& [id, row] : disk_.rows) {
      Result<Approval> read = FromText(row);
      if (!read) return Failure(std::move(read.error()));
      each(std::move(*read));
    }
    return {};
  }
  Result<void> Put(const Approval& approval) override {
    if (disk_.fails) return Full();
    disk_.rows[approval.id] = ToText(approval);
    return {};
  }
  Result<void> Erase(std::string_view id) override {
    if (disk_.fails) return Full();
    disk_.rows.erase(std::string(id));
    return {};
  }
  Result<void> Use(std::string_view id) override {
    if (disk_.fails) return Full();
    ++disk_.used;
    return Erase(id);
  }

 private:
  static std::unexpected<Error> Full() {
    return Failure(Code::kUnavailable, Origin::kGateway, "the disk is full");
  }
  Disk& disk_;
};

Request Ask(const std::string& subject = "ada", const std::string& digest = "d1") {
  return {.subject = subject,
          .endpoint = "/mcp",
          .server = "billing",
          .tool = "delete",
          .digest = digest,
          .definition = "def1",
          .policy = "rule1",
          .rule = "deletes",
          .exposed = "billing__delete",
          .arguments = R"({"id": 7})"};
}

class DeskTest : public ::testing::Test {
 protected:
  DeskTest() { Know({"rule1"}); }
  void Know(const std::vector<std::string>& rules) {
    desk->BeginRules();
    for (const std::string& rule : rules) desk->Knows(rule);
    desk->EndRules();
  }
  Answer Present(const Request& request, std::string_view claimed = {}) {
    return desk->Present(request, 10min, claimed);
  }
  std::string Wait(const Request& request) {
    const Answer answer = Present(request);
    EXPECT_EQ(answer.verdict, Verdict::kPending);
    return answer.approval.id;
  }
  Result<Desk::Shown> Approve(const std::string& id) {
    return desk->Decide(id, true, "operator", "");
  }
  // Another process on the same disk.
  void Restart() {
    desk = std::make_unique<Desk>(clock, metrics);
    ASSERT_TRUE(desk->Open(std::make_unique<FakeJournal>(disk)));
    Know({"rule1"});
  }

  ManualClock clock;
  telemetry::Metrics metrics;
  Disk disk;
  std::unique_ptr<Desk> desk = std::make_unique<Desk>(clock, metrics);
};

TEST_F(DeskTest, AnIdenticalCallAttachesAndAnApprovalIsUsedOnce) {
  const std::string id = Wait(Ask());
  EXPECT_EQ(Wait(Ask()), id);
  ASSERT_TRUE(Approve(id));
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kRun);
  const Answer again = Present(Ask());
  EXPECT_EQ(again.verdict, Verdict::kPending);
  EXPECT_NE(again.approval.id, id);
}

TEST_F(DeskTest, WhoeverWaitsSecondIsToldThatItWasUsed) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(Approve(id));
  EXPECT_EQ(desk->Look(Ask(), id).verdict, Verdict::kRun);
  const Answer late = desk->Look(Ask(), id);
  EXPECT_EQ(late.verdict, Verdict::kVoid);
  EXPECT_EQ(late.why, Why::kUsed);
}

TEST_F(DeskTest, AnotherCallersApprovalIsNobodys) {
  const std::string id = Wait(Ask("ada"));
  ASSERT_TRUE(Approve(id));
  const Answer eve = Present(Ask("eve"), id);
  EXPECT_EQ(eve.verdict, Verdict::kVoid);
  EXPECT_EQ(eve.why, Why::kUnknown);
  EXPECT_EQ(desk->Answered(Ask("eve"), id, true, "client eve").why, Why::kUnknown);
  EXPECT_EQ(desk->Look(Ask("eve"), id).why, Why::kUnknown);
  EXPECT_EQ(Present(Ask("ada")).verdict, Verdict::kRun);
}

TEST_F(DeskTest, EditedArgumentsVoidTheApprovalThatTheCallNames) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(Approve(id));
  const Answer edited = Present(Ask("ada", "d2"), id);
  EXPECT_EQ(edited.verdict, Verdict::kVoid);
  EXPECT_EQ(edited.why, Why::kArguments);
  // And it is gone for the call that it was for.
  EXPECT_EQ(Present(Ask(), id).why, Why::kArguments);
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kPending);
}

TEST_F(DeskTest, ADenialIsNotErasedByNamingItWithOtherArguments) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(desk->Decide(id, false, "operator", "no"));
  EXPECT_EQ(Present(Ask("ada", "d2"), id).why, Why::kArguments);
  EXPECT_EQ(desk->Answered(Ask("ada", "d2"), id, true, "client ada").why, Why::kArguments);
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kDenied);
}

TEST_F(DeskTest, OtherArgumentsAreACallOfTheirOwn) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(Approve(id));
  EXPECT_EQ(Present(Ask("ada", "d2")).verdict, Verdict::kPending);
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kRun);
}

TEST_F(DeskTest, AnotherDefinitionOrRuleVoidsItOnceAndThenItIsAskedForAnew) {
  for (const Why why : {Why::kDefinition, Why::kRule}) {
    const std::string id = Wait(Ask());
    ASSERT_TRUE(Approve(id));
    Request changed = Ask();
    (why == Why::kRule ? changed.policy : changed.definition) = "other";
    const Answer answer = Present(changed);
    EXPECT_EQ(answer.verdict, Verdict::kVoid);
    EXPECT_EQ(answer.why, why);
    EXPECT_EQ(answer.approval.id, id);
    EXPECT_EQ(Present(changed).verdict, Verdict::kPending);
    EXPECT_EQ(Present(Ask()).verdict, Verdict::kVoid);
  }
}

TEST_F(DeskTest, WhatExpiredIsGoneAndCannotBeDecided) {
  const std::string id = Wait(Ask());
  clock.Advance(10min);
  desk->Sweep();
  EXPECT_TRUE(desk->List().empty());
  EXPECT_EQ(desk->Look(Ask(), id).why, Why::kExpired);
  const auto decided = Approve(id);
  ASSERT_FALSE(decided);
  EXPECT_EQ(decided.error().code, Code::kNotFound);
  EXPECT_THAT(decided.error().message, HasSubstr("its time is over"));
  const std::string next = Wait(Ask());
  ASSERT_TRUE(Approve(next));
  clock.Advance(10min);
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kPending);
}

TEST_F(DeskTest, ADenialStandsUntilItExpires) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(desk->Decide(id, false, "operator ada", "not on fridays"));
  for (int i = 0; i < 2; ++i) {
    const Answer answer = Present(Ask());
    EXPECT_EQ(answer.verdict, Verdict::kDenied);
    EXPECT_THAT(Denied(answer.approval).message, HasSubstr("not on fridays"));
  }
  EXPECT_EQ(Approve(id).error().code, Code::kInvalid);
  clock.Advance(10min);
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kPending);
}

TEST_F(DeskTest, ItIsDecidedOnce) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(Approve(id));
  const auto again = desk->Decide(id, false, "operator", "");
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("approved"));
}

TEST_F(DeskTest, TheClientsUserMayDenyWhatAnOperatorApproved) {
  const std::string id = Wait(Ask());
  ASSERT_TRUE(Approve(id));
  EXPECT_EQ(desk->Answered(Ask(), id, false, "client ada").verdict, Verdict::kDenied);
  EXPECT_EQ(desk->Answered(Ask(), id, true, "client ada").verdict, Verdict::kDenied);
}

TEST_F(DeskTest, WhatTheClientsUserApprovesIsUsedAtOnce) {
  const std::string id = Wait(Ask());
  EXPECT_EQ(desk->Answered(Ask(), id, true, "client ada").verdict, Verdict::kRun);
  const Answer replayed = desk->Answered(Ask(), id, true, "client ada");
  EXPECT_EQ(replayed.verdict, Verdict::kVoid);
  EXPECT_EQ(replayed.why, Why::kUsed);
}

TEST_F(DeskTest, AnAnswerForOtherArgumentsVoidsIt) {
  const std::string id = Wait(Ask());
  EXPECT_EQ(desk->Answered(Ask("ada", "d2"), id, true, "client ada").why, Why::kArguments);
  EXPECT_TRUE(desk->List().empty());
}

TEST_F(DeskTest, OperatorsDecideOnlyWhatIsTheirs) {
  Request request = Ask();
  request.by_operator = false;
  const auto decided = Approve(Wait(request));
  ASSERT_FALSE(decided);
  EXPECT_EQ(decided.error().code, Code::kForbidden);
}

TEST_F(DeskTest, SoManyWaitAndNoMoreOfOneCallerAndOfAll) {
  desk->SetLimits({.pending = 3, .per_caller = 2});
  Wait(Ask("ada", "1"));
  Wait(Ask("ada", "2"));
  const Answer third = Present(Ask("ada", "3"));
  EXPECT_EQ(third.verdict, Verdict::kFull);
  EXPECT_THAT(third.problem, HasSubstr("2 calls of yours"));
  EXPECT_EQ(Present(Ask("ada", "1")).verdict, Verdict::kPending);  // attaches
  Wait(Ask("eve", "1"));
  EXPECT_EQ(Present(Ask("mallory", "1")).verdict, Verdict::kFull);
}

TEST_F(DeskTest, ARuleThatIsGoneVoidsWhatItAskedForAndWakesWhoWaits) {
  const std::string id = Wait(Ask());
  int woken = 0;
  const Desk::Waiting waiting(*desk, id, "billing", [&woken] { ++woken; });
  Know({"rule1", "rule2"});
  EXPECT_EQ(woken, 0);
  Know({"rule2"});
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(desk->Look(Ask(), id).why, Why::kRule);
}

TEST_F(DeskTest, WhoWaitsIsWokenByADecisionByNewListsAndAtTheEnd) {
  const std::string id = Wait(Ask()), other = Wait(Ask("eve"));
  int woken = 0;
  {
    const Desk::Waiting waiting(*desk, id, "billing", [&woken] { ++woken; });
    EXPECT_EQ(desk->List().front().waiting + desk->List().back().waiting, 1U);
    ASSERT_TRUE(Approve(other));
    EXPECT_EQ(woken, 0);
    desk->Listed("crm");
    EXPECT_FALSE(waiting.stale());
    desk->Listed("billing");
    EXPECT_TRUE(waiting.stale());
    EXPECT_EQ(woken, 1);
    ASSERT_TRUE(Approve(id));
    EXPECT_EQ(woken, 2);
    desk->LetGo();
    EXPECT_TRUE(waiting.over());
    EXPECT_EQ(woken, 3);
  }
  desk->Listed("billing");
  EXPECT_EQ(woken, 3);
}

TEST_F(DeskTest, ATicketIsGoodOnceAndForAWhile) {
  const std::string ticket = desk->MakeTicket();
  EXPECT_FALSE(desk->TakeTicket("other"));
  EXPECT_TRUE(desk->TakeTicket(ticket));
  EXPECT_FALSE(desk->TakeTicket(ticket));
  const std::string old = desk->MakeTicket();
  clock.Advance(61min);
  EXPECT_FALSE(desk->TakeTicket(old));
}

TEST_F(DeskTest, WhatWaitsAndWhatIsDecidedSurvivesARestart) {
  Restart();
  const std::string pending = Wait(Ask("ada", "1")), approved = Wait(Ask("ada", "2")),
                    denied = Wait(Ask("ada", "3"));
  ASSERT_TRUE(Approve(approved));
  ASSERT_TRUE(desk->Decide(denied, false, "operator", "no"));
  Restart();
  EXPECT_EQ(Wait(Ask("ada", "1")), pending);
  EXPECT_EQ(Present(Ask("ada", "2")).verdict, Verdict::kRun);
  EXPECT_EQ(disk.used, 1);
  EXPECT_EQ(Present(Ask("ada", "3")).verdict, Verdict::kDenied);
  Restart();
  EXPECT_NE(Wait(Ask("ada", "2")), approved);
}

TEST_F(DeskTest, WhatCannotBeWrittenDidNotHappen) {
  Restart();
  const std::string id = Wait(Ask());
  disk.fails = true;
  EXPECT_EQ(Present(Ask("eve")).verdict, Verdict::kFailed);
  EXPECT_FALSE(Approve(id));
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kPending);
  disk.fails = false;
  ASSERT_TRUE(Approve(id));
  disk.fails = true;
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kFailed);
  disk.fails = false;
  EXPECT_EQ(Present(Ask()).verdict, Verdict::kRun);
}

TEST_F(DeskTest, ItsNumbersAreCounted) {
  const std::string id = Wait(Ask());
  Wait(Ask("eve"));
  clock.Advance(20s);
  desk->Sweep();
  EXPECT_THAT(metrics.Serialize(), HasSubstr("switchyard_approvals_pending 2\n"));
  EXPECT_THAT(metrics.Serialize(), HasSubstr("switchyard_approval_oldest_seconds 20\n"));
  ASSERT_TRUE(Approve(id));
  const std::string page = metrics.Serialize();
  EXPECT_THAT(page, HasSubstr("switchyard_approvals_pending 1\n"));
  EXPECT_THAT(page, HasSubstr(R"(switchyard_approval_decisions_total{outcome="approved"} 1)"));
  EXPECT_THAT(page, HasSubstr(R"(switchyard_approval_wait_seconds_bucket{le="15"} 0)"));
  EXPECT_THAT(page, HasSubstr(R"(switchyard_approval_wait_seconds_bucket{le="30"} 1)"));
  EXPECT_THAT(page, HasSubstr("switchyard_approval_wait_seconds_sum 20\n"));
}

TEST(ApprovalText, ReadsWhatItWrote) {
  Approval approval{.id = std::string(32, 'a'), .request = Ask(), .state = State::kDenied};
  approval.by = "operator ada";
  approval.reason = "no\u202E";
  approval.request.by_client = false;
  const Result<Approval> read = FromText(ToText(approval));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(ToText(*read), ToText(approval));
  EXPECT_EQ(read->request.CallKey(), approval.request.CallKey());
  EXPECT_FALSE(read->request.by_client);
}

TEST(ApprovalText, WhatIsNoneIsRefused) {
  for (const std::string text : {"", "[]", "{}", R"({"id":"x"})", "{\"id\":1"}) {
    EXPECT_FALSE(FromText(text)) << text;
  }
  const Approval approval{.id = "short", .request = Ask()};
  EXPECT_FALSE(FromText(ToText(approval)));
}

TEST(ApprovalText, NothingInvisibleIsShown) {
  EXPECT_EQ(Readable("a\u202Eb\nc"), R"(a\u{202E}b c)");
  EXPECT_EQ(Readable(std::string(300, 'x')).size(), 203U);
}

TEST(ApprovalKeys, NoTwoCallersOrCallsRunIntoOneAnother) {
  Request a = Ask(), b = Ask();
  a.issuer = "x", a.subject = "yz";
  b.issuer = "xy", b.subject = "z";
  EXPECT_NE(a.CallerKey(), b.CallerKey());
  Request c = Ask(), d = Ask();
  c.server = "a", c.tool = "bc";
  d.server = "ab", d.tool = "c";
  EXPECT_NE(c.CallKey(), d.CallKey());
}

TEST(ElicitedAnswers, OnlyAClearYesIsOne) {
  EXPECT_EQ(AnswerOf(R"({"action":"accept","content":{"approve":true}})"), true);
  EXPECT_EQ(AnswerOf(R"({"action":"accept","content":{"approve":false}})"), false);
  EXPECT_EQ(AnswerOf(R"({"action":"accept","content":{"approve":"true"}})"), false);
  EXPECT_EQ(AnswerOf(R"({"action":"accept"})"), false);
  EXPECT_EQ(AnswerOf(R"({"action":"decline"})"), false);
  EXPECT_EQ(AnswerOf(R"({"action":"cancel"})"), std::nullopt);
  EXPECT_EQ(AnswerOf(""), std::nullopt);
  EXPECT_EQ(AnswerOf("true"), std::nullopt);
}

}  // namespace
}  // namespace switchyard::approvals
