// Asking for help, and waiting for one another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/coordination/waits.h"
#include "unit/orchestration/coordination/talk.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

class Assistance : public ::testing::Test {
 protected:
  Assistance() {
    room.Register("a");
    room.Register("b", R"(,"capabilities":["x"])");
    room.Register("c", R"(,"capabilities":["x"])");
  }
  json::object Request(const std::string& who, const std::string& more = "") {
    return room.Get("request_assistance", R"({"requesting_agent_id":")" + who +
                                              R"(","task_description":"help")" + more + "}");
  }
  std::string Ask(const std::string& who, const std::string& more = "") {
    const json::object made = Request(who, more);
    return std::string(made.at(made.contains("error") ? "error" : "request_id").as_string());
  }
  // The status then, or the refusal.
  std::string React(const std::string& request, const std::string& agent, const std::string& action,
                    const std::string& text = "t") {
    const json::object got =
        room.Get("respond_to_assistance", R"({"request_id":")" + request + R"(","agent_id":")" +
                                              agent + R"(","action":")" + action +
                                              R"(","response":")" + text + "\"}");
    return std::string(got.at(got.contains("error") ? "error" : "status").as_string());
  }
  std::string StatusOf(const std::string& request, const std::string& agent) {
    return std::string(room.Get("list_assistance", R"({"request_id":")" + request +
                                                       R"(","agent_id":")" + agent + "\"}")
                           .at("requests")
                           .as_array()
                           .at(0)
                           .at("status")
                           .as_string());
  }
  std::int64_t Open() {
    return room.Do([](Records& records) { return CoordinationOf(records); })->requests;
  }
  std::string Lock(const std::string& waiter, const std::string& holder, const std::string& file) {
    const Result<void> done = room.Do([&](Records& records) {
      return AddWait(
          records,
          {.waiter = waiter, .holder = holder, .kind = WaitKind::kLock, .about = "lock " + file});
    });
    return done ? "" : done.error().message;
  }

  Talk room;
};

TEST_F(Assistance, IsAskedOfTheBestAndSaysWhy) {
  const json::object made = Request("a", R"(,"required_capabilities":["x"],"ask":1)");
  EXPECT_EQ(
      made.at("asked"),
      json::parse(R"([{"agent_id":"b","reason":"0 of 10 tasks, 100% success, fits 1 of 1"}])"));
  EXPECT_EQ(room.Contents("b"), "assistance_00000001: help");
  EXPECT_EQ(room.Contents("c"), "");
  EXPECT_EQ(Open(), 1);
  EXPECT_THAT(Ask("a", R"(,"required_capabilities":["y"])"), HasSubstr("no capable agent"));
}

TEST_F(Assistance, IsAcceptedAndAnswered) {
  const std::string id = Ask("a", R"(,"required_capabilities":["x"])");
  EXPECT_EQ(React(id, "b", "accept"), "accepted");
  EXPECT_EQ(React(id, "c", "respond"),
            "request " + id +
                " is accepted by agent b; only that agent responds, and may decline "
                "it again");
  EXPECT_EQ(React(id, "b", "respond", "42"), "answered");
  EXPECT_EQ(room.Contents("a"), id + ": t " + id + ": 42");
  EXPECT_EQ(Open(), 0);
  EXPECT_EQ(React(id, "b", "respond"), "request " + id + " is answered; it is over");
  EXPECT_EQ(room.Get("list_assistance", R"({"agent_id":"c"})").at("requests"), json::array());
  const json::value whole =
      room.Get("list_assistance", R"({"agent_id":"a","request_id":")" + id + "\"}")
          .at("requests")
          .at(0);
  EXPECT_EQ(whole.at("response"), json::value("42"));
  EXPECT_EQ(whole.at("asked").at(0).at("answer"), json::value("answered"));
}

TEST_F(Assistance, IsDeclinedByOneAndDoneByAnother) {
  const std::string id = Ask("a", R"(,"required_capabilities":["x"])");
  EXPECT_EQ(React(id, "b", "accept"), "accepted");
  EXPECT_EQ(React(id, "b", "decline"), "open");
  EXPECT_EQ(React(id, "c", "decline"), "declined") << "nobody is left";
  EXPECT_EQ(Open(), 0);
  const std::string direct = Ask("a", R"(,"target_agent_id":"b")");
  EXPECT_EQ(React(direct, "b", "decline"), "declined");
}

// Whoever has its id next neither waits for anybody nor is waited for.
TEST_F(Assistance, OfWhoLeavesIsOver) {
  const std::string id = Ask("a", R"(,"required_capabilities":["x"])");
  EXPECT_EQ(React(id, "b", "accept"), "accepted");
  room.Get("deregister_agent", R"({"agent_id":"a"})");
  room.Register("a");
  EXPECT_EQ(Open(), 0);
  EXPECT_EQ(React(id, "b", "respond"), "request " + id + " is cancelled; it is over");
  EXPECT_EQ(room.Get("list_assistance", R"({"agent_id":"b"})").at("requests"), json::array());
  EXPECT_EQ(Request("b", R"(,"target_agent_id":"a")").at("status"), json::value("open"));
}

TEST_F(Assistance, ThatWhoLeavesWasAskedIsForOthersOrDeclined) {
  const std::string direct = Ask("a", R"(,"target_agent_id":"b")");
  const std::string any = Ask("a", R"(,"required_capabilities":["x"])");
  EXPECT_EQ(React(any, "b", "accept"), "accepted");
  room.Get("deregister_agent", R"({"agent_id":"b"})");
  EXPECT_EQ(StatusOf(direct, "a"), "declined");
  EXPECT_THAT(room.Contents("a"), HasSubstr(direct + ": agent b left"));
  EXPECT_EQ(StatusOf(any, "a"), "open");
  EXPECT_EQ(React(any, "c", "respond"), "answered");
  EXPECT_EQ(Open(), 0);
}

TEST_F(Assistance, Expires) {
  const std::string id = Ask("a", R"(,"target_agent_id":"b","expires_in_seconds":10)");
  room.now += 10'000;
  EXPECT_EQ(React(id, "b", "respond"), "request " + id + " is expired; it is over");
  room.Sweep();
  EXPECT_EQ(StatusOf(id, "a"), "expired");
  EXPECT_EQ(Open(), 0);
  room.now += room.settings.retain_ms;
  room.Sweep();
  EXPECT_THAT(room.Refusal("list_assistance", R"({"agent_id":"a","request_id":")" + id + "\"}"),
              HasSubstr("there is no request"));
}

TEST_F(Assistance, IsBetweenThoseConcerned) {
  const std::string id = Ask("a", R"(,"target_agent_id":"b")");
  EXPECT_THAT(React(id, "c", "respond"), HasSubstr("there is no request " + id));
  EXPECT_THAT(React(id, "a", "respond"), HasSubstr("asked this itself"));
  EXPECT_THAT(React(id, "b", "cancel"), HasSubstr("only agent a"));
  EXPECT_EQ(React(id, "a", "cancel"), "cancelled");
  EXPECT_THAT(Ask("a", R"(,"target_agent_id":"a")"), HasSubstr("must be another agent"));
  EXPECT_THAT(Ask("a", R"(,"target_agent_id":"a2")"), HasSubstr("there is no agent a2"));
  room.caller = "mallory";
  room.Register("m");
  EXPECT_THAT(React(id, "m", "respond"), HasSubstr("there is no request"));
}

TEST_F(Assistance, ChangesOfMindAreMessages) {
  room.settings.most_messages = 4;
  const std::string id = Ask("a", R"(,"required_capabilities":["x"])");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(React(id, "b", "accept"), "accepted");
    EXPECT_EQ(React(id, "b", "decline"), "open");
  }
  EXPECT_THAT(React(id, "b", "accept"), HasSubstr("agent b sent 4 messages within 60 s"));
}

TEST_F(Assistance, IsNotAskedForWithoutEnd) {
  for (int i = 0; i < 20; ++i) Ask("a", R"(,"target_agent_id":"b")");
  EXPECT_THAT(Ask("a", R"(,"target_agent_id":"b")"), HasSubstr("waits for 20 requests already"));
}

// ---- Waits --------------------------------------------------------------------------------------

TEST_F(Assistance, ACycleOfRequestsIsRefusedAndNamed) {
  const std::string first = Ask("a", R"(,"target_agent_id":"b")");
  const std::string second = Ask("b", R"(,"target_agent_id":"c")");
  EXPECT_EQ(Ask("c", R"(,"target_agent_id":"a")"),
            "this would be a deadlock: c waits for a (assistance_00000003), a waits for b (" +
                first + "), b waits for c (" + second + ")");
  EXPECT_EQ(React(second, "c", "respond"), "answered");
  EXPECT_EQ(Ask("c", R"(,"target_agent_id":"a")"), "assistance_00000003");
}

TEST_F(Assistance, WhoWaitsForTheRequesterIsNotAsked) {
  room.Register("d", R"(,"capabilities":["x"])");
  Ask("b", R"(,"target_agent_id":"a")");
  const json::object made = Request("a", R"(,"required_capabilities":["x"])");
  ASSERT_EQ(made.at("asked").as_array().size(), 2U);
  EXPECT_EQ(made.at("asked").at(0).at("agent_id"), json::value("c"));
  // c is not waited for before it accepts, for d may, and then not by a cycle.
  const std::string id(made.at("request_id").as_string());
  EXPECT_EQ(Ask("c", R"(,"target_agent_id":"a")"), "assistance_00000003");
  EXPECT_THAT(React(id, "c", "accept"), HasSubstr("this would be a deadlock: a waits for c"));
  // It is not waited for when it is the last one, either, but can answer.
  EXPECT_EQ(React(id, "d", "decline"), "open");
  EXPECT_EQ(React(id, "c", "respond"), "answered");
}

TEST_F(Assistance, AWaitThatIsOverIsNoneAnyMore) {
  Ask("a", R"(,"target_agent_id":"b","expires_in_seconds":10)");
  room.now += 10'000;  // before anybody swept
  EXPECT_EQ(Ask("b", R"(,"target_agent_id":"a")"), "assistance_00000002");
}

TEST_F(Assistance, LocksAndRequestsMakeCyclesTogether) {
  EXPECT_EQ(Lock("a", "b", "src/x.c"), "");
  EXPECT_EQ(Lock("b", "c", "src/y.c"), "");
  EXPECT_EQ(Lock("c", "a", "src/z.c"),
            "this would be a deadlock: c waits for a (lock src/z.c), a waits for b (lock src/x.c), "
            "b waits for c (lock src/y.c)");
  EXPECT_THAT(Ask("c", R"(,"target_agent_id":"a")"), HasSubstr("deadlock"));
  room.Do([](Records& records) { return EndWait(records, "b", "lock src/y.c"); });
  EXPECT_EQ(Lock("c", "a", "src/z.c"), "");
  room.Get("deregister_agent", R"({"agent_id":"a"})");
  EXPECT_EQ(Lock("b", "c", "src/y.c"), "") << "who is gone waits for nobody";
}

// A coordinator that waits for a part of its task can answer who does the part, but does not let go
// of its locks before the part is done.
TEST_F(Assistance, WhoWaitsForAPartOfItsTaskCanAnswerButLetsNothingGo) {
  const std::string whole = room.Create("whole");
  EXPECT_EQ(room.Claim("a"), whole);
  const std::string part = room.Create("part", R"(,"parent":")" + whole + "\"");
  EXPECT_EQ(room.Claim("b"), part);
  EXPECT_THAT(Ask("b", R"(,"target_agent_id":"a")"), HasSubstr("assistance_"));
  EXPECT_EQ(Lock("b", "a", "f"),
            "this would be a deadlock: b waits for a (lock f), a waits for b (" + part + ")");
  // What a part depends on counts, too.
  const std::string needed = room.Create("needed");
  EXPECT_EQ(room.Claim("c"), needed);
  room.Create("late part", R"(,"parent":")" + whole + R"(","depends_on":[")" + needed + "\"]");
  EXPECT_EQ(Lock("c", "a", "f"),
            "this would be a deadlock: c waits for a (lock f), a waits for c (" + needed + ")");
}

TEST_F(Assistance, OfOnlyOneWhoCanIsAWaitFromTheStart) {
  room.Register("only", R"(,"capabilities":["rare"])");
  const std::string first = Ask("a", R"(,"required_capabilities":["rare"])");
  EXPECT_THAT(Ask("only", R"(,"target_agent_id":"a")"),
              HasSubstr("this would be a deadlock: only waits for a (assistance_00000002), a waits "
                        "for only (" +
                        first + ")"));
  EXPECT_EQ(React(first, "only", "accept"), "accepted");
  EXPECT_THAT(Ask("only", R"(,"target_agent_id":"a")"), HasSubstr("this would be a deadlock"));
  EXPECT_EQ(React(first, "only", "respond"), "answered");
  EXPECT_THAT(Ask("only", R"(,"target_agent_id":"a")"), Not(HasSubstr("deadlock")));
}

TEST_F(Assistance, ThatAllOthersDeclinedIsAWaitForTheLast) {
  const std::string first = Ask("a", R"(,"required_capabilities":["x"])");
  ASSERT_EQ(Lock("c", "a", "free"), "") << "nobody in particular is waited for";
  room.Do([](Records& records) { return EndWait(records, "c", "lock free"); });
  EXPECT_EQ(React(first, "b", "accept"), "accepted");
  EXPECT_EQ(React(first, "b", "decline"), "open");
  EXPECT_THAT(Lock("c", "a", "f"), HasSubstr("c waits for a (lock f), a waits for c (" + first));
  EXPECT_EQ(Lock("b", "a", "f"), "") << "a does not wait for b any more";
  EXPECT_EQ(React(first, "c", "accept"), "accepted");
}

// Below whom others have so many wait that a search for cycles gives up is not waited for: nobody
// is kept from declining, or from leaving, by that, nor is the sweep by one that it forgets.
TEST_F(Assistance, AWaitThatCannotBeJudgedIsNone) {
  const std::string declined = Ask("a", R"(,"required_capabilities":["x"])");
  const std::string left = Ask("a", R"(,"required_capabilities":["x"])");
  for (const char* way : {"0", "1", "2", "3"}) {
    for (int i = 0; i < 99; ++i) {
      ASSERT_EQ(Lock(way, way + std::to_string(i), std::to_string(i)), "");
    }
    ASSERT_EQ(Lock("c", way, way), "");
  }
  ASSERT_THAT(Ask("a", R"(,"target_agent_id":"c")"), HasSubstr("too many agents wait"));
  EXPECT_EQ(React(declined, "b", "decline"), "open");
  EXPECT_EQ(React(declined, "c", "respond"), "answered");
  room.now += 25 * 3'600'000 + room.settings.retain_ms;
  room.Get("heartbeat", R"({"agent_id":"a"})");
  room.Get("heartbeat", R"({"agent_id":"c"})");
  const Result<bool> swept =
      room.Do([](Records& records) { return orchestration::Sweep(records); });
  EXPECT_TRUE(swept.has_value()) << swept.error().message;
  EXPECT_THAT(room.Refusal("get_agent_health", R"({"agent_id":"b"})"), HasSubstr("no agent b"));
  EXPECT_EQ(StatusOf(left, "a"), "open") << "c is left";
  room.Sweep();
  EXPECT_EQ(Open(), 0);
  // Nor is one that goes by itself.
  room.Do([](Records& records) { return EndWaitsOf(records, "c"); });
  room.Register("b", R"(,"capabilities":["x"])");
  const std::string again = Ask("a", R"(,"required_capabilities":["x"])");
  for (const char* way : {"0", "1", "2", "3"}) ASSERT_EQ(Lock("c", way, way), "");
  EXPECT_EQ(room.Refusal("deregister_agent", R"({"agent_id":"b"})"), "");
  EXPECT_EQ(StatusOf(again, "a"), "open");
}

}  // namespace
}  // namespace switchyard::orchestration
