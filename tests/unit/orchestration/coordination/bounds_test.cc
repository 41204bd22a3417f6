// What agents may make the service keep and send, whatever they register.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/coordination/pace.h"
#include "unit/orchestration/coordination/talk.h"

namespace switchyard::orchestration {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class MessageBounds : public ::testing::Test {
 protected:
  MessageBounds() {
    for (const char* agent : {"a", "b", "c"}) room.Register(agent);
  }
  std::int64_t Number(std::string_view sql) {
    const auto rows = room.Do([&](Records& records) { return records.sql.Query(sql); });
    return rows->front().Number(0);
  }

  Talk room;
};

TEST_F(MessageBounds, WhoRegistersAnewDoesNotBeginAnew) {
  room.settings.most_messages = 3;
  for (int i = 0; i < 3; ++i) room.Send("a", R"("recipient_id":"b")", "x");
  room.Get("deregister_agent", R"({"agent_id":"a"})");
  room.Register("a");
  EXPECT_THAT(room.Send("a", R"("recipient_id":"b")", "x"),
              HasSubstr("agent a sent 3 messages within 60 s, the most it may"));
}

TEST_F(MessageBounds, ACallerSendsNoMoreByHavingManyAgents) {
  room.settings.most_messages = 2;
  room.caller = "mallory";
  for (int i = 0; i < kPacesOfACaller; ++i) {
    const std::string agent = "m" + std::to_string(i);
    room.Register(agent);
    for (int j = 0; j < 2; ++j) {
      EXPECT_THAT(room.Send(agent, R"("recipient_id":"b")", "x"), StartsWith("message_"));
    }
  }
  room.Register("another");
  EXPECT_THAT(room.Send("another", R"("recipient_id":"b")", "x"),
              HasSubstr("your agents sent 20 messages within 60 s, the most they may"));
  room.caller = "alice";
  room.Register("hers");
  EXPECT_THAT(room.Send("hers", R"("recipient_id":"b")", "x"), StartsWith("message_"));
}

// What everybody read goes first; what somebody is still to read stays, and more is refused.
TEST_F(MessageBounds, TakeNoMoreThanTheyMay) {
  room.settings.most_messages = 100'000;
  room.settings.max_message_bytes = 10'500;
  const std::string large(3000, 'x');
  room.Send("a", R"("recipient_id":"b")", "read");
  EXPECT_EQ(room.Contents("b"), "read");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(room.Send("a", R"("recipient_id":"b")", large), StartsWith("message_"));
  }
  EXPECT_EQ(
      room.Get("read_messages", R"({"agent_id":"a","sent":true})").at("messages").as_array().size(),
      3U)
      << "what b read went";
  EXPECT_THAT(room.Send("a", R"("recipient_id":"b")", large),
              HasSubstr("messages of 10500 bytes are kept already"));
  room.Get("deregister_agent", R"({"agent_id":"b"})");
  EXPECT_THAT(room.Send("a", R"("recipient_id":"c")", large), StartsWith("message_"))
      << "nobody is to read them any more";
  room.now += room.settings.retain_messages_ms;
  room.Sweep();
  EXPECT_EQ(Number("SELECT value FROM counter WHERE name = 'message_bytes'"), 0);
}

TEST_F(MessageBounds, NobodySpeaksAsTheServiceDoes) {
  EXPECT_EQ(room.Refusal("send_message", R"({"sender_id":"a","recipient_id":"b","content":"x",)"
                                         R"("message_type":"assistance_accepted"})"),
            "message_type assistance_accepted is what the service itself tells; use a word of your "
            "own");
}

// Whoever only looks leaves nothing behind.
TEST_F(MessageBounds, AreLookedForWithoutAnInbox) {
  room.Register("quiet");
  for (const char* tool : {"check_agent_responsiveness", "check_message_frequency"}) {
    EXPECT_EQ(room.Refusal(tool, R"({"agent_id":"quiet"})"), "");
  }
  EXPECT_EQ(room.Refusal("list_assistance", R"({"agent_id":"quiet"})"), "");
  EXPECT_EQ(room.Refusal("list_collaboration_sessions", R"({"agent_id":"quiet"})"), "");
  EXPECT_EQ(Number("SELECT count(*) FROM inbox WHERE agent = 'quiet'"), 0);
}

}  // namespace
}  // namespace switchyard::orchestration
