// Messages through their tools: who gets them, in which order, and who may read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/key_ring.h"
#include "unit/orchestration/coordination/talk.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

class AgentMessages : public ::testing::Test {
 protected:
  AgentMessages() {
    for (const char* agent : {"a", "b", "c"}) room.Register(agent);
  }
  static std::shared_ptr<const KeyRing> Keys(const std::vector<std::string>& texts) {
    std::vector<config::Secret> secrets;
    for (const std::string& text : texts) secrets.emplace_back(text);
    return std::make_shared<const KeyRing>(KeyRing::Read("orchestration.keys", secrets).value());
  }
  // Everything that is stored of messages, as text.
  std::string Stored() {
    const auto rows = room.Do([](Records& records) {
      return records.sql.Query("SELECT id, content, key_id FROM message ORDER BY id");
    });
    std::string all;
    for (const Database::Row& row : *rows) all += row.Text(1) + "|" + row.Text(2) + "\n";
    return all;
  }

  Talk room;
};

TEST_F(AgentMessages, AreReadOnceByThoseTheyWereSentTo) {
  EXPECT_EQ(room.Send("a", R"("recipient_id":"b")", "hello"), "message_00000001");
  EXPECT_EQ(room.Contents("c"), "");
  EXPECT_EQ(room.Contents("b"), "hello");
  EXPECT_EQ(room.Contents("b"), "");
  EXPECT_EQ(room.effects.read, 0);
  EXPECT_EQ(room.Contents("b", R"(,"include_read":true)"), "hello") << "one can look back";
}

TEST_F(AgentMessages, UrgentOnesComeFirstThenAsTheyCame) {
  room.Send("a", R"("recipient_id":"b","priority":"low")", "low");
  room.Send("a", R"("recipient_id":"b")", "first");
  room.Send("c", R"("recipient_id":"b")", "second");
  room.Send("c", R"("recipient_id":"b","urgent":true)", "urgent");
  EXPECT_EQ(room.Contents("b"), "urgent first second low");
}

TEST_F(AgentMessages, ComeInPagesUnreadBeforeRead) {
  for (int i = 1; i <= 5; ++i) room.Send("a", R"("recipient_id":"b")", std::to_string(i));
  EXPECT_EQ(room.Contents("b", R"(,"limit":2)"), "1 2");
  std::string all, cursor;
  for (int pages = 0; pages < 5; ++pages) {
    const json::object page = room.Get(
        "read_messages", R"({"agent_id":"b","limit":2,"include_read":true)" +
                             (cursor.empty() ? "" : R"(,"cursor":")" + cursor + "\"") + "}");
    all += Talk::ContentsOf(page) + ";";
    if (!page.contains("next_cursor")) break;
    cursor = page.at("next_cursor").as_string();
  }
  EXPECT_EQ(all, "3 4;5 2;1;") << "looking back marks nothing";
  EXPECT_EQ(room.Contents("b"), "3 4 5");
}

TEST_F(AgentMessages, ASenderSeesWhatWasDeliveredAndRead) {
  const auto status = [&] {
    const json::object sent = room.Get("read_messages", R"({"agent_id":"a","sent":true})");
    return std::string(sent.at("messages").as_array().front().at("status").as_string());
  };
  room.Send("a", R"("recipient_id":"b")", "x");
  EXPECT_EQ(status(), "queued");
  room.Contents("b", R"(,"mark_read":false)");
  EXPECT_EQ(status(), "delivered");
  room.Contents("b");
  EXPECT_EQ(status(), "read");
  room.now += 1;
  for (int i = 0; i < 3; ++i) room.Send("a", R"("recipient_id":"b")", std::to_string(i));
  const json::object page = room.Get("read_messages", R"({"agent_id":"a","sent":true,"limit":2})");
  EXPECT_EQ(Talk::ContentsOf(page), "2 1");
  EXPECT_EQ(room.Contents("a", R"(,"sent":true,"cursor":")" +
                                   std::string(page.at("next_cursor").as_string()) + "\""),
            "0 x");
}

TEST_F(AgentMessages, ASenderSeesToWhomTheyWentAndWhoHasNotReadThem) {
  const auto sent = [&] {
    return room.Get("read_messages", R"({"agent_id":"a","sent":true,"limit":1})")
        .at("messages")
        .as_array()
        .at(0)
        .as_object();
  };
  room.Send("a", R"("recipient_id":"b")", "x");
  EXPECT_EQ(sent().at("to"), json::value("b"));
  EXPECT_FALSE(sent().contains("unread_by"));
  for (int i = 0; i < 12; ++i) {
    room.Register("t" + std::to_string(10 + i), R"(,"group":"team")");
  }
  room.now += 1;
  room.Send("a", R"("group":"team")", "y");
  EXPECT_EQ(sent().at("to").as_array().size(), 10U) << "the first ten";
  EXPECT_EQ(sent().at("recipients"), json::value(12));
  room.Contents("t10");
  room.Get("deregister_agent", R"({"agent_id":"t11"})");
  const json::object team = sent();
  EXPECT_EQ(team.at("to"), json::parse(R"(["t10","t12","t13","t14","t15","t16","t17","t18","t19",)"
                                       R"("t20"])"))
      << "who is gone has no name any more";
  EXPECT_EQ(team.at("unread_by").as_array().size(), 9U);
  EXPECT_EQ(team.at("unread_by").at(0), json::value("t12"));
}

TEST_F(AgentMessages, GoToATeamToTheCapableAndToASession) {
  room.Register("d", R"(,"group":"g","capabilities":["x","y"])");
  room.Register("e", R"(,"group":"g","capabilities":["x"])");
  room.Send("d", R"("group":"g")", "team");
  room.Send("a", R"("required_capabilities":["x"])", "capable");
  EXPECT_EQ(room.Contents("d"), "capable") << "not to the sender";
  EXPECT_EQ(room.Contents("e"), "team capable");
  EXPECT_THAT(room.Refusal("send_message", R"({"sender_id":"a","content":"x","group":"none"})"),
              HasSubstr("no other agent of that kind"));
  EXPECT_THAT(room.Refusal("send_message", R"({"sender_id":"a","content":"x"})"),
              HasSubstr("in one way"));
  EXPECT_THAT(room.Refusal("send_message",
                           R"({"sender_id":"a","content":"x","recipient_id":"b","group":"g"})"),
              HasSubstr("in one way"));
}

TEST_F(AgentMessages, ToTooManyAreRefused) {
  for (int i = 0; i < 102; ++i) {
    room.Register("m" + std::to_string(i), R"(,"group":"g","capabilities":["x"])");
  }
  for (const char* to : {R"("group":"g")", R"("required_capabilities":["x"])"}) {
    EXPECT_THAT(
        room.Refusal("send_message", R"({"sender_id":"a","content":"x",)" + std::string(to) + "}"),
        HasSubstr("at most 100 agents"));
  }
}

TEST_F(AgentMessages, WhoSendsTooMuchIsToldWhenItMayAgain) {
  room.settings.most_messages = 3;
  for (int i = 0; i < 3; ++i) {
    room.Send("a", R"("recipient_id":"b")", "x");
    room.now += 1000;
  }
  const Result<Answer> refused =
      room.Call("send_message", R"({"sender_id":"a","recipient_id":"b","content":"x"})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kRateLimited);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(refused.error().message,
            "agent a sent 3 messages within 60 s, the most it may; the next one in 57 s");
  EXPECT_THAT(refused.error().data, HasSubstr(R"("retryAfterMs":57000)"));
  EXPECT_NE(room.Send("c", R"("recipient_id":"b")", "x"), "") << "others may";
  room.now += 57'000 - 1;
  EXPECT_FALSE(room.Call("send_message", R"({"sender_id":"a","recipient_id":"b","content":"x"})"));
  room.now += 1;
  EXPECT_TRUE(room.Call("send_message", R"({"sender_id":"a","recipient_id":"b","content":"x"})"));
}

TEST_F(AgentMessages, AFullInboxIsTold) {
  room.settings.most_messages = 100'000;
  room.Do([](Records& records) {
    return records.sql.Execute("UPDATE inbox SET unread = 1000 WHERE agent = 'b'");
  });
  room.Send("a", R"("recipient_id":"b")", "makes the inbox");
  room.Do([](Records& records) {
    return records.sql.Execute("UPDATE inbox SET unread = 1000 WHERE agent = 'b'");
  });
  EXPECT_THAT(room.Refusal("send_message", R"({"sender_id":"a","recipient_id":"b","content":"x"})"),
              HasSubstr("agent b has 1000 unread messages"));
}

TEST_F(AgentMessages, ConfidentialOnesNeedAKey) {
  EXPECT_THAT(
      room.Refusal("send_message",
                   R"({"sender_id":"a","recipient_id":"b","content":"x","confidential":true})"),
      HasSubstr("set orchestration.keys"));
  EXPECT_EQ(Stored(), "");
}

TEST_F(AgentMessages, ConfidentialOnesAreSealedAndReadByTheirRecipientsAlone) {
  room.settings.keys = Keys({std::string(64, 'a')});
  room.Send("a", R"("recipient_id":"b","confidential":true)", "the password is swordfish");
  EXPECT_THAT(Stored(), Not(HasSubstr("swordfish")));
  EXPECT_EQ(room.Contents("a", R"(,"sent":true)"), "the password is swordfish");
  EXPECT_EQ(room.Contents("c"), "");
  // Keys rotate: the new one encrypts, the old one still decrypts.
  room.settings.keys = Keys({std::string(64, 'b'), std::string(64, 'a')});
  EXPECT_EQ(room.Contents("b", R"(,"mark_read":false)"), "the password is swordfish");
  room.settings.keys = Keys({std::string(64, 'b')});
  const json::object gone = room.Get("read_messages", R"({"agent_id":"b","mark_read":false})");
  EXPECT_THAT(json::serialize(gone), HasSubstr("its key is not among orchestration.keys"));
  EXPECT_THAT(json::serialize(gone), Not(HasSubstr("swordfish")));
}

TEST_F(AgentMessages, AConfidentialOneThatIsPutIntoAnotherInboxDoesNotOpen) {
  room.settings.keys = Keys({std::string(64, 'a')});
  room.Send("c", R"("recipient_id":"a")", "makes c's inbox");
  room.Send("a", R"("recipient_id":"b","confidential":true)", "secret");
  room.Do([](Records& records) {
    return records.sql.Execute(
        "INSERT INTO delivery (box, message, rank, session, delivered_at, read_at) SELECT box, 2, "
        "1, 0, 0, 0 FROM inbox WHERE agent = 'c'");
  });
  EXPECT_THAT(json::serialize(room.Get("read_messages", R"({"agent_id":"c"})")),
              HasSubstr("unreadable"));
  // Nor does one that changed places with another.
  room.Send("a", R"("recipient_id":"b","confidential":true)", "other");
  room.Do([](Records& records) {
    return records.sql.Execute(
        "UPDATE message SET content = (SELECT content FROM message WHERE id = 2) WHERE id = 3");
  });
  EXPECT_THAT(json::serialize(room.Get("read_messages", R"({"agent_id":"b"})")),
              Not(HasSubstr("other")));
}

TEST_F(AgentMessages, BelongToTheCallersAgent) {
  room.caller = "alice";
  room.Register("alices");
  room.caller = "mallory";
  const std::string theirs = "registered by another caller";
  EXPECT_THAT(room.Refusal("read_messages", R"({"agent_id":"alices"})"), HasSubstr(theirs));
  EXPECT_THAT(
      room.Refusal("send_message", R"({"sender_id":"alices","recipient_id":"b","content":"x"})"),
      HasSubstr(theirs));
  EXPECT_THAT(room.Refusal("check_message_recipient_status", R"({"sender_id":"alices"})"),
              HasSubstr(theirs));
}

TEST_F(AgentMessages, WhoTakesAnIdOverDoesNotGetItsMessages) {
  room.Send("a", R"("recipient_id":"b")", "for the first b");
  room.Get("deregister_agent", R"({"agent_id":"b"})");
  room.caller = "mallory";
  room.Register("b");
  EXPECT_EQ(room.Contents("b", R"(,"include_read":true)"), "");
  EXPECT_EQ(room.Contents("b", R"(,"sent":true)"), "");
}

TEST_F(AgentMessages, OfOneWhoIsForgottenAreNobodysEither) {
  room.Send("a", R"("recipient_id":"b")", "for the first b");
  room.now += 8 * 24 * 3'600'000LL;
  EXPECT_TRUE(room.Do([](Records& records) { return Sweep(records); }).has_value());
  EXPECT_THAT(room.Refusal("get_agent_health", R"({"agent_id":"b"})"), HasSubstr("b"));
  room.caller = "mallory";
  room.Register("b");
  EXPECT_EQ(room.Contents("b", R"(,"include_read":true)"), "");
}

TEST_F(AgentMessages, AreAnsweredByThoseWhoKnowThem) {
  const std::string first = room.Send("a", R"("recipient_id":"b")", "?");
  EXPECT_EQ(room.Refusal("send_message", R"({"sender_id":"b","recipient_id":"a","content":"!",)"
                                         R"("reply_to":")" +
                                             first + "\"}"),
            "");
  EXPECT_THAT(room.Refusal("send_message", R"({"sender_id":"c","recipient_id":"a","content":"!",)"
                                           R"("reply_to":")" +
                                               first + "\"}"),
              HasSubstr("reply_to: there is no message " + first));
}

TEST_F(AgentMessages, AreForgottenInTime) {
  room.Send("a", R"("recipient_id":"b")", "old");
  room.now += room.settings.retain_messages_ms;
  room.Send("a", R"("recipient_id":"b")", "new");
  room.Sweep();
  EXPECT_EQ(room.Contents("b", R"(,"include_read":true,"mark_read":true)"), "new");
  EXPECT_EQ(room.Get("read_messages", R"({"agent_id":"b"})").at("unread"), json::value(0));
}

TEST_F(AgentMessages, APageHoldsNoMoreThanAnAgentCanTake) {
  room.settings.most_messages = 100;
  const std::string big(60 * 1024, 'x');
  for (int i = 0; i < 10; ++i) room.Send("a", R"("recipient_id":"b")", big);
  const json::object page = room.Get("read_messages", R"({"agent_id":"b"})");
  EXPECT_EQ(page.at("messages").as_array().size(), 5U);
  EXPECT_EQ(page.at("unread"), json::value(5));
  EXPECT_TRUE(page.contains("next_cursor"));
  EXPECT_THAT(room.Refusal("send_message", R"({"sender_id":"a","recipient_id":"b","content":")" +
                                               std::string(70'000, 'x') + "\"}"),
              HasSubstr("content must have 1 to 65536 bytes, got 70000"));
}

TEST_F(AgentMessages, BadCursorsAndIdsAreToldWhatIsAllowed) {
  for (const char* cursor : {"x", "u-1", "u--1-2", "q-1-2", "u-1-9999999999999999999", "u-1-2x"}) {
    EXPECT_EQ(room.Refusal("read_messages",
                           R"({"agent_id":"a","cursor":")" + std::string(cursor) + "\"}"),
              "cursor must be a next_cursor of the same list")
        << cursor;
  }
  EXPECT_THAT(room.Refusal("read_messages", R"({"agent_id":"a","session_id":"s"})"),
              HasSubstr("session_id: an id of a session reads like session_00000012"));
}

// ---- Checks -------------------------------------------------------------------------------------

TEST_F(AgentMessages, SilentAgentsAreSeen) {
  const auto responds = [&](const std::string& more = "") {
    return room.Get("check_agent_responsiveness", R"({"agent_id":"b")" + more + "}")
        .at("responsive")
        .as_bool();
  };
  EXPECT_TRUE(responds());
  room.now += 61'000;
  EXPECT_FALSE(responds());
  EXPECT_TRUE(responds(R"(,"threshold_seconds":120)"));
  room.Get("heartbeat", R"({"agent_id":"b","status":"error"})");
  EXPECT_FALSE(responds()) << "it says so itself";
}

TEST_F(AgentMessages, ASenderSeesWhoOfItsRecipientsResponds) {
  room.Send("a", R"("recipient_id":"b")", "1");
  room.Send("a", R"("recipient_id":"b")", "2");
  room.Send("a", R"("recipient_id":"c")", "3");
  room.now += 100'000;
  room.Contents("b", R"(,"limit":1)");
  EXPECT_EQ(json::value(room.Get("check_message_recipient_status", R"({"sender_id":"a"})")),
            json::parse(R"({"recipients":[
              {"agent_id":"b","responsive":true,"sent":2,"read":1,"seconds_since_heartbeat":0},
              {"agent_id":"c","responsive":false,"sent":1,"read":0,"seconds_since_heartbeat":100}],
              "unresponsive":1})"));
  EXPECT_EQ(
      room.Get("check_message_recipient_status", R"({"sender_id":"a","time_window_seconds":60})")
          .at("recipients"),
      json::array());
  EXPECT_EQ(
      json::value(room.Get("send_message", R"({"sender_id":"a","recipient_id":"c","content":"x"})"))
          .at("recipient_status"),
      json::value("unresponsive"));
}

TEST_F(AgentMessages, FloodsAreSeen) {
  const auto status = [&](const std::string& more = "") {
    return std::string(room.Get("check_message_frequency", R"({"agent_id":"a")" + more + "}")
                           .at("status")
                           .as_string());
  };
  for (int i = 0; i < 8; ++i) room.Send("a", R"("recipient_id":"b")", "x");
  EXPECT_EQ(status(), "normal");
  EXPECT_EQ(status(R"(,"frequency_threshold":10)"), "warning");
  EXPECT_EQ(status(R"(,"frequency_threshold":8)"), "flooding");
  room.now += 60'000;
  EXPECT_EQ(status(R"(,"frequency_threshold":8)"), "normal");
  EXPECT_EQ(status(R"(,"frequency_threshold":8,"time_window_seconds":120)"), "flooding");
}

}  // namespace
}  // namespace switchyard::orchestration
