#include "audit/log.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/files.h"
#include "telemetry/metrics.h"
#include "unit/audit/support.h"

namespace switchyard::audit {
namespace {

using ::testing::HasSubstr;
using testing::IsWhole;
using testing::LinesOf;
using testing::TextOf;

class AuditLog : public ::testing::Test {
 protected:
  config::Audit Settings() const {
    config::Audit settings;
    settings.path = place_.log();
    return settings;
  }
  static Event Call(const std::string& tool = "t") {
    return {.subject = "ada", .server = "s", .item_key = "tool", .item = tool, .outcome = "ok"};
  }
  static void Put(Log& log, Event event) { log.Put(std::make_unique<Event>(std::move(event))); }
  // Admitted, and at once at its end.
  static bool Record(Log& log, const std::string& tool = "t") {
    if (log.Admit() != Sink::Admission::kGranted) return false;
    Put(log, Call(tool));
    return true;
  }
  std::uint64_t Count(const char* counter) {
    return metrics_.CounterOf(std::string("switchyard_audit_") + counter + "_total", {}).value();
  }
  std::uint64_t Calls(const std::string& path) const {
    return testing::Verify(path).summary.events["call"];
  }

  testing::Place place_;
  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  testing::SmallDisk small_;
};

TEST_F(AuditLog, WithoutAPathThereIsNone) {
  Log log(clock_, metrics_);
  EXPECT_EQ(log.Admit(), Sink::Admission::kOff);
  EXPECT_TRUE(log.Configure(config::Audit()));
  EXPECT_FALSE(log.on());
}

TEST_F(AuditLog, WhatManyThreadsPutIsOneChain) {
  constexpr int kThreads = 4, kEach = 2000;
  Log log(clock_, metrics_);
  ASSERT_TRUE(log.Configure(Settings()));
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&log, &refused, t] {
      for (int i = 0; i < kEach; ++i) {
        while (!Record(log, "t" + std::to_string(t))) ++refused;  // more than the writer can take
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  log.Close();
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Calls(place_.log()), static_cast<std::uint64_t>(kThreads) * kEach);
  EXPECT_EQ(Count("refused"), static_cast<std::uint64_t>(refused));
  EXPECT_EQ(Count("dropped"), 0U);
}

TEST_F(AuditLog, AFullDiskRefusesCallsAndLosesNoRecordOfThoseThatRan) {
  Log log(clock_, metrics_, small_.disk());
  ASSERT_TRUE(log.Configure(Settings()));
  ASSERT_EQ(log.Admit(), Sink::Admission::kGranted) << "still in flight when the disk is full";
  ASSERT_TRUE(log.Flush());
  *small_.room = 10;
  EXPECT_TRUE(Record(log));
  EXPECT_FALSE(log.Flush());
  EXPECT_EQ(log.Admit(), Sink::Admission::kRefused);
  Put(log, Call("late"));
  EXPECT_FALSE(log.Flush());
  EXPECT_EQ(metrics_.GaugeOf("switchyard_audit_failing", {})->value(), 1);
  *small_.room = 1 << 20;
  EXPECT_TRUE(log.Flush());
  EXPECT_EQ(metrics_.GaugeOf("switchyard_audit_failing", {})->value(), 0);
  EXPECT_TRUE(Record(log));
  log.Close();
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Calls(place_.log()), 3U);
  EXPECT_THAT(TextOf(place_.log()), HasSubstr(R"("tool":"late")"));
  EXPECT_THAT(TextOf(place_.log()),
              HasSubstr(R"("event":"gap","dropped":0,"calls_refused":1,"reason":")" + place_.log() +
                        ": No space left on device"));
  EXPECT_EQ(Count("refused"), 1U);
}

TEST_F(AuditLog, NoCallBeginsWithoutAPlaceForItsRecord) {
  Log log(clock_, metrics_, small_.disk());
  ASSERT_TRUE(log.Configure(Settings()));
  ASSERT_TRUE(log.Flush());
  std::size_t granted = 0;
  while (log.Admit() == Sink::Admission::kGranted) ++granted;
  EXPECT_EQ(granted, Lane::kPlaces);
  log.Note(Call("no room"));
  EXPECT_TRUE(log.Flush());
  EXPECT_EQ(Count("dropped"), 1U) << "the places are taken";
  for (std::size_t i = 0; i < granted; ++i) Put(log, Call());
  EXPECT_TRUE(log.Flush());
  EXPECT_EQ(log.Admit(), Sink::Admission::kGranted);
  Put(log, Call());
  log.Close();
  EXPECT_EQ(Calls(place_.log()), Lane::kPlaces + 1);
}

TEST_F(AuditLog, ThatMayDropCountsWhatIsLostAndSaysSo) {
  config::Audit settings = Settings();
  settings.on_failure = config::Audit::OnFailure::kDrop;
  Log log(clock_, metrics_, small_.disk());
  ASSERT_TRUE(log.Configure(settings));
  ASSERT_TRUE(log.Flush());
  *small_.room = 0;
  constexpr std::uint64_t kCalls = 20'000;  // more than memory has places for
  for (std::uint64_t i = 0; i < kCalls; ++i) ASSERT_TRUE(Record(log));
  EXPECT_FALSE(log.Flush());
  *small_.room = std::int64_t{1} << 30;
  while (!log.Flush()) {
  }
  log.Close();
  EXPECT_TRUE(IsWhole(place_.log()));
  const std::uint64_t dropped = Count("dropped");
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(Calls(place_.log()) + dropped, kCalls);
  EXPECT_EQ(Count("refused"), 0U);
  std::uint64_t told = 0;  // by all gaps
  const std::string key = R"("event":"gap","dropped":)";
  for (const std::string& line : LinesOf(TextOf(place_.log()))) {
    const std::size_t at = line.find(key);
    if (at != std::string::npos) told += std::stoull(line.substr(at + key.size()));
  }
  EXPECT_EQ(told, dropped);
}

TEST_F(AuditLog, MovesToAnotherPathAndLosesNothing) {
  const testing::Place other;
  Log log(clock_, metrics_);
  ASSERT_TRUE(log.Configure(Settings()));
  for (int i = 0; i < 100; ++i) Record(log);
  config::Audit moved = Settings();
  moved.path = other.log();
  ASSERT_TRUE(log.Configure(moved));
  for (int i = 0; i < 50; ++i) Record(log);
  ASSERT_TRUE(log.Configure(Settings())) << "and back";
  Record(log);
  log.Close();
  for (const std::string& path : {place_.log(), other.log()}) EXPECT_TRUE(IsWhole(path));
  EXPECT_EQ(Calls(place_.log()), 101U);
  EXPECT_EQ(Calls(other.log()), 50U);
  EXPECT_THAT(TextOf(place_.log()), HasSubstr(R"("event":"closed","goes_on_at":")" + other.log()));
}

TEST_F(AuditLog, MovesAwayFromADiskThatIsFullAndTakesAlongWhatThatDidNotTake) {
  const testing::Place other;
  std::atomic<bool> full = false;
  const Disk disk{.write = [this, &full](int fd, const void* bytes, std::size_t count) -> ssize_t {
                    const auto file =
                        std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
                    if (!full || file != place_.log()) return ::write(fd, bytes, count);
                    errno = ENOSPC;
                    return -1;
                  },
                  .sync = [](int) { return 0; }};
  Log log(clock_, metrics_, disk);
  ASSERT_TRUE(log.Configure(Settings()));
  EXPECT_TRUE(Record(log, "before"));
  ASSERT_TRUE(log.Flush());
  full = true;
  EXPECT_TRUE(Record(log, "meanwhile"));
  EXPECT_FALSE(log.Flush());
  config::Audit moved = Settings();
  moved.path = other.log();
  ASSERT_TRUE(log.Configure(moved));
  EXPECT_TRUE(Record(log, "after"));
  log.Close();
  for (const std::string& path : {place_.log(), other.log()}) EXPECT_TRUE(IsWhole(path));
  EXPECT_EQ(Calls(place_.log()), 1U);
  EXPECT_EQ(Calls(other.log()), 2U);
  EXPECT_THAT(TextOf(other.log()), HasSubstr(R"("tool":"meanwhile")"));
}

TEST_F(AuditLog, ThatNeverWasWrittenMovesAndIsWholeThere) {
  const testing::Place other;
  const Disk disk{.write = [this](int fd, const void* bytes, std::size_t count) -> ssize_t {
                    const auto file =
                        std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
                    if (file != place_.log()) return ::write(fd, bytes, count);
                    errno = ENOSPC;
                    return -1;
                  },
                  .sync = [](int) { return 0; }};
  Log log(clock_, metrics_, disk);
  config::Audit settings = Settings();
  settings.on_failure = config::Audit::OnFailure::kDrop;  // else no call begins here
  ASSERT_TRUE(log.Configure(settings));
  ASSERT_EQ(log.Admit(), Sink::Admission::kGranted);
  Put(log, Call("meanwhile"));
  EXPECT_FALSE(log.Flush());
  config::Audit moved = settings;
  moved.path = other.log();
  ASSERT_TRUE(log.Configure(moved));
  log.Close();
  EXPECT_TRUE(IsWhole(other.log())) << TextOf(other.log());
  EXPECT_THAT(TextOf(other.log()), HasSubstr(R"("tool":"meanwhile")"));
}

TEST_F(AuditLog, ADiskThatHangsDoesNotHangWhoMovesTheLog) {
  std::atomic<bool> hangs = false;
  std::promise<void> answers;
  const std::shared_future<void> answered = answers.get_future().share();
  const Disk disk{.write =
                      [&, answered](int fd, const void* bytes, std::size_t count) {
                        if (hangs) answered.wait();
                        return ::write(fd, bytes, count);
                      },
                  .sync = [](int) { return 0; }};
  Log log(clock_, metrics_, disk, std::chrono::milliseconds(20));
  ASSERT_TRUE(log.Configure(Settings()));
  ASSERT_TRUE(log.Flush());
  hangs = true;
  EXPECT_TRUE(Record(log));
  // The writer takes it, and hangs with it.
  while (Count("records") == 0) std::this_thread::yield();
  const testing::Place other;
  config::Audit moved = Settings();
  moved.path = other.log();
  const Result<void> refused = log.Configure(moved);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_TRUE(log.on());
  hangs = false;
  answers.set_value();
  ASSERT_TRUE(log.Flush());
  EXPECT_TRUE(Record(log)) << "it goes on where it was";
  ASSERT_TRUE(log.Configure(moved));
  log.Close();
  for (const std::string& path : {place_.log(), other.log()}) EXPECT_TRUE(IsWhole(path));
  EXPECT_EQ(Calls(place_.log()), 2U);
}

TEST_F(AuditLog, ASecondMoveWhileTheFirstHangsIsTurnedAwayAndNothingIsLost) {
  std::atomic<bool> hangs = false;
  std::promise<void> answers;
  const std::shared_future<void> answered = answers.get_future().share();
  const Disk disk{.write =
                      [&, answered](int fd, const void* bytes, std::size_t count) {
                        const auto file =
                            std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
                        if (hangs && file == place_.log()) answered.wait();
                        return ::write(fd, bytes, count);
                      },
                  .sync = [](int) { return 0; }};
  const testing::Place second, third;
  config::Audit to_second = Settings(), to_third = Settings();
  to_second.path = second.log();
  to_third.path = third.log();
  Log log(clock_, metrics_, disk, std::chrono::milliseconds(50));
  ASSERT_TRUE(log.Configure(Settings()));
  EXPECT_TRUE(Record(log));
  ASSERT_TRUE(log.Flush());
  hangs = true;
  while (!log.Configure(to_second)) {  // until the writer is in the midst of it
  }
  const Result<void> refused = log.Configure(to_third);
  ASSERT_FALSE(refused) << "the writer does not know of it";
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr(second.log()));
  hangs = false;
  answers.set_value();
  ASSERT_TRUE(log.Flush());
  EXPECT_TRUE(Record(log));
  ASSERT_TRUE(log.Configure(to_third));
  EXPECT_TRUE(Record(log));
  to_third.anomalies.denials = 7;
  ASSERT_TRUE(log.Configure(to_third)) << "what is not about its place";
  EXPECT_TRUE(Record(log));
  log.Close();
  for (const std::string& path : {place_.log(), second.log(), third.log()}) {
    EXPECT_TRUE(IsWhole(path));
  }
  EXPECT_EQ(Calls(place_.log()), 1U);
  EXPECT_EQ(Calls(second.log()), 1U);
  EXPECT_EQ(Calls(third.log()), 2U);
  EXPECT_EQ(Count("dropped"), 0U);
}

TEST_F(AuditLog, WhatIsInFlightWhenItIsTurnedOffIsCounted) {
  Log log(clock_, metrics_);
  ASSERT_TRUE(log.Configure(Settings()));
  ASSERT_EQ(log.Admit(), Sink::Admission::kGranted);
  ASSERT_TRUE(log.Configure(config::Audit()));
  Put(log, Call());
  EXPECT_TRUE(log.Flush());
  EXPECT_EQ(Count("dropped"), 1U);
  ASSERT_TRUE(log.Configure(Settings()));
  ASSERT_TRUE(log.Flush());
  log.Close();
  EXPECT_THAT(TextOf(place_.log()), HasSubstr(R"("event":"gap")"));
  EXPECT_TRUE(IsWhole(place_.log()));
}

TEST_F(AuditLog, APathThatCannotBeUsedLeavesEverythingAsItWas) {
  Log log(clock_, metrics_);
  ASSERT_TRUE(log.Configure(Settings()));
  config::Audit bad = Settings();
  bad.path = place_.path() + "/none/audit.jsonl";
  const Result<void> refused = log.Configure(bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  bad = Settings();
  bad.key = config::Secret("sixteen bytes ok");
  EXPECT_THAT(log.Configure(bad).error().message, HasSubstr("audit.key: the log goes on under"));
  EXPECT_TRUE(Record(log));
  log.Close();
  EXPECT_EQ(Calls(place_.log()), 1U);
}

TEST_F(AuditLog, CanBeClosedAndOpenedAgainWhileCallsAreInFlight) {
  Log log(clock_, metrics_);
  ASSERT_TRUE(log.Configure(Settings()));
  ASSERT_EQ(log.Admit(), Sink::Admission::kGranted);
  ASSERT_TRUE(log.Configure(config::Audit()));
  EXPECT_EQ(log.Admit(), Sink::Admission::kOff);
  Put(log, Call());
  EXPECT_TRUE(log.Flush());
  ASSERT_TRUE(log.Configure(Settings()));
  EXPECT_TRUE(Record(log));
  log.Close();
  EXPECT_TRUE(IsWhole(place_.log()));
  EXPECT_EQ(Calls(place_.log()), 1U);
}

TEST_F(AuditLog, IsSyncedAsOftenAsItSays) {
  for (const auto sync : {config::Audit::Sync::kNone, config::Audit::Sync::kEach}) {
    config::Audit settings = Settings();
    settings.sync = sync;
    Log log(clock_, metrics_, small_.disk());
    ASSERT_TRUE(log.Configure(settings));
    const int before = *small_.syncs;
    Record(log);
    ASSERT_TRUE(log.Flush());
    EXPECT_EQ(*small_.syncs > before, sync == config::Audit::Sync::kEach);
  }
}

TEST_F(AuditLog, TellsWhatIsUnusualOfACaller) {
  config::Audit settings = Settings();
  settings.anomalies.denials = 3;
  Log log(clock_, metrics_);
  ASSERT_TRUE(log.Configure(settings));
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(log.Admit(), Sink::Admission::kGranted);
    Event denied = Call();
    denied.outcome = "denied";
    Put(log, std::move(denied));
  }
  log.Close();
  EXPECT_EQ(metrics_.CounterOf("switchyard_audit_anomalies_total", {"denials"}).value(), 1U);
  EXPECT_THAT(TextOf(place_.log()), HasSubstr(R"("event":"anomaly","kind":"denials",)"
                                              R"("subject":"ada","count":3)"));
}

}  // namespace
}  // namespace switchyard::audit
