// Resources, listens and tasks that clients follow, at the service on a worker.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/waiting/listen.h"
#include "unit/orchestration/service_fixture.h"

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

TEST(Subjects, AreWhatAUriNames) {
  EXPECT_EQ(SubjectOf("orchestration://queue"), Subject());
  EXPECT_EQ(SubjectOf("orchestration://tasks/task_00000012"), Subject{.task = 12});
  EXPECT_EQ(SubjectOf("orchestration://agents/a%20b%2fc"), (Subject{.task = 0, .agent = "a b/c"}));
  for (const char* none :
       {"", "orchestration://", "orchestration://queue/", "orchestration://tasks/",
        "orchestration://tasks/12", "orchestration://tasks/task_1x", "orchestration://agents/",
        "orchestration://agents/%", "orchestration://agents/%4", "orchestration://agents/%zz",
        "orchestration://agents/a%00", "orchestration://agents/%0a", "orchestration://agents/%ff",
        "orchestration://agents/%c3%28", "x://queue"}) {
    EXPECT_EQ(SubjectOf(none), std::nullopt) << none;
  }
  EXPECT_EQ(SubjectOf("orchestration://agents/" + std::string(kMaxId + 1, 'a')), std::nullopt);
}

class Waiting : public ServiceFixture {
 protected:
  void Do(const std::string& tool, const std::string& arguments) {
    const mcp::Message answer = CallTool(tool, arguments);
    EXPECT_FALSE(answer.Has(mcp::Key::kIsError)) << answer.ToText();
  }
  std::string Read(const std::string& uri) {
    const mcp::Message answer = Ask("resources/read", R"({"uri":")" + uri + "\"}", uri);
    if (answer.kind() == mcp::Kind::kError) return std::string(answer.error());
    const json::value contents = json::parse(answer.Get(mcp::Key::kContents));
    EXPECT_EQ(contents.at(0).at("uri").as_string(), uri);
    EXPECT_EQ(contents.at(0).at("mimeType").as_string(), "application/json");
    return std::string(contents.at(0).at("text").as_string());
  }

  // What it is told, one after the other; "" = nothing is due.
  class Listener {
   public:
    Listener(Waiting& test, const std::string& filter)
        : test_(test),
          call_(test.CallOf("subscriptions/listen", R"({"notifications":)" + filter + "}")) {
      Result<ReplyPtr> reply = test_.loop.Run(test_.service.Handle(call_));
      EXPECT_TRUE(reply.has_value()) << reply.error().message;
      reply_ = std::move(*reply);
      acknowledged = Next();
    }
    std::string Next() {
      if (pulling_ == nullptr) {
        got_ = std::make_shared<std::optional<std::string>>();
        pulling_ = std::make_unique<TaskHandle>(test_.loop.deps().executor(), "pull",
                                                Pull(reply_.get(), got_));
      }
      for (int i = 0; i < 50 && !got_->has_value(); ++i) {
        test_.CallTool("get_queue_metrics", "{}");  // the database has done what came before
        test_.loop.RunReady();
      }
      if (!got_->has_value()) return "";
      pulling_ = nullptr;
      return std::move(**got_);
    }
    std::string acknowledged;

   private:
    static switchyard::Task<void> Pull(Reply* reply,
                                       std::shared_ptr<std::optional<std::string>> got) {
      auto next = co_await reply->Next();
      *got = next ? (*next)->ToText() : "error: " + next.error().message;
    }
    Waiting& test_;
    Call call_;
    ReplyPtr reply_;
    std::shared_ptr<std::optional<std::string>> got_;
    std::unique_ptr<TaskHandle> pulling_;
  };
  void Pass(Duration time) { loop.Pass(time); }
  static switchyard::Task<void> Handle(Service* at, Call* call,
                                       std::optional<Result<ReplyPtr>>* into) {
    *into = co_await at->Handle(*call);
  }
};

constexpr const char* kOne = R"({"task_id":"task_00000001"})";

TEST_F(Waiting, ResourcesReadAsTheToolsSay) {
  Do("register_agent", R"({"agent_id":"a b"})");
  Do("create_task", R"({"content":"x"})");
  EXPECT_EQ(Read("orchestration://tasks/task_00000001"),
            CallTool("get_task_status", kOne).Get(mcp::Key::kStructuredContent));
  EXPECT_EQ(
      Read("orchestration://agents/a%20b"),
      CallTool("get_agent_health", R"({"agent_id":"a b"})").Get(mcp::Key::kStructuredContent));
  EXPECT_EQ(Read("orchestration://queue"),
            CallTool("get_queue_metrics", "{}").Get(mcp::Key::kStructuredContent));
  for (const char* none : {"orchestration://tasks/task_00000002", "orchestration://agents/b",
                           "orchestration://nothing"}) {
    EXPECT_THAT(Read(none), HasSubstr(std::string("resource not found: ") + none));
  }
}

TEST_F(Waiting, AListenHearsOfWhatItNamesAndOfNothingElse) {
  Do("register_agent", R"({"agent_id":"a"})");
  Do("create_task", R"({"content":"x"})");
  Do("create_task", R"({"content":"y"})");
  Listener listener(*this, R"({"resourceSubscriptions":["orchestration://tasks/task_00000001",)"
                           R"("orchestration://tasks/task_00000009","x://y"]})");
  EXPECT_THAT(listener.acknowledged,
              HasSubstr(R"("resourceSubscriptions":["orchestration://tasks/task_00000001"])"));
  EXPECT_THAT(listener.acknowledged, HasSubstr(R"("io.modelcontextprotocol/subscriptionId":1)"));
  Do("cancel_task", R"({"task_id":"task_00000002"})");
  EXPECT_EQ(listener.Next(), "");
  Do("assign_task", R"({"task_id":"task_00000001","agent_id":"a"})");
  EXPECT_THAT(listener.Next(), HasSubstr(R"("uri":"orchestration://tasks/task_00000001")"));
}

TEST_F(Waiting, ManyChangesAreOneUpdateAndTheLastIsNotLost) {
  Do("register_agent", R"({"agent_id":"a"})");
  Listener listener(
      *this, R"({"resourceSubscriptions":["orchestration://queue","orchestration://agents/a"]})");
  Do("create_task", R"({"content":"x"})");
  EXPECT_THAT(listener.Next(), HasSubstr("orchestration://queue"));
  for (int i = 0; i < 20; ++i) Do("create_task", R"({"content":"x"})");
  Do("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  EXPECT_EQ(listener.Next(), "") << "there is a pause between rounds";
  Pass(kPauseOfUpdates);
  EXPECT_THAT(listener.Next(), HasSubstr("orchestration://agents/a"));
  EXPECT_THAT(listener.Next(), HasSubstr("orchestration://queue"));
  Pass(kPauseOfUpdates);
  EXPECT_EQ(listener.Next(), "");
}

TEST_F(Waiting, WhatWasRefusedChangedNothing) {
  Do("create_task", R"({"content":"x"})");
  Listener listener(*this, R"({"resourceSubscriptions":["orchestration://queue"]})");
  EXPECT_TRUE(CallTool("complete_task", kOne).Has(mcp::Key::kIsError));
  EXPECT_EQ(listener.Next(), "");
}

TEST_F(Waiting, AnAgentThatFallsSilentIsTold) {
  Do("register_agent", R"({"agent_id":"a"})");
  Listener listener(*this, R"({"resourceSubscriptions":["orchestration://agents/a"]})");
  desk->Tick();
  EXPECT_EQ(listener.Next(), "");
  Pass(std::chrono::milliseconds(Settings().away_ms + 1));
  desk->Tick();
  EXPECT_THAT(listener.Next(), HasSubstr("orchestration://agents/a"));
  EXPECT_THAT(Read("orchestration://agents/a"), HasSubstr(R"("status":"offline")"));
  Pass(kPauseOfUpdates);
  Do("heartbeat", R"({"agent_id":"a"})");
  EXPECT_THAT(listener.Next(), HasSubstr("orchestration://agents/a"));
}

TEST_F(Waiting, ListensAreBoundedAndGone) {
  std::string uris;
  for (std::size_t i = 0; i <= kMaxListened; ++i) uris += std::string(i == 0 ? "" : ",") + "\"x\"";
  for (const std::string& filter :
       {R"({"resourceSubscriptions":[)" + uris + "]}", std::string(R"({"taskIds":1})"),
        std::string(R"({"taskIds":[1]})")}) {
    EXPECT_THAT(Ask("subscriptions/listen", R"({"notifications":)" + filter + "}").error(),
                HasSubstr("lists of at most 1000 strings"));
  }
  {
    const Listener listener(*this, R"({"resourceSubscriptions":["orchestration://queue"]})");
    EXPECT_EQ(desk->watches().size(), 1U);
  }
  loop.RunReady();
  EXPECT_EQ(desk->watches().size(), 0U);
}

TEST_F(Waiting, AListenToNothingEnds) {
  Listener listener(*this, R"({"toolsListChanged":true})");
  EXPECT_THAT(listener.acknowledged, HasSubstr(R"("notifications":{})"));
  EXPECT_THAT(listener.Next(), HasSubstr(R"("resultType":"complete")"));
}

// ---- Waiting for a task -----------------------------------------------------------------------

TEST_F(Waiting, AwaitTaskAnswersWhenItsTimeIsOver) {
  Do("create_task", R"({"content":"x"})");
  const mcp::Message answer = CallTool("await_task", R"({"task_id":"task_00000001","wait_ms":0})");
  EXPECT_EQ(answer.Get(mcp::Key::kStructuredContent),
            R"({"task_id":"task_00000001","status":"pending"})");
}

TEST_F(Waiting, AwaitTaskAnswersWhenTheTaskIsOver) {
  Do("create_task", R"({"content":"x"})");
  Call call =
      CallOf("tools/call",
             R"({"name":"orchestration_await_task","arguments":{"task_id":"task_00000001"}})",
             "orchestration_await_task");
  std::optional<Result<ReplyPtr>> reply;
  const TaskHandle waiting(loop.deps().executor(), "await", Handle(&service, &call, &reply));
  Do("update_task", R"({"task_id":"task_00000001","priority":"high"})");
  loop.RunReady();
  EXPECT_FALSE(reply.has_value());
  Do("cancel_task", R"({"task_id":"task_00000001","reason":"no"})");
  ASSERT_TRUE(loop.RunUntil([&] { return reply.has_value(); }));
  EXPECT_THAT(loop.Run((**reply)->Next()).value()->Get(mcp::Key::kStructuredContent),
              HasSubstr(R"("status":"cancelled","error":"no")"));
}

class Followed : public Waiting {
 protected:
  Followed() { tasks = switchyard::Tasks::kAccepted; }
  mcp::Message About(const std::string& method) {
    return Ask("tasks/" + method, R"({"taskId":"task_00000001"})", "task_00000001");
  }
  json::value Get() { return json::parse(About("get").result()); }
};

TEST_F(Followed, GoesByTheLifecycle) {
  Do("register_agent", R"({"agent_id":"a"})");
  Do("create_task", R"({"content":"x"})");
  const json::value made = json::parse(CallTool("await_task", kOne).result());
  EXPECT_EQ(made.at("resultType"), "task");
  EXPECT_EQ(made.at("taskId"), "task_00000001");
  EXPECT_EQ(made.at("status"), "working");
  EXPECT_TRUE(made.at("ttlMs").is_int64() && made.at("pollIntervalMs").is_int64());
  EXPECT_EQ(Get().at("status"), "working");
  EXPECT_EQ(Get().at("resultType"), "complete");
  Do("assign_task", R"({"task_id":"task_00000001","agent_id":"a"})");
  EXPECT_EQ(Get().at("statusMessage"), "assigned by a");
  Do("start_task", kOne);
  EXPECT_EQ(Get().at("status"), "working");
  Do("complete_task", R"({"task_id":"task_00000001","result":{"n":12345678901234567890123}})");
  EXPECT_EQ(Get().at("status"), "completed");
  EXPECT_THAT(About("get").result(), HasSubstr(R"("result":{"n":12345678901234567890123})"));
  EXPECT_EQ(json::parse(CallTool("await_task", kOne).result()).at("resultType"), "complete")
      << "there is nothing left to follow";
}

TEST_F(Followed, AFailureIsAToolsError) {
  Do("create_task", R"({"content":"x"})");
  Do("fail_task", R"({"task_id":"task_00000001","error":"lost"})");
  const json::value task = Get();
  EXPECT_EQ(task.at("status"), "completed");
  EXPECT_EQ(task.at("result").at("isError"), true);
  EXPECT_EQ(task.at("result").at("content").at(0).at("text"), "task_00000001 failed: lost");
}

TEST_F(Followed, IsCancelled) {
  Do("create_task", R"({"content":"x"})");
  EXPECT_EQ(json::parse(About("cancel").result()).at("resultType"), "complete");
  EXPECT_EQ(Get().at("status"), "cancelled");
  EXPECT_EQ(About("cancel").kind(), mcp::Kind::kResult) << "what is over stays so, without a word";
  EXPECT_EQ(About("update").kind(), mcp::Kind::kResult);
}

TEST_F(Followed, AnothersTaskIsNotCancelled) {
  caller = MakeCaller({.subject = "alice"});
  Do("create_task", R"({"content":"x"})");
  caller = MakeCaller({.subject = "mallory"});
  EXPECT_THAT(About("cancel").error(), HasSubstr("created by another caller"));
  EXPECT_EQ(Get().at("status"), "working");
}

TEST_F(Followed, WhatIsNotThereIsUnknown) {
  EXPECT_THAT(About("get").error(), HasSubstr("unknown task"));
  EXPECT_THAT(About("cancel").error(), HasSubstr("unknown task"));
  EXPECT_THAT(Ask("tasks/get", "{}", "x").error(), HasSubstr("unknown task"));
}

TEST_F(Followed, OnlyWhoAsksForItFollowsWhatItCreates) {
  EXPECT_FALSE(CallTool("create_task", R"({"content":"x"})").Has(mcp::Key::kTaskId));
  tasks = switchyard::Tasks::kWanted;
  EXPECT_EQ(CallTool("create_task", R"({"content":"x"})").GetString(mcp::Key::kTaskId),
            "task_00000002");
  EXPECT_FALSE(CallTool("get_task_status", kOne).Has(mcp::Key::kTaskId));
}

TEST_F(Followed, IsToldOfToWhoListens) {
  Do("create_task", R"({"content":"x"})");
  Listener listener(*this, R"({"taskIds":["task_00000001","task_00000002"]})");
  EXPECT_THAT(listener.acknowledged, HasSubstr(R"("taskIds":["task_00000001"])"));
  Do("cancel_task", R"({"task_id":"task_00000001","reason":"no"})");
  const json::value told = json::parse(listener.Next());
  EXPECT_EQ(told.at("method"), "notifications/tasks");
  EXPECT_EQ(told.at("params").at("taskId"), "task_00000001");
  EXPECT_EQ(told.at("params").at("status"), "cancelled");
  EXPECT_EQ(told.at("params").at("_meta").at("io.modelcontextprotocol/subscriptionId"), 1);
}

TEST_F(Followed, IsToldOfLaterWhereTheDatabaseIsBusy) {
  Do("create_task", R"({"content":"x"})");
  Listener listener(*this, R"({"taskIds":["task_00000001"]})");
  Do("cancel_task", R"({"task_id":"task_00000001","reason":"no"})");
  busy.Refuse(0, 10);
  EXPECT_EQ(listener.Next(), "");
  Pass(kPauseOfUpdates);
  EXPECT_THAT(listener.Next(), HasSubstr(R"("status":"cancelled")"));
}

TEST_F(Waiting, RolesAreAskedForOfTheCaller) {
  auto roles = std::make_shared<Roles>();
  roles->of[static_cast<std::size_t>(Right::kRegister)] = std::vector<std::string>{"lead"};
  roles->of[static_cast<std::size_t>(Right::kCancel)] = std::vector<std::string>{"lead"};
  desk->Change({.roles = roles});
  EXPECT_THAT(CallTool("register_agent", R"({"agent_id":"a"})").result(),
              HasSubstr("register_agent needs the right to register; callers with role lead"));
  Do("create_task", R"({"content":"x"})");
  EXPECT_THAT(Ask("tasks/cancel", R"({"taskId":"task_00000001"})", "task_00000001").error(),
              HasSubstr("needs the right to cancel"));
  caller = MakeCaller({.subject = "s", .roles = {"lead"}});
  Do("register_agent", R"({"agent_id":"a"})");
}

}  // namespace
}  // namespace switchyard::orchestration
