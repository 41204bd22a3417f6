// A desk whose database and clocks a test holds and sets, and calls that are under way.
#pragma once

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "orchestration/desk.h"
#include "telemetry/metrics.h"
#include "unit/downstream/loop.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {

// A wall clock that somebody sets, and a steady one that nobody does.
class SetClock final : public Clock {
 public:
  TimePoint Now() const override { return steady_.Now(); }
  std::chrono::system_clock::time_point WallNow() const override {
    return steady_.WallNow() +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(Duration(set_.load()));
  }
  void Pass(Duration time) { steady_.Advance(time); }
  void SetBy(Duration by) { set_ += by.count(); }

 private:
  ManualClock steady_;
  std::atomic<std::int64_t> set_ = 0;
};

// A call that is under way.
struct Pending {
  std::optional<Result<Answer>> answer;
  TaskHandle task;

  bool over() const { return answer.has_value(); }
  std::string text() const {
    if (!answer) return "waits";
    return *answer ? (*answer)->text : (*answer).error().message;
  }
};

class OrchestrationDesk : public ::testing::Test {
 protected:
  ~OrchestrationDesk() override {
    if (held != nullptr) held->count_down();
    loop.RunReady();
    database->Close();
    loop.RunReady();
  }

  static Operation OperationOf(std::string_view tool, std::string_view raw) {
    Arguments arguments(raw);
    Result<Operation> operation =
        FindTool(std::string(kToolPrefix) + std::string(tool))->prepare(arguments);
    EXPECT_TRUE(operation.has_value()) << operation.error().message;
    return std::move(*operation);
  }
  switchyard::Task<void> Keep(Operation operation, Deadline deadline, Pending& into) {
    into.answer.emplace(co_await desk->Run(std::move(operation), "", deadline, loop.deps()));
  }
  std::unique_ptr<Pending> Begin(Operation operation, Deadline deadline = {}) {
    auto pending = std::make_unique<Pending>();
    pending->task =
        TaskHandle(loop.deps().executor(), "call", Keep(std::move(operation), deadline, *pending));
    loop.RunReady();
    return pending;
  }
  std::unique_ptr<Pending> Begin(std::string_view tool, std::string_view raw = "{}",
                                 Deadline deadline = {}) {
    return Begin(OperationOf(tool, raw), deadline);
  }
  // The database has done all it was asked, and who was told has acted upon it.
  void Settle() {
    for (int i = 0; i < 6; ++i) {
      Finish();
      loop.RunReady();
    }
  }
  // The database has done all it was asked.
  void Finish() {
    std::promise<void> over;
    database->Submit([](Database::Transaction&) -> Result<void> { return {}; },
                     [&](Result<void>) { over.set_value(); });
    over.get_future().wait();
  }
  std::string Call(std::string_view tool, std::string_view raw = "{}") {
    const auto pending = Begin(tool, raw);
    Settle();
    return pending->text();
  }
  std::unique_ptr<Pending> Poll(const std::string& agent, const std::string& more = "") {
    auto poll = Begin("poll_tasks", R"({"claim":true,"limit":1,"wait_ms":60000,"agent_id":")" +
                                        agent + "\"" + more + "}");
    Settle();
    return poll;
  }
  // The database does nothing until Release().
  void Hold() {
    held = std::make_shared<std::latch>(1);
    std::latch entered(1);
    database->Submit(
        [&entered, latch = held](Database::Transaction&) -> Result<void> {
          entered.count_down();
          latch->wait();
          return {};
        },
        [](Result<void>) {});
    entered.wait();
  }
  void Release() {
    std::exchange(held, nullptr)->count_down();
    Settle();
  }
  // On the database itself.
  void Run(std::string_view sql) {
    const std::string& kept = *statements.insert(std::string(sql)).first;
    std::promise<Result<void>> over;
    database->Submit([&](Database::Transaction& records) { return records.Execute(kept); },
                     [&](Result<void> done) { over.set_value(std::move(done)); });
    const Result<void> done = over.get_future().get();
    EXPECT_TRUE(done.has_value()) << done.error().detail;
  }
  std::int64_t Number(std::string_view sql) {
    const std::string& kept = *statements.insert(std::string(sql)).first;
    std::promise<std::int64_t> over;
    std::int64_t number = -1;
    database->Submit(
        [&](Database::Transaction& records) -> Result<void> {
          Result<Database::Rows> rows = records.Query(kept);
          if (!rows) return Failure(std::move(rows.error()));
          number = rows->front().Number(0);
          return {};
        },
        [&](const Result<void>& done) { over.set_value(done ? number : -1); });
    return over.get_future().get();
  }
  std::string StatusOf(int task) {
    return Call("get_task_status", R"({"task_id":"task_0000000)" + std::to_string(task) + "\"}");
  }

  downstream::Loop loop;
  SetClock clock;
  std::set<std::string> statements;  // outlive the database
  telemetry::Metrics metrics;
  std::shared_ptr<std::latch> held;
  std::unique_ptr<store::SqliteDatabase> database =
      std::move(*store::SqliteDatabase::Open({}, Schema()));
  std::unique_ptr<Desk> desk = std::make_unique<Desk>(*database, clock, metrics, Settings());
};

}  // namespace switchyard::orchestration
