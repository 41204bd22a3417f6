#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "downstream/http_answer.h"
#include "policies/lib/attempts_note.h"
#include "policies/lib/failure_data.h"
#include "policies/lib/retry_budget.h"
#include "policies/lib/retry_schedule.h"
#include "unit/policies/support.h"

namespace switchyard::policies {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Parsed;

TEST(RetrySchedule, GrowsAsItIsToldUpToItsCap) {
  using enum RetrySchedule::Growth;
  const auto waits = [](RetrySchedule::Growth growth) {
    const RetrySchedule schedule{
        .growth = growth, .base = milliseconds(100), .cap = milliseconds(350), .jitter = 0};
    std::vector<Duration> all;
    for (unsigned i = 1; i <= 4; ++i) all.push_back(schedule.Wait(i, 0.9));
    return all;
  };
  const auto ms = [](int count) { return Duration(milliseconds(count)); };
  EXPECT_THAT(waits(kImmediate), ElementsAre(ms(0), ms(0), ms(0), ms(0)));
  EXPECT_THAT(waits(kLinear), ElementsAre(ms(100), ms(200), ms(300), ms(350)));
  EXPECT_THAT(waits(kExponential), ElementsAre(ms(100), ms(200), ms(350), ms(350)));
}

TEST(RetryScheduleProperty, AWaitIsBetweenWhatJitterLeavesAndItsStepNeverOverTheCap) {
  FastRandom random(7);
  for (int i = 0; i < 20'000; ++i) {
    RetrySchedule schedule{.growth = random.Next() % 2 == 0 ? RetrySchedule::Growth::kLinear
                                                            : RetrySchedule::Growth::kExponential,
                           .base = Duration(1 + random.Next() % 10'000'000'000),
                           .cap = Duration(1 + random.Next() % 100'000'000'000),
                           .jitter = random.NextUnit()};
    const auto repetition = static_cast<unsigned>(1 + random.Next() % 100'000);
    const Duration step = [&] {
      RetrySchedule exact = schedule;
      exact.jitter = 0;
      return exact.Wait(repetition, 0);
    }();
    const Duration wait = schedule.Wait(repetition, random.NextUnit());
    ASSERT_GE(wait, Duration::zero());
    ASSERT_LE(wait, step);
    ASSERT_LE(step, schedule.cap);
    ASSERT_GE(static_cast<double>(wait.count() + 1),
              static_cast<double>(step.count()) * (1 - schedule.jitter));
  }
}

TEST(RetryBudgetProperty, NeverTakesMoreThanItsShareAndItsFewInAnyWindow) {
  FastRandom random(11);
  for (int round = 0; round < 50; ++round) {
    const Duration window = seconds(1 + random.Next() % 20);
    const double share = random.NextUnit();
    const std::uint64_t fewest = random.Next() % 5;
    RetryBudget budget(window);
    TimePoint now{seconds(1)};
    std::vector<TimePoint> calls, taken;
    for (int i = 0; i < 3000; ++i) {
      now += Duration(random.Next() % static_cast<std::uint64_t>(window.count() / 50));
      if (random.Next() % 3 != 0) {
        budget.CountCall(now);
        calls.push_back(now);
      } else if (budget.Take(now, share, fewest)) {
        taken.push_back(now);
        // The window moves in tenths: what it holds is at most its length, at least nine tenths.
        const auto paying =
            std::ranges::count_if(calls, [&](TimePoint at) { return at > now - window; });
        const auto recent =
            std::ranges::count_if(taken, [&](TimePoint at) { return at > now - window * 9 / 10; });
        ASSERT_LE(static_cast<double>(recent),
                  static_cast<double>(fewest) + share * static_cast<double>(paying));
      }
    }
    // While nothing leaves the window the bound is exact.
    RetryBudget still(window);
    for (int i = 0; i < 100; ++i) still.CountCall(now);
    std::uint64_t got = 0;
    while (still.Take(now, share, fewest)) ++got;
    EXPECT_EQ(got, fewest + static_cast<std::uint64_t>(share * 100));
  }
}

Advice Advised(const std::string& data) {
  Error error;
  error.data = data;
  return Advice::Of(error);
}

TEST(RetryAdvice, IsReadFromTheDataOfErrors) {
  EXPECT_EQ(Advised(R"({"retryAfterMs":2000})").retry_after, seconds(2));
  EXPECT_EQ(Advised("").retry_after, seconds(0));
  EXPECT_EQ(Advised(R"({"retryAfterMs":-5})").retry_after, seconds(0));
  EXPECT_EQ(Advised(R"({"retryAfterMs":"x"})").retry_after, seconds(0));
  for (const int status : {0, 408, 425, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE((Advice{.status = status}).may_help()) << status;
  }
  for (const int status : {400, 401, 403, 404, 413, 501}) {
    EXPECT_FALSE((Advice{.status = status}).may_help()) << status;
  }
}

TEST(NothingRan, IsKnownOfWhatWasNotSentOrRefusedBeforeItRan) {
  using enum Code;
  const auto of_gateway = [](Code code) { return NothingRan({.code = code, .message = {}}); };
  for (const Code code : {kInvalid, kUnauthenticated, kForbidden, kNotFound}) {
    EXPECT_TRUE(of_gateway(code)) << ToString(code);
  }
  for (const Code code :
       {kTooLarge, kRateLimited, kUnavailable, kDeadline, kCancelled, kProtocol, kInternal}) {
    EXPECT_FALSE(of_gateway(code)) << ToString(code);
    EXPECT_TRUE(NothingRan({.code = code, .retryable = true, .message = {}})) << ToString(code);
  }
  const auto of_server = [](int status) {
    Error error = downstream::StatusError(status, "");
    downstream::NoteStatus(error, status, "", {});
    return NothingRan(error);
  };
  for (const int status : {400, 401, 403, 404, 405, 413, 429}) {
    EXPECT_TRUE(of_server(status)) << status;
  }
  for (const int status : {408, 500, 502, 503, 504}) EXPECT_FALSE(of_server(status)) << status;
  EXPECT_FALSE(NothingRan({.code = kNotFound, .origin = Origin::kServer, .message = {}}))
      << "nobody knows when it said so";
}

TEST(AttemptsNote, GoesIntoAnyResultAndNoError) {
  const auto noted = [](const std::string& result) {
    mcp::Message answer = Parsed(R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}");
    NoteAttempts(answer, 2);
    return std::string(answer.result());
  };
  EXPECT_EQ(noted("{}"), R"({"_meta":{"switchyard/attempts":2}})");
  EXPECT_EQ(noted(R"({"a":1})"), R"({"_meta":{"switchyard/attempts":2},"a":1})");
  EXPECT_EQ(noted(R"({"a":1,"_meta":{}})"), R"({"a":1,"_meta":{"switchyard/attempts":2}})");
  EXPECT_EQ(noted(R"({"_meta":{"b":[1]},"a":1})"),
            R"({"_meta":{"b":[1],"switchyard/attempts":2},"a":1})");
  mcp::Message edited = Parsed(R"({"jsonrpc":"2.0","id":1,"result":{"a":1}})");
  edited.edits().Insert(edited.result_span().begin + 1, R"("b":2,)");
  NoteAttempts(edited, 3);
  EXPECT_EQ(edited.ToText(),
            R"({"jsonrpc":"2.0","id":1,"result":{"_meta":{"switchyard/attempts":3},"b":2,"a":1}})");
  mcp::Message error = mcp::Message::MakeError("1", -32000, "no");
  const std::string before = error.ToText();
  NoteAttempts(error, 2);
  EXPECT_EQ(error.ToText(), before);
}

TEST(RetryAfter, IsSecondsOrADate) {
  using downstream::ParseRetryAfter;
  const auto now = std::chrono::system_clock::from_time_t(784111777);  // 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(ParseRetryAfter("120", now), seconds(120));
  EXPECT_EQ(ParseRetryAfter("0", now), seconds(0));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:50:07 GMT", now), seconds(30));
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:00:00 GMT", now), seconds(0)) << "it is over";
  EXPECT_EQ(ParseRetryAfter("99999999999999999999", now), std::chrono::hours(365 * 24));
  for (const char* bad : {"", "soon", "12x", "1.5", "Sun, 06 Nov 1994"}) {
    EXPECT_EQ(ParseRetryAfter(bad, now), std::nullopt) << bad;
  }
}

TEST(RetryConfig, ContradictionsAreProblemsWithTheReason) {
  const auto problems = [](const std::string& yaml) { return testing::ProblemsOf("retry", yaml); };
  EXPECT_THAT(problems("attempts: 1"), ElementsAre(HasSubstr("1 repeats nothing")));
  EXPECT_THAT(problems("{base: 20s}"),
              ElementsAre("base: is longer than cap, the longest wait: 20s > 10s"));
  EXPECT_THAT(problems("on: [unavailable, timeout]"),
              ElementsAre("on: must be unavailable, deadline, rate_limited, protocol or internal, "
                          "got timeout"));
  EXPECT_THAT(problems("on: []"), ElementsAre(HasSubstr("names no class")));
  EXPECT_THAT(problems("{backoff: immediate, base: 1s}"),
              ElementsAre(HasSubstr("immediate waits for nothing")));
  EXPECT_THAT(problems("{within: 1s, base: 2s}"), ElementsAre(HasSubstr("longer than base")));
  EXPECT_THAT(problems("{idempotent: [send_mail], never: ['send_*']}"),
              ElementsAre("idempotent: send_mail is also in never (send_*): it may run twice or it "
                          "may not"));
  EXPECT_THAT(problems("{budget: 0, budget_min: 0}"), ElementsAre(HasSubstr("nothing would ever")));
  EXPECT_THAT(problems("{attempts: 2, backoff: linear, idempotent: ['get_*'], never: ['send_*']}"),
              ElementsAre());
}

}  // namespace
}  // namespace switchyard::policies
