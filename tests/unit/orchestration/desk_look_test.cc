// The desk's look at the clock: leases, jumps, what goes on by itself, and what it costs.
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/dependencies.h"
#include "unit/orchestration/desk_room.h"

namespace switchyard::orchestration {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

class OrchestrationTime : public OrchestrationDesk {
 protected:
  OrchestrationTime() {
    Call("register_agent", R"({"agent_id":"a"})");
    Call("create_task", R"({"content":"x","max_attempts":1})");
    Call("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  }
  void Tick() {
    desk->Tick();
    Settle();
  }
};

TEST_F(OrchestrationTime, ALeaseRunsOutWithTheTimeThatPasses) {
  clock.Pass(minutes(5) - seconds(1));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(seconds(1));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AWallClockThatIsSetForwardTakesNoTaskAway) {
  clock.SetBy(hours(3));
  Call("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  EXPECT_EQ(Call("get_agent_health", R"({"agent_id":"a"})"), "a working");
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AWallClockThatIsSetBackKeepsNoDeadAgentsTask) {
  clock.SetBy(-hours(3));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AJumpForgetsNothingUntilItIsTrusted) {
  Call("cancel_task", R"({"task_id":"task_00000001"})");
  clock.SetBy(hours(24 * 30));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 cancelled");
  clock.Pass(hours(1));
  Tick();
  EXPECT_THAT(StatusOf(1), HasSubstr("there is no task"));
}

TEST_F(OrchestrationTime, ALeaseGoesOnWithTheGateway) {
  clock.Pass(hours(3));  // it was down: nobody could say anything
  desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

// A gateway that is killed again and again: what it runs is time of the lease, what it is down not.
TEST_F(OrchestrationTime, HoweverOftenItStartsALeaseIsOverAfterItsTime) {
  for (int i = 0; i < 3; ++i) {
    clock.Pass(seconds(99));
    Tick();
    clock.Pass(hours(1));
    desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
    Tick();
    EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  }
  clock.Pass(seconds(3));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AfterAStartThereIsTimeForAFirstWord) {
  clock.Pass(minutes(5) - std::chrono::milliseconds(1));
  Tick();
  desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a") << "after what it began with";
  clock.Pass(std::chrono::milliseconds(1999));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(std::chrono::milliseconds(1));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AJumpBetweenTwoStartsIsNoTimeOfALease) {
  clock.Pass(seconds(299));
  Tick();
  clock.SetBy(hours(3));
  Tick();
  clock.SetBy(-hours(24 * 30));
  desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(seconds(2));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, WhereNobodyHasAnythingNothingIsWritten) {
  const auto alive = [this] { return Number("SELECT value FROM counter WHERE name = 'alive_at'"); };
  const std::int64_t before = alive();
  clock.Pass(seconds(1));
  Tick();
  EXPECT_EQ(alive(), before + 1000);
  Call("cancel_task", R"({"task_id":"task_00000001"})");
  clock.Pass(seconds(1));
  Tick();
  EXPECT_EQ(alive(), before + 1000);
  Call("acquire_file_lock", R"({"agent_id":"a","file_path":"x"})");
  Tick();
  EXPECT_EQ(alive(), before + 2000);
}

// What comes behind a look that failed, maybe in the same commit, goes by the time before: the
// leases have not moved.
TEST_F(OrchestrationTime, AJumpThatCannotBeFollowedTakesNoTaskAway) {
  Run("ALTER TABLE releasing RENAME TO gone");
  clock.SetBy(hours(3));
  Hold();
  desk->Tick();
  const auto poll = Begin("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  Release();
  EXPECT_TRUE(poll->over());
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  Run("ALTER TABLE gone RENAME TO releasing");
  Tick();
  Call("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 failed");
}

TEST_F(OrchestrationTime, AnAwaitSeesNoLeaseThatHasNotMovedYetAndForgetsNothing) {
  Call("create_task", R"({"content":"over"})");
  Call("cancel_task", R"({"task_id":"task_00000002"})");
  clock.SetBy(hours(24 * 30));
  const std::string await = R"({"task_id":"task_00000001","wait_ms":0})";
  EXPECT_EQ(Call("await_task", await), "task_00000001 assigned");
  Tick();
  EXPECT_EQ(Call("await_task", await), "task_00000001 assigned");
  EXPECT_EQ(StatusOf(2), "task_00000002 cancelled");
}

// Whoever has it is as fast as it was.
TEST_F(OrchestrationTime, AJumpIsNoTimeThatATaskTook) {
  Call("start_task", R"({"task_id":"task_00000001"})");
  clock.SetBy(hours(24 * 365));
  Tick();
  clock.Pass(seconds(2));
  Call("complete_task", R"({"task_id":"task_00000001"})");
  const auto health = Begin("get_agent_health", R"({"agent_id":"a","fields":["latency_ms"]})");
  Settle();
  ASSERT_TRUE(health->over() && health->answer->has_value());
  EXPECT_EQ((*health->answer)->content.at("latency_ms"), boost::json::value(2000));
}

TEST_F(OrchestrationTime, AJumpEndsNoRequestAndForgetsNoMessage) {
  Call("register_agent", R"({"agent_id":"b"})");
  Call("request_assistance",
       R"({"requesting_agent_id":"a","task_description":"d","target_agent_id":"b"})");
  clock.SetBy(hours(24 * 30));
  Tick();
  EXPECT_THAT(Call("respond_to_assistance",
                   R"({"request_id":"assistance_00000001","agent_id":"b","response":"r"})"),
              HasSubstr("answered"));
  EXPECT_EQ(Call("read_messages", R"({"agent_id":"b"})"), "1 message, 0 more unread");
}

// A gateway that stops says nothing of a database that is closed already.
TEST_F(OrchestrationTime, NobodyLooksOnceTheGatewayStops) {
  desk->EndWaits();
  clock.Pass(minutes(5));
  Tick();
  EXPECT_EQ(StatusOf(1), "task_00000001 assigned by a");
}

// Keeps what was asked since Forget().
class Heard final : public Database {
 public:
  explicit Heard(Database& inner) : inner_(inner) {}
  using Database::Submit;
  void Submit(Work work, Done done, Company company) override {
    inner_.Submit(
        [this, work = std::move(work)](Transaction& sql) mutable {
          Listener listener(sql, *this);
          return work(listener);
        },
        std::move(done), company);
  }
  // Of the engine's thread; ask while it has nothing to do.
  int Count(std::string_view part) const {
    return static_cast<int>(std::ranges::count_if(
        heard_, [part](const std::string& sql) { return sql.contains(part); }));
  }

 private:
  class Listener final : public Transaction {
   public:
    Listener(Transaction& inner, Heard& into) : inner_(inner), into_(into) {}
    using Transaction::Query;
    Result<Rows> Query(std::string_view sql, std::span<const Parameter> parameters) override {
      into_.heard_.emplace_back(sql);
      return inner_.Query(sql, parameters);
    }
    Result<std::int64_t> UsedBytes() override { return inner_.UsedBytes(); }
    Result<void> PassBound() override { return inner_.PassBound(); }

   private:
    Transaction& inner_;
    Heard& into_;
  };

  Database& inner_;
  std::vector<std::string> heard_;
};

// Agents are looked through once a second at most, however much there is to go on with.
TEST_F(OrchestrationDesk, ALookThatFollowsDoesOnlyWhatHadMore) {
  Heard heard(*database);
  desk = std::make_unique<Desk>(heard, clock, metrics, Settings());
  Call("register_agent", R"({"agent_id":"a"})");
  Call("create_task", R"({"content":"root"})");
  for (int batch = 0; batch < 9; ++batch) {
    std::string tasks;
    for (int i = 0; i < 100; ++i) {
      tasks += std::string(i == 0 ? "" : ",") + R"({"content":"x","depends_on":["task_1"]})";
    }
    ASSERT_THAT(Call("create_tasks", R"({"tasks":[)" + tasks + "]}"), HasSubstr("created"));
  }
  Call("poll_tasks", R"({"claim":true,"agent_id":"a"})");
  Call("start_task", R"({"task_id":"task_00000001"})");
  Call("complete_task", R"({"task_id":"task_00000001"})");
  for (int i = 0; i < 4; ++i) Settle();
  EXPECT_GE(heard.Count("FROM releasing ORDER BY"), 3);
  EXPECT_EQ(heard.Count("FROM agent GROUP BY seen"), 0);
  EXPECT_EQ(heard.Count("DELETE FROM agent"), 0);
  EXPECT_EQ(Number("SELECT sum(ready) FROM lane"), 900);
  desk->Tick();
  Settle();
  EXPECT_EQ(heard.Count("FROM agent GROUP BY seen"), 1);
  desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
}

// For the metrics: those that nobody changed are not looked through, and many are more seldom.
TEST_F(OrchestrationDesk, ManyAgentsAreCountedWhenTheyChangeAndInTheirTime) {
  Heard heard(*database);
  desk = std::make_unique<Desk>(heard, clock, metrics, Settings());
  const auto wall =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.WallNow().time_since_epoch());
  Run("INSERT INTO agent (id, name, role, model_type, model_version, capabilities, team, status, "
      "max_concurrent, owner, registered_at, heartbeat_at, active, completed, failed, expired, "
      "latency_ms) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4999) "
      "SELECT 'n' || i, '', '', '', '', '[]', '', 'available', 1, '', 0, " +
      std::to_string(wall.count()) + ", 0, 0, 0, 0, 0 FROM n");
  Call("register_agent", R"({"agent_id":"a"})");
  const auto counted = [&heard] { return heard.Count("FROM agent GROUP BY seen"); };
  const auto shown = [this](const std::string& status, int agents) {
    return metrics.Serialize().contains("switchyard_orchestration_agents{status=\"" + status +
                                        "\"} " + std::to_string(agents) + "\n");
  };
  const auto pass = [this](int times) {
    for (int i = 0; i < times; ++i) {
      clock.Pass(seconds(1));
      desk->Tick();
      Settle();
    }
  };
  pass(30);
  EXPECT_EQ(counted(), 1) << "nobody changed";
  EXPECT_TRUE(shown("available", 5000)) << metrics.Serialize();
  for (int i = 0; i < 30; ++i) {
    Call("heartbeat", std::string(R"({"agent_id":"a","status":")") +
                          (i % 2 == 0 ? "idle" : "available") + "\"}");
    pass(1);
  }
  EXPECT_GE(counted(), 1 + 5);
  EXPECT_LE(counted(), 1 + 6) << "5000 take their five seconds";
  pass(28);
  EXPECT_TRUE(shown("available", 5000)) << metrics.Serialize();
  const int before = counted();
  pass(10);
  EXPECT_TRUE(shown("offline", 4999)) << "nobody said anything: that is a change, too";
  EXPECT_LE(counted(), before + 2);
  desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
}

}  // namespace
}  // namespace switchyard::orchestration
