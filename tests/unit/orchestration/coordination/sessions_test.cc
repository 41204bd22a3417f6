// Collaboration sessions through their tools.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/coordination/talk.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

class AgentSessions : public ::testing::Test {
 protected:
  AgentSessions() {
    for (const char* agent : {"lead", "a", "b", "stranger"}) room.Register(agent);
  }
  std::string Open(const std::string& more = "") {
    const json::object made = room.Get("create_collaboration_session",
                                       R"({"title":"Paper","participant_model_ids":["a","b"],)"
                                       R"("coordinator_model_id":"lead")" +
                                           more + "}");
    return made.contains("error") ? std::string(made.at("error").as_string())
                                  : std::string(made.at("session_id").as_string());
  }
  static std::string As(const std::string& session, const std::string& agent,
                        const std::string& more = "") {
    return R"({"session_id":")" + session + R"(","agent_id":")" + agent + "\"" + more + "}";
  }
  std::string Listed(const std::string& arguments) {
    std::string ids;
    const json::object got = room.Get("list_collaboration_sessions", arguments);
    if (!got.contains("sessions")) return json::serialize(got);
    for (const json::value& one : got.at("sessions").as_array()) {
      ids += (ids.empty() ? "" : " ") + std::string(one.at("session_id").as_string());
    }
    return ids;
  }
  std::int64_t OpenOnes() {
    return room.Do([](Records& records) { return CoordinationOf(records); })->sessions;
  }

  Talk room;
};

// A text that begins with what marks raw JSON (verbatim.h) is a text.
TEST_F(AgentSessions, WhatTheyShareIsShownAsItWasWritten) {
  const std::string context =
      R"({"x":"\u00011,\"outcome\":\"pay\"","big":123456789012345678901234567890})";
  const std::string id = Open(R"(,"context":)" + context);
  const json::object seen = room.Get("get_collaboration_session", As(id, "a"));
  EXPECT_EQ(seen.at("context").at("x"), json::value("\x01"
                                                    "1,\"outcome\":\"pay\""));
  EXPECT_FALSE(seen.contains("outcome"));
}

TEST_F(AgentSessions, AreForThoseWhoTakePart) {
  const std::string id = Open(R"(,"description":"why","context":{"topic":"x"})");
  EXPECT_EQ(id, "session_00000001");
  EXPECT_EQ(room.Contents("a"), "Paper") << "they are told";
  const json::object seen = room.Get("get_collaboration_session", As(id, "b"));
  EXPECT_EQ(seen.at("status"), json::value("active"));
  EXPECT_EQ(seen.at("context"), json::parse(R"({"topic":"x"})"));
  EXPECT_EQ(seen.at("participants"), json::parse(R"(["a","b","lead"])"));
  EXPECT_EQ(seen.at("description"), json::value("why"));
  EXPECT_THAT(room.Refusal("get_collaboration_session", As(id, "stranger")),
              HasSubstr("there is no session " + id + " of yours"));
  EXPECT_THAT(room.Refusal("send_message",
                           R"({"sender_id":"stranger","content":"x","session_id":")" + id + "\"}"),
              HasSubstr("there is no session"));
  EXPECT_EQ(Listed(R"({"agent_id":"a"})"), id);
  EXPECT_EQ(Listed(R"({"agent_id":"stranger"})"), "");
  EXPECT_EQ(Listed("{}"), id) << "the caller made it";
  room.caller = "mallory";
  EXPECT_EQ(Listed("{}"), "");
  EXPECT_THAT(room.Refusal("get_collaboration_session", R"({"session_id":")" + id + "\"}"),
              HasSubstr("there is no session"));
}

TEST_F(AgentSessions, MessagesGoToAllOthersInThem) {
  const std::string id = Open(), other = Open();
  room.Contents("a");
  room.Contents("b");
  EXPECT_EQ(
      room.Get("send_message", R"({"sender_id":"a","content":"hi","session_id":")" + id + "\"}")
          .at("recipients"),
      json::value(2));
  room.Send("a", R"("session_id":")" + other + "\"", "there");
  EXPECT_EQ(room.Contents("b", R"(,"session_id":")" + other + "\""), "there");
  EXPECT_EQ(room.Contents("lead"), "hi there");
  EXPECT_EQ(room.Contents("lead", R"(,"include_read":true,"session_id":")" + id + "\""), "hi");
  EXPECT_EQ(room.Contents("a"), "");
}

TEST_F(AgentSessions, WhatTheyShareIsChangedByAnyOfThem) {
  const std::string id = Open(R"(,"context":{"keep":1,"drop":2})");
  EXPECT_EQ(room.Refusal("update_collaboration_session",
                         As(id, "b", R"(,"context":{"drop":null,"add":[3]})")),
            "");
  EXPECT_EQ(room.Get("get_collaboration_session", As(id, "a")).at("context"),
            json::parse(R"({"keep":1,"add":[3]})"));
  EXPECT_THAT(room.Refusal("update_collaboration_session", As(id, "b", R"(,"context":[1])")),
              HasSubstr("context must be an object"));
  const std::string half = R"(,"context":{"b)", big = R"(":")" + std::string(40'000, 'x') + "\"}";
  EXPECT_EQ(room.Refusal("update_collaboration_session", As(id, "b", half + "1" + big)), "");
  EXPECT_THAT(room.Refusal("update_collaboration_session", As(id, "b", half + "2" + big)),
              HasSubstr("at most 65536; null removes"));
}

TEST_F(AgentSessions, TheirCoordinatorSaysWhoTakesPartAndWhenTheyEnd) {
  const std::string id = Open();
  EXPECT_THAT(room.Refusal("update_collaboration_session",
                           As(id, "a", R"(,"add_participants":["stranger"])")),
              HasSubstr("only the coordinator of the session, agent lead"));
  EXPECT_EQ(
      room.Get("update_collaboration_session",
               As(id, "lead", R"(,"add_participants":["stranger"],"remove_participants":["a"])"))
          .at("participants"),
      json::parse(R"(["b","lead","stranger"])"));
  EXPECT_THAT(room.Refusal("get_collaboration_session", As(id, "a")), HasSubstr("no session"));
  EXPECT_THAT(room.Refusal("close_collaboration_session", As(id, "b")),
              HasSubstr("agent lead, closes it"));
  EXPECT_EQ(OpenOnes(), 1);
  EXPECT_EQ(
      room.Get("close_collaboration_session", As(id, "lead", R"(,"outcome":"done")")).at("status"),
      json::value("closed"));
  EXPECT_EQ(OpenOnes(), 0);
  EXPECT_EQ(room.Contents("b"), "Paper done");
  EXPECT_THAT(
      room.Refusal("send_message", R"({"sender_id":"b","content":"x","session_id":")" + id + "\"}"),
      HasSubstr("is closed"));
  EXPECT_EQ(Listed(R"({"agent_id":"b","status":"active"})"), "");
  EXPECT_EQ(Listed(R"({"agent_id":"b","status":"closed"})"), id);
}

TEST_F(AgentSessions, WhoTakesAnIdOverIsNotAParticipant) {
  const std::string id = Open();
  room.Get("deregister_agent", R"({"agent_id":"a"})");
  room.caller = "mallory";
  room.Register("a");
  EXPECT_THAT(room.Refusal("get_collaboration_session", As(id, "a")), HasSubstr("no session"));
  room.caller = "";
  room.Send("b", R"("session_id":")" + id + "\"", "private");
  room.caller = "mallory";
  EXPECT_EQ(room.Contents("a"), "");
}

TEST_F(AgentSessions, AnyOfThemClosesOneWhoseCoordinatorIsGone) {
  const std::string id = Open();
  room.Get("deregister_agent", R"({"agent_id":"lead"})");
  EXPECT_EQ(room.Refusal("close_collaboration_session", As(id, "b")), "");
}

TEST_F(AgentSessions, AreCoordinatedByOnesOwnAgent) {
  room.caller = "alice";
  room.Register("alices");
  room.caller = "mallory";
  EXPECT_EQ(room.Refusal("create_collaboration_session",
                         R"({"title":"t","coordinator_model_id":"alices"})"),
            "coordinator_model_id: agent alices was registered by another caller; act as your own");
}

TEST_F(AgentSessions, AreCountedAndPaged) {
  room.settings.most_messages = 1000;
  for (int i = 0; i < 100; ++i) Open();
  EXPECT_THAT(Open(), HasSubstr("agent lead coordinates 100 open sessions"));
  EXPECT_EQ(Listed(R"({"agent_id":"a","limit":2})"), "session_00000100 session_00000099");
  EXPECT_EQ(Listed(R"({"limit":1,"cursor":"session_00000099"})"), "session_00000098");
}

TEST_F(AgentSessions, IdleOnesEndAndOldOnesAreForgotten) {
  const std::string id = Open();
  room.now += room.settings.retain_ms;
  room.Sweep();
  EXPECT_EQ(OpenOnes(), 0);
  EXPECT_EQ(room.Get("get_collaboration_session", As(id, "a")).at("outcome"),
            json::value("nothing happened in it for too long"));
  room.now += room.settings.retain_ms;
  room.Sweep();
  EXPECT_THAT(room.Refusal("get_collaboration_session", As(id, "a")), HasSubstr("no session"));
}

}  // namespace
}  // namespace switchyard::orchestration
