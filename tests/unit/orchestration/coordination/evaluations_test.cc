// What agents think of what others contributed, and what of it counts.
#include "orchestration/coordination/evaluations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/orchestration/coordination/talk.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

class Evaluations : public ::testing::Test {
 protected:
  Evaluations() {
    room.Register("a");
    room.Register("b", R"(,"capabilities":["x"])");
    room.Register("c", R"(,"capabilities":["x"])");
  }
  json::object Evaluate(const std::string& who, const std::string& whom, const std::string& ref,
                        const std::string& more) {
    if (meet) Meet(who, whom);
    return room.Get("evaluate_contribution",
                    R"({"evaluating_agent_id":")" + who + R"(","contributing_agent_id":")" + whom +
                        R"(","contribution_ref":")" + ref + "\"," + more + "}");
  }
  // Or nobody would know that they had to do with each other.
  void Meet(const std::string& who, const std::string& whom) {
    room.Get("send_message",
             R"({"sender_id":")" + whom + R"(","recipient_id":")" + who + R"(","content":"done"})");
  }
  // A session; its id.
  std::string Open(const std::string& who, const std::string& whom) {
    const json::object made = room.Get("create_collaboration_session",
                                       R"({"title":"t","coordinator_model_id":")" + who +
                                           R"(","participant_model_ids":[")" + whom + "\"]}");
    return std::string(made.at("session_id").as_string());
  }
  double Quality(const std::string& agent) {
    const json::object health = room.Get("get_agent_health", R"({"agent_id":")" + agent + "\"}");
    return health.contains("quality") ? health.at("quality").as_double() : -1;
  }

  Talk room;
  bool meet = true;  // before they evaluate each other
};

// Whoever never met an agent does not make or break it.
TEST_F(Evaluations, OfWhatNobodyKnowsCountBetweenThoseWhoMet) {
  meet = false;
  const auto say = [this](const std::string& more) {
    return room.Get("evaluate_contribution", R"({"evaluating_agent_id":"a",)"
                                             R"("contributing_agent_id":"b","contribution_ref":)" +
                                                 more + "}");
  };
  const std::string never = R"("never happened","score":0)";
  const json::object said = say(never);
  EXPECT_EQ(said.at("counts"), json::value(false));
  EXPECT_EQ(said.at("reason"),
            json::value("b wrote a nothing and opened no session with it; name a "
                        "task, request or message of yours"));
  EXPECT_FALSE(said.contains("quality"));
  EXPECT_EQ(Quality("b"), -1);
  EXPECT_FALSE(room.Get("get_agent_statistics").contains("avg_quality"));
  room.Send("a", R"("recipient_id":"b")", "to whom it matters");
  EXPECT_TRUE(say(never).contains("counts")) << "who was written to contributed nothing by that";
  room.Send("b", R"("recipient_id":"a")", "what it did");
  EXPECT_FALSE(say(never).contains("counts"));
  EXPECT_EQ(Quality("b"), 0);
  // A session that it opened does, too.
  const auto of_c = [this] { return Evaluate("c", "b", "talk", R"("score":1)"); };
  EXPECT_EQ(of_c().at("counts"), json::value(false));
  Open("b", "c");
  EXPECT_EQ(of_c().at("quality"), json::value(0.5));
}

// What others do to an agent brings it no votes: to invite it, to ask it, or to look at its work.
TEST_F(Evaluations, OfWhomNobodyAskedDoNotCount) {
  meet = false;
  const auto counts = [this](const std::string& ref) {
    const json::object said = Evaluate("c", "b", ref, R"("score":0)");
    EXPECT_FALSE(said.contains("error")) << json::serialize(said);
    return !said.contains("counts");
  };
  const std::string session = Open("c", "b");
  EXPECT_FALSE(counts("talk"));
  EXPECT_FALSE(counts(session)) << "it did not even see it";
  const std::string request(room.Get("request_assistance",
                                     R"({"requesting_agent_id":"c","task_description":"help",)"
                                     R"("target_agent_id":"b"})")
                                .at("request_id")
                                .as_string());
  room.Get("respond_to_assistance", R"({"request_id":")" + request +
                                        R"(","agent_id":"b","action":"decline","response":"no"})");
  const json::object read = room.Get("read_messages", R"({"agent_id":"c"})");
  const json::value declined = read.at("messages").at(0).at("id");
  EXPECT_FALSE(counts("talk"));
  EXPECT_FALSE(counts(std::string(declined.as_string())));
  EXPECT_THAT(json::serialize(Evaluate("c", "b", request, R"("score":0)")), HasSubstr("no part"));
  // Nor what it did for another one.
  const std::string message = room.Send("b", R"("recipient_id":"a")", "x");
  EXPECT_FALSE(counts(message));
  EXPECT_EQ(Quality("b"), -1);
  room.Send("b", R"("session_id":")" + session + "\"", "here I am");
  EXPECT_TRUE(counts(session));
  EXPECT_EQ(Quality("b"), 0);
}

TEST_F(Evaluations, OfATaskAreOfThoseForWhomItWas) {
  meet = false;
  room.caller = "alice";
  const std::string task = room.Create("x");
  const std::string whole = room.Create("whole");
  const std::string part = room.Create("part", R"(,"parent":")" + whole + "\"");
  const std::string later = room.Create("later", R"(,"depends_on":[")" + part + "\"]");
  const auto assign = [this](const std::string& id, const char* agent) {
    ASSERT_EQ(
        room.Refusal("assign_task", Room::Id(id, R"(,"agent_id":")" + std::string(agent) + "\"")),
        "");
  };
  assign(task, "b");
  assign(part, "b");
  assign(whole, "a");
  const auto counts = [this](const char* who, const std::string& ref) {
    room.caller = "";
    const json::object said = Evaluate(who, "b", ref, R"("score":1)");
    room.caller = "alice";
    EXPECT_FALSE(said.contains("error")) << json::serialize(said);
    return !said.contains("counts");
  };
  EXPECT_FALSE(counts("c", task)) << "whose id anybody may know";
  EXPECT_FALSE(counts("a", task));
  EXPECT_FALSE(counts("c", part));
  EXPECT_TRUE(counts("a", part)) << "it has the whole";
  room.Get("start_task", Room::Id(part));
  ASSERT_EQ(room.Refusal("complete_task", Room::Id(part)), "");
  EXPECT_FALSE(counts("c", part));
  assign(later, "c");
  EXPECT_TRUE(counts("c", part)) << "its own task waited for that";
  EXPECT_FALSE(counts("c", task));
  EXPECT_FALSE(Evaluate("c", "b", task, R"("score":1)").contains("counts")) << "alice created it";
}

TEST_F(Evaluations, WithoutANumberSaySo) {
  const std::string task = room.Create("x");
  ASSERT_EQ(room.Claim("b"), task);
  const json::object words =
      Evaluate("a", "b", task, R"("evaluation_criteria":{"style":"high","tone":true})");
  EXPECT_EQ(words.at("counts"), json::value(false));
  EXPECT_EQ(words.at("reason"),
            json::value("there is no score, and no number in evaluation_criteria"));
  EXPECT_EQ(words.at("ignored"), json::parse(R"(["style","tone"])"));
  const json::object both =
      Evaluate("a", "b", task, R"("evaluation_criteria":{"style":"high","right":0.5})");
  EXPECT_EQ(both.at("quality"), json::value(0.5));
  EXPECT_EQ(both.at("ignored"), json::parse(R"(["style"])"));
  EXPECT_FALSE(both.contains("counts"));
}

TEST_F(Evaluations, MakeAnAgentsQualityWhichRoutingGoesBy) {
  EXPECT_EQ(room.Get("find_capable_agents", R"({"requirements":["x"]})")
                .at("agents")
                .at(0)
                .at("agent_id"),
            json::value("b"));
  EXPECT_EQ(Quality("b"), -1);
  EXPECT_EQ(Evaluate("a", "b", "draft", R"("score":0.2)").at("quality"), json::value(0.2));
  EXPECT_EQ(
      Evaluate("a", "c", "draft", R"("evaluation_criteria":{"clear":1,"right":0.8,"why":"x"})")
          .at("score"),
      json::value(0.9));
  const json::value ranked =
      room.Get("find_capable_agents", R"({"requirements":["x"]})").at("agents");
  EXPECT_EQ(ranked.at(0).at("agent_id"), json::value("c"));
  EXPECT_THAT(std::string(ranked.at(1).at("reason").as_string()), HasSubstr("20% quality"));
  EXPECT_EQ(room.Get("get_agent_statistics").at("avg_quality"), json::value(0.55));
}

TEST_F(Evaluations, EachVoterHasOneVote) {
  for (int i = 0; i < 10; ++i) Evaluate("a", "b", "work " + std::to_string(i), R"("score":0)");
  Evaluate("c", "b", "work 0", R"("score":1)");
  EXPECT_EQ(Quality("b"), 0.5);
  Evaluate("c", "b", "work 0", R"("score":0.5)");
  EXPECT_EQ(Quality("b"), 0.25) << "said again, it replaces what was said";
  Evaluate("c", "b", "work 0", R"("comments":"no score")");
  EXPECT_EQ(Quality("b"), 0);
  // One caller is one voter, whatever agents it has.
  room.caller = "mallory";
  for (const char* name : {"m1", "m2", "m3"}) {
    room.Register(name);
    Evaluate(name, "b", std::string("by ") + name, R"("score":1)");
  }
  EXPECT_EQ(Quality("b"), 0.5);
}

TEST_F(Evaluations, AreOfWhatTheOtherDid) {
  const std::string task = room.Create("x");
  EXPECT_EQ(room.Claim("b"), task);
  const std::string message = room.Send("c", R"("recipient_id":"a")", "x");
  const auto refusal = [&](const char* whom, const std::string& ref) {
    const json::object got = Evaluate("a", whom, ref, R"("score":1)");
    return got.contains("error") ? std::string(got.at("error").as_string()) : "";
  };
  EXPECT_EQ(refusal("b", task), "");
  EXPECT_THAT(refusal("c", task), HasSubstr("agent c had no part in " + task));
  EXPECT_EQ(refusal("c", message), "");
  EXPECT_THAT(refusal("b", message), HasSubstr("no part"));
  EXPECT_THAT(refusal("b", "session_00000001"), HasSubstr("no part"));
  EXPECT_THAT(refusal("b", "assistance_00000001"), HasSubstr("no part"));
  EXPECT_THAT(refusal("a", "x"), HasSubstr("does not evaluate itself"));
  EXPECT_THAT(refusal("nobody", "x"), HasSubstr("there is no agent nobody"));
  for (const char* more : {R"("score":1.5)", R"("score":"good")",
                           R"("evaluation_criteria":{"x":2})", R"("evaluation_criteria":[1])"}) {
    EXPECT_TRUE(Evaluate("a", "b", "x", more).contains("error")) << more;
  }
}

TEST_F(Evaluations, OfOneWhoLeftAreNobodys) {
  Evaluate("a", "b", "draft", R"("score":0)");
  room.Get("deregister_agent", R"({"agent_id":"b"})");
  room.Register("b", R"(,"capabilities":["x"])");
  EXPECT_EQ(Quality("b"), -1);
  EXPECT_EQ(Evaluate("a", "b", "draft", R"("score":1)").at("quality"), json::value(1.0));
  room.now += room.settings.retain_ms;
  room.Sweep();
  EXPECT_EQ(Quality("b"), -1) << "they go with what they made";
}

// Who proves nothing has as many names as it likes: what it said is worth something while it stays.
TEST_F(Evaluations, OfAVoterThatNobodyProvedGoWithIt) {
  EXPECT_EQ(Evaluate("c", "b", "x", R"("score":1)").at("quality"), json::value(1.0));
  EXPECT_THAT(room.effects.agents, ::testing::Contains("b")) << "its view reads otherwise";
  for (int i = 0; i < 3; ++i) {
    room.Register("new");
    Evaluate("new", "b", "work", R"("score":0)");
    EXPECT_EQ(Quality("b"), 0.5);
    room.Get("deregister_agent", R"({"agent_id":"new"})");
    EXPECT_EQ(Quality("b"), 1);
  }
  room.caller = "alice";
  room.Register("hers");
  Evaluate("hers", "b", "work", R"("score":0)");
  room.Get("deregister_agent", R"({"agent_id":"hers"})");
  EXPECT_EQ(Quality("b"), 0.5) << "it was alice who said it";
}

TEST_F(Evaluations, AreNoMoreThanThereMayBe) {
  for (int i = 0; i < 12; ++i) {
    Evaluate("a", "b", "work " + std::to_string(i), i < 10 ? R"("score":0)" : R"("score":1)");
    room.now += 1;
  }
  EXPECT_EQ(Quality("b"), 0.17);
  room.Do([](Records& records) {
    return records.sql.Execute("UPDATE counter SET value = $1 WHERE name = 'evaluations'",
                               {kMostEvaluations});
  });
  Evaluate("a", "b", "work 12", R"("score":1)");
  EXPECT_EQ(Quality("b"), 1) << "the ten oldest went";
}

TEST_F(Evaluations, AreNotOfWhatAnotherDidUnderTheSameName) {
  const std::string task = room.Create("x");
  EXPECT_EQ(room.Claim("b"), task);
  room.Get("start_task", Room::Id(task));
  room.Get("complete_task", Room::Id(task));
  EXPECT_FALSE(Evaluate("a", "b", task, R"("score":1)").contains("error"));
  room.now += 1;
  room.Get("deregister_agent", R"({"agent_id":"b"})");
  room.Register("b");
  EXPECT_THAT(json::serialize(Evaluate("a", "b", task, R"("score":1)")), HasSubstr("had no part"));
}

}  // namespace
}  // namespace switchyard::orchestration
