#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/worker_timers.h"
#include "policies/lib/gate.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FakeService;
using ::testing::HasSubstr;
using testing::Loop;
using testing::ToolCall;

class ConcurrencyPolicy : public ::testing::Test {
 protected:
  std::shared_ptr<const Policy> Make(const std::string& yaml) {
    return testing::MakePolicy("concurrency", &concurrency::Make, yaml,
                               {.clock = clock_, .metrics = metrics_});
  }
  // Starts a call; what becomes of it is in `results`.
  void Start(const std::shared_ptr<const Policy>& policy, Deadline deadline = {}) {
    calls_.push_back(std::make_unique<Call>(ToolCall()));
    calls_.back()->deadline = deadline;
    handles_.emplace_back(loop_.executor(), "call", Into(*policy, calls_.size() - 1));
    results_.emplace_back();
    loop_.Run();
  }
  Task<void> Into(const Policy& policy, std::size_t index) {
    Result<ReplyPtr> result = co_await policy.Handle(*calls_[index], service_);
    results_[index].emplace(std::move(result));
  }
  void Advance(Duration by) {
    clock_.Advance(by);
    TimersOf(loop_.executor(), clock_).FireDue();
    loop_.Run();
  }
  std::string State(std::size_t index) const {
    if (!results_[index]) return "waits";
    return *results_[index] ? "runs" : results_[index]->error().message;
  }
  void End(std::size_t index) {
    results_[index]->value().reset();
    loop_.Run();
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  FakeService service_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::deque<std::optional<Result<ReplyPtr>>> results_;
  Loop loop_;
  std::deque<TaskHandle> handles_;
};

TEST_F(ConcurrencyPolicy, ASlotIsHeldUntilTheReplyIsGone) {
  const auto policy = Make("max_in_flight: 1");
  Start(policy);
  Start(policy);
  EXPECT_EQ(State(0), "runs");
  EXPECT_EQ(State(1), "waits");
  End(0);
  EXPECT_EQ(State(1), "runs");
  EXPECT_EQ(service_.calls, 2);
}

TEST_F(ConcurrencyPolicy, SlotsQueueAndRefusalsAreSeenInMetrics) {
  const auto policy = Make("{max_in_flight: 1, queue: 2, queue_timeout: 2s}");
  for (int i = 0; i < 3; ++i) Start(policy);
  Start(policy);
  const auto shows = [](const std::string& line) { return HasSubstr(line + "\n"); };
  const std::string of = R"({server="x",scope=""} )";
  const auto all = [&](int inside, int queued) {
    return AllOf(shows("switchyard_concurrency_in_flight" + of + std::to_string(inside)),
                 shows("switchyard_concurrency_queued" + of + std::to_string(queued)));
  };
  EXPECT_THAT(metrics_.Serialize(), all(1, 2));
  Advance(seconds(1));
  End(0);
  EXPECT_THAT(metrics_.Serialize(), all(1, 1));
  Advance(seconds(1));
  EXPECT_THAT(metrics_.Serialize(), all(1, 0));
  End(1);
  const std::string text = metrics_.Serialize();
  EXPECT_THAT(text, all(0, 0));
  const std::string refused = R"(switchyard_concurrency_refused_total{server="x",scope="",reason=)";
  EXPECT_THAT(text,
              AllOf(shows(refused + R"("queue_full"} 1)"), shows(refused + R"("timed_out"} 1)"),
                    shows(refused + R"("deadline"} 0)")));
}

TEST_F(ConcurrencyPolicy, WhoWaitsGetsItsTurnInOrder) {
  const auto policy = Make("max_in_flight: 1");
  for (int i = 0; i < 3; ++i) Start(policy);
  End(0);
  EXPECT_EQ(State(1), "runs");
  EXPECT_EQ(State(2), "waits");
  End(1);
  EXPECT_EQ(State(2), "runs");
}

TEST_F(ConcurrencyPolicy, AFailedAttemptGivesItsSlotBack) {
  const auto policy = Make("{max_in_flight: 1, queue: 0}");
  service_.answer = [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kUnavailable, Origin::kServer, "down");
  };
  Start(policy);
  Start(policy);
  EXPECT_EQ(State(0), "down");
  EXPECT_EQ(State(1), "down");
}

TEST_F(ConcurrencyPolicy, AFullQueueAnswersAtOnceWithServerLimitAndRetryTime) {
  const auto policy = Make("{max_in_flight: 1, queue: 1, queue_timeout: 2s}");
  for (int i = 0; i < 3; ++i) Start(policy);
  EXPECT_EQ(State(2), "server x: busy with 1 calls and 1 waiting, try again in 2s");
  const Error& error = results_[2]->error();
  EXPECT_EQ(error.code, Code::kRateLimited);
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.data, R"({"retryAfterMs":2000})");
  EXPECT_EQ(State(1), "waits");
}

TEST_F(ConcurrencyPolicy, WaitingEndsAfterItsTime) {
  const auto policy = Make("{max_in_flight: 1, queue_timeout: 2s}");
  Start(policy);
  Start(policy);
  Advance(std::chrono::milliseconds(1999));
  EXPECT_EQ(State(1), "waits");
  Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(State(1), "server x: busy with 1 calls, no slot within 2s, try again in 2s");
  // And its place is free again.
  Start(policy);
  End(0);
  EXPECT_EQ(State(2), "runs");
}

TEST_F(ConcurrencyPolicy, TheCallsOwnDeadlineEndsTheWaitingAsADeadline) {
  const auto policy = Make("{max_in_flight: 1, queue_timeout: 10s}");
  Start(policy);
  Start(policy, Deadline::In(clock_, seconds(1)));
  Advance(seconds(1));
  ASSERT_NE(State(1), "waits");
  EXPECT_EQ(results_[1]->error().code, Code::kDeadline);
}

TEST_F(ConcurrencyPolicy, AWaitingCallThatIsDroppedLeavesTheQueue) {
  const auto policy = Make("{max_in_flight: 1, queue: 1}");
  Start(policy);
  Start(policy);
  handles_[1].Cancel();
  loop_.Run();
  Start(policy);
  EXPECT_EQ(State(2), "waits");
  End(0);
  EXPECT_EQ(State(2), "runs");
}

TEST_F(ConcurrencyPolicy, ASlotThatWasGrantedToADroppedCallIsNotLost) {
  const auto policy = Make("max_in_flight: 1");
  Start(policy);
  Start(policy);
  results_[0]->value().reset();  // grants the slot to the second, which has not run yet
  handles_[1].Cancel();
  loop_.Run();
  Start(policy);
  EXPECT_EQ(State(2), "runs");
}

TEST_F(ConcurrencyPolicy, ARunningCallThatIsDroppedGivesItsSlotBack) {
  const auto policy = Make("{max_in_flight: 1, queue: 0}");
  service_.hangs = true;
  Start(policy);
  handles_[0].Cancel();
  loop_.Run();
  service_.hangs = false;
  Start(policy);
  EXPECT_EQ(State(1), "runs");
}

TEST_F(ConcurrencyPolicy, StreamsThatAreMeantToLastTakeNoSlot) {
  const auto policy = Make("{max_in_flight: 1, queue: 0}");
  Call listen = testing::ListenCall();
  const auto stream = loop_.Run(policy->Handle(listen, service_));
  Start(policy);
  EXPECT_EQ(State(0), "runs");
  EXPECT_TRUE(stream.has_value());
}

TEST_F(ConcurrencyPolicy, ZeroMeansNoCap) {
  const auto policy = Make("{max_in_flight: 0, queue: 0}");
  for (std::size_t i = 0; i < 100; ++i) {
    Start(policy);
    EXPECT_EQ(State(i), "runs");
  }
}

TEST_F(ConcurrencyPolicy, ALevelInheritsWhatItDoesNotSay) {
  const config::ProcessEnvironment environment;
  config::Document document("{max_in_flight: 1, queue: 0}", "test.yaml", environment);
  const std::shared_ptr<const void> outer =
      testing::KeyOf("concurrency").parse(std::move(*document.Root()), nullptr);
  const auto policy = testing::MakePolicy("concurrency", &concurrency::Make, "queue_timeout: 1s",
                                          {.clock = clock_, .metrics = metrics_}, outer.get());
  Start(policy);
  Start(policy);
  EXPECT_THAT(State(1), HasSubstr("busy with 1 calls and 0 waiting, try again in 1s"));
}

TEST_F(ConcurrencyPolicy, SetForSomeToolsItCountsTheseAlone) {
  States states;
  const PolicyDeps deps{.clock = clock_, .metrics = metrics_, .states = &states};
  const auto of_server =
      testing::MakePolicy("concurrency", &concurrency::Make, "{max_in_flight: 1, queue: 0}", deps);
  const auto of_tools = testing::MakePolicy(
      "concurrency", &concurrency::Make, "{max_in_flight: 1, queue: 0}", deps, nullptr,
      {.level = config::Level::kTool, .endpoint = {}, .server = "x", .glob = "delete_*"});
  Start(of_server);
  Start(of_tools);
  EXPECT_EQ(State(1), "runs");
  Start(of_tools);
  EXPECT_EQ(State(2),
            "tools delete_* of server x: busy with 1 calls and 0 waiting, try again in 5s");
}

TEST_F(ConcurrencyPolicy, AGateOutlivesAReloadUnlessItsSizeChanged) {
  States states;
  const PolicyDeps deps{.clock = clock_, .metrics = metrics_, .states = &states};
  const auto make = [&](const std::string& yaml) {
    return testing::MakePolicy("concurrency", &concurrency::Make, yaml, deps);
  };
  const auto before = make("{max_in_flight: 1, queue: 0}");
  const auto after = make("{max_in_flight: 1, queue: 0, queue_timeout: 9s}");
  const auto larger = make("{max_in_flight: 2, queue: 0}");
  Start(before);
  Start(after);
  EXPECT_THAT(State(1), HasSubstr("busy with 1 calls"));
  Start(larger);
  EXPECT_EQ(State(2), "runs");
}

TEST_F(ConcurrencyPolicy, UnknownSettingsAreProblems) {
  EXPECT_THAT(testing::ProblemsOf("concurrency", "max_inflight: 1"),
              ElementsAre(HasSubstr("max_in_flight")));
}

// Workers on threads of their own, all through one gate.
TEST(Gate, OverTwoThreadsTheCapHoldsAndEverybodyGetsIn) {
  constexpr int kTasks = 20, kRounds = 50;
  const auto gate = std::make_shared<Gate>(3, 1000);
  std::atomic<int> inside{0}, most{0}, done{0};
  const auto work = [&](net::io_context& context) -> Task<void> {
    for (int round = 0; round < kRounds; ++round) {
      std::optional<Gate::Permit> permit = Gate::TryEnter(gate);
      if (!permit) {
        auto entry = co_await Gate::Enter(gate, TimePoint::max(), Clock::Real());
        if (!entry) co_return;
        permit.emplace(std::move(*entry));
      }
      const int now = ++inside;
      int seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      co_await net::post(context.get_executor(), use_task);
      --inside;
    }
    ++done;
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        net::io_context context{1};
        // A waiter may have no work of its own in the queue while its slot is on the way.
        auto busy = net::make_work_guard(context);
        auto left = std::make_shared<int>(kTasks);
        for (int i = 0; i < kTasks; ++i) {
          net::co_spawn(context, work(context), [&, left](std::exception_ptr) {
            if (--*left == 0) busy.reset();
          });
        }
        context.run();
      });
    }
  }
  EXPECT_EQ(done.load(), 2 * kTasks);
  EXPECT_LE(most.load(), 3);
  EXPECT_EQ(gate->inside(), 0U);
  EXPECT_EQ(gate->waiting(), 0U);
}

}  // namespace
}  // namespace switchyard::policies
