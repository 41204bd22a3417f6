// Legacy HTTP servers that are shown who calls: a session for each caller, and whose they take.
#include "unit/downstream/asking_fixture.h"

namespace switchyard::downstream {
namespace {

class PersonalLanesTest : public AskingTest {};

TEST_F(PersonalLanesTest, AServerThatIsShownWhoCallsHasASessionForEachCaller) {
  wire_.http = true;
  std::vector<std::string> whose;
  Make({}, {.parking = &parking_,
            .another =
                [&](const Caller* caller) {
                  whose.push_back(caller == nullptr ? "nobody" : (*caller)->subject);
                  return Another();
                },
            .personal = true});
  Legacy({{"tools/call", Gives(kDone)}}, "s1");
  for (const char* subject : {"a", "b", "a"}) {
    Call& call = CallOf("{}");
    call.caller = MakeCaller({.subject = subject});
    const auto going = Start(call);
    EXPECT_TRUE(NextOf(*going).contains("done"));
  }
  EXPECT_EQ(whose, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(wire_.Count("tools/call"), 0) << "the gateway's own session serves nobody";
}

TEST_F(PersonalLanesTest, OtherRightsOrAnotherAccountAreAnotherSession) {
  wire_.http = true;
  Make({}, {.parking = &parking_,
            .another = [this](const Caller*) { return Another(); },
            .personal = true,
            .view = [](const Principal& caller) { return caller.scopes.at(0); }});
  Legacy({{"tools/call", Gives(kDone)}}, "s1");
  for (const char* scope : {"broad", "narrow", "broad"}) {
    Call& call = CallOf("{}");
    call.caller = MakeCaller({.subject = "a", .scopes = {scope}});
    const auto going = Start(call);
    EXPECT_TRUE(NextOf(*going).contains("done"));
  }
  EXPECT_EQ(lanes_.size(), 2U);
}

TEST_F(PersonalLanesTest, AServerThatIsShownWhoCallsIsNotAskedWithoutASessionForIt) {
  wire_.http = true;
  Make({}, {.personal = true});
  Legacy({{"tools/call", Gives(kDone)}}, "s1");
  const auto going = Start(CallOf("{}"));
  EXPECT_EQ(wire_.Count("tools/call"), 0);
}

TEST_F(PersonalLanesTest, ASessionIsNotEndedUnderAReplyThatStillComes) {
  wire_.http = true;
  Make({}, {.parking = &parking_,
            .another = [this](const Caller*) { return Another(); },
            .personal = true});
  Legacy({}, "s1");
  const auto of = [this](const char* subject) -> Call& {
    Call& call = CallOf("{}");
    call.caller = MakeCaller({.subject = subject});
    return call;
  };
  const auto slow = Start(of("a"));
  ASSERT_TRUE(slow->there) << "its stream is open, its answer not there";
  const auto brief = Start(of("b"));
  FinishOn(*lanes_.at(1));
  EXPECT_TRUE(NextOf(*brief).contains("done"));
  for (int minute = 0; minute < 7; ++minute) loop_.Pass(Lanes::kSweep);
  EXPECT_EQ(lanes_.at(0)->sessions_ended, 0);
  EXPECT_EQ(lanes_.at(1)->sessions_ended, 1);
  FinishOn(*lanes_.at(0));
  EXPECT_TRUE(NextOf(*slow).contains("done"));
  for (int minute = 0; minute < 7; ++minute) loop_.Pass(Lanes::kSweep);
  EXPECT_EQ(lanes_.at(0)->sessions_ended, 1);
}

TEST_F(PersonalLanesTest, WhoHasNothingToShowTakesNoSession) {
  wire_.http = true;
  Make({}, {.parking = &parking_,
            .another = [this](const Caller*) { return Another(); },
            .personal = true,
            .admits = [](const Caller& caller) -> Result<void> {
              if (caller->subject == "a") return {};
              return Failure(Code::kForbidden, Origin::kGateway, "nothing for this caller");
            }});
  Legacy({{"tools/call", Gives(kDone)}}, "s1");
  for (const char* subject : {"a", "mallory"}) {
    Call& call = CallOf("{}");
    call.caller = MakeCaller({.subject = subject});
    const auto going = Start(call);
    EXPECT_TRUE(NextOf(*going).contains(subject == std::string("a") ? "done" : "nothing for"));
  }
  EXPECT_EQ(lanes_.size(), 1U);
}

TEST_F(PersonalLanesTest, ASessionThatCouldNotBeMadeTakesNoPlace) {
  Http({{"tools/call", Gives(kDone)}});
  const auto works = wire_.answer;
  wire_.answer = [](const Sent&) { return Fails(Code::kUnavailable, 503); };
  for (std::size_t i = 0; i <= Lanes::kMax; ++i) {
    Call& call = CallOf(kForms);
    call.caller = MakeCaller({.subject = std::to_string(i)});
    const auto going = Start(call);
    ASSERT_TRUE(going->there);
    EXPECT_FALSE(going->reply);
  }
  wire_.answer = works;
  Call& call = CallOf(kForms);
  call.caller = MakeCaller({.subject = "5"});
  const auto going = Start(call);
  EXPECT_TRUE(NextOf(*going).contains("done"));
  EXPECT_EQ(lanes_.size(), Lanes::kMax + 2) << "made anew";
}

TEST_F(PersonalLanesTest, ACallerWithManySessionsLosesAnOwnOne) {
  Http({{"tools/call", Gives(kDone)}});
  const auto by = [this](const char* subject, const std::string& capabilities) {
    Call& call = CallOf(capabilities);
    call.caller = MakeCaller({.subject = subject});
    auto going = Start(call);
    EXPECT_TRUE(NextOf(*going).contains("done"));
    loop_.Pass(std::chrono::seconds(1));
  };
  by("b", kForms);
  for (const std::string& capabilities :
       {kForms, kEverything, std::string(R"({"sampling":{}})"), std::string(R"({"roots":{}})"),
        std::string(R"({"sampling":{},"roots":{}})")}) {
    by("a", capabilities);
  }
  ASSERT_EQ(lanes_.size(), 6U);
  EXPECT_EQ(lanes_[0]->sessions_ended, 0) << "another caller's";
  EXPECT_EQ(lanes_[1]->sessions_ended, 1);
}

}  // namespace
}  // namespace switchyard::downstream
