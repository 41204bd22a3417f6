#include "store/window.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace switchyard::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Span = Store::Span;

constexpr TimePoint kOpened{seconds(1000)};

Window At(Span span, Duration length, TimePoint now = kOpened) {
  Window window(span, length);
  window.Advance(now);
  return window;
}

TEST(SlidingWindow, CountsWhatIsNotOlderThanItAndASliceMore) {
  Window window = At(Span::kSliding, seconds(16));
  window.Add(5);
  window.Advance(kOpened + seconds(16));
  EXPECT_EQ(window.total(), 5);
  window.Advance(kOpened + seconds(17));
  EXPECT_EQ(window.total(), 0);
  EXPECT_TRUE(window.IsOver(kOpened + seconds(17)));
}

TEST(SlidingWindow, ACorrectionGoesAwayTogetherWithWhatItCorrects) {
  Window window = At(Span::kSliding, seconds(16));
  const Store::Mark mark = window.Add(100);
  window.Advance(kOpened + seconds(10));
  window.Correct(-60, mark);
  EXPECT_EQ(window.total(), 40);
  window.Advance(kOpened + seconds(17));
  EXPECT_EQ(window.total(), 0) << "and not -60, which would let 60 more through";
  window.Correct(-40, mark);
  window.Correct(40, mark);
  EXPECT_EQ(window.total(), 0) << "what is no longer counted is not corrected";
}

// The worker that settles read the clock before the one that came here before it, as the worker
// that reserved did: the distance of the two is another than that of their places.
TEST(SlidingWindow, ACorrectionFindsItsSliceWhateverTimesOthersCameWith) {
  Window window = At(Span::kSliding, seconds(16));
  window.Advance(kOpened + milliseconds(900));
  const Store::Mark mark = window.Add(100);
  window.Advance(kOpened + milliseconds(2400));
  window.Advance(kOpened + milliseconds(1900));
  window.Correct(-60, mark);
  for (TimePoint now = kOpened; now < kOpened + seconds(20); now += milliseconds(100)) {
    window.Advance(now);
    ASSERT_TRUE(window.total() == 40 || window.total() == 0) << window.total();
  }
  EXPECT_EQ(window.total(), 0);
}

TEST(AnyWindow, ACorrectionSaysNothingToTheWindowThatCameInItsPlace) {
  for (const Span span : {Span::kSliding, Span::kFixed}) {
    Window first(span, minutes(1), 1), second(span, minutes(1), 2);
    first.Advance(kOpened);
    second.Advance(kOpened);
    const Store::Mark mark = first.Add(100);
    second.Add(70);
    second.Correct(-60, mark);
    second.Correct(60, mark);
    EXPECT_EQ(second.total(), 70);
  }
}

TEST(AnyWindow, NothingIsTakenAwayThatIsNotThere) {
  for (const Span span : {Span::kSliding, Span::kFixed}) {
    Window window = At(span, minutes(1));
    const Store::Mark mark = window.Add(10);
    window.Correct(-30, mark);
    EXPECT_EQ(window.total(), 0);
  }
}

TEST(AnyWindow, AnAdditionByAClockThatWasReadAMomentEarlierCounts) {
  for (const Span span : {Span::kSliding, Span::kFixed}) {
    Window window = At(span, minutes(1));
    window.Add(3);
    window.Advance(kOpened - nanoseconds(1));
    window.Add(4);
    EXPECT_EQ(window.total(), 7);
  }
}

TEST(AnyWindow, AWorkerThatWasHeldUpForMoreThanAWindowTakesNothingAway) {
  for (const Span span : {Span::kSliding, Span::kFixed}) {
    Window window = At(span, seconds(1));
    window.Add(3);
    window.Advance(kOpened - seconds(5));
    window.Add(4);
    window.Advance(kOpened + milliseconds(10));
    EXPECT_EQ(window.total(), 7) << "no time passed but these 10 ms";
  }
}

TEST(FixedWindow, CountsFromTheFirstAdditionAndBeginsAnew) {
  Window window = At(Span::kFixed, minutes(1));
  const Store::Mark mark = window.Add(3);
  window.Advance(kOpened + seconds(59));
  EXPECT_EQ(window.total(), 3);
  EXPECT_EQ(window.Wait(8, 10), seconds(1));
  window.Advance(kOpened + minutes(1));
  EXPECT_EQ(window.total(), 0);
  window.Correct(-3, mark);
  EXPECT_EQ(window.total(), 0);
  const Store::Mark next = window.Add(2);
  window.Advance(kOpened + seconds(119));
  EXPECT_EQ(window.total(), 2);
  window.Correct(-1, mark);
  EXPECT_EQ(window.total(), 2) << "a correction of the window before";
  window.Correct(-1, next);
  EXPECT_EQ(window.total(), 1);
}

TEST(AnyWindow, GoesOnAfterAClockWasSetBack) {
  for (const Span span : {Span::kSliding, Span::kFixed}) {
    Window window = At(span, minutes(16));
    window.Add(3);
    window.Advance(kOpened + minutes(10));
    window.Advance(kOpened - hours(10));
    EXPECT_EQ(window.total(), 3);
    const Window::State state = window.state();
    EXPECT_LE(state.begin, kOpened - hours(10)) << "by the clock as it is now";
    window.Advance(kOpened - hours(10) + minutes(5));
    EXPECT_EQ(window.total(), 3);
    window.Advance(kOpened - hours(10) + minutes(7));
    EXPECT_EQ(window.total(), 0) << "17 minutes, none of them twice";
  }
}

TEST(AnyWindow, MoreThanTheLimitNeverFits) {
  for (const Span span : {Span::kSliding, Span::kFixed}) {
    const Window window = At(span, minutes(1));
    EXPECT_EQ(window.Wait(11, 10), Duration::max());
    EXPECT_EQ(window.Wait(10, 10), Duration::zero());
    EXPECT_EQ(window.Wait(-11, -100), Duration::zero()) << "giving back always fits";
  }
}

TEST(AnyWindow, TotalsStayNumbersWhateverIsAdded) {
  for (const Span span : {Span::kSliding, Span::kFixed}) {
    Window window = At(span, minutes(1));
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    for (int i = 0; i < 40; ++i) {
      window.Add(kMost);
      EXPECT_EQ(window.total(), Store::Charge::kNoLimit - 1);
      window.Advance(kOpened + seconds(i));
    }
    for (int i = 0; i < 40; ++i) window.Add(-kMost);
    EXPECT_LT(window.total(), Store::Charge::kNoLimit);
    EXPECT_GT(window.total(), -Store::Charge::kNoLimit);
  }
}

// On random times and amounts: never more than the limit within any interval of the window's
// length, and the wait that is named is exact.
TEST(SlidingWindowProperty, NeverHoldsMoreThanTheLimitOverAnyInterval) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    FastRandom random(seed);
    const Duration length = nanoseconds(random.Next() % 5'000'000'000 + 16);
    const auto limit = static_cast<std::int64_t>(random.Next() % 50 + 1);
    Window window = At(Span::kSliding, length, TimePoint(seconds(-3)));
    TimePoint now{seconds(-3)};  // a clock may begin anywhere
    std::vector<std::pair<TimePoint, std::int64_t>> added;
    for (int step = 0; step < 300; ++step) {
      now += Duration(random.Next() % static_cast<std::uint64_t>(length.count() / 5 + 2));
      const auto amount =
          static_cast<std::int64_t>(random.Next() % static_cast<std::uint64_t>(limit)) + 1;
      window.Advance(now);
      const Duration wait = window.Wait(amount, limit);
      if (wait > Duration::zero()) {
        Window before = window, after = window;
        before.Advance(now + wait - nanoseconds(1));
        ASSERT_GT(before.Wait(amount, limit), Duration::zero()) << seed;
        after.Advance(now + wait);
        ASSERT_EQ(after.Wait(amount, limit), Duration::zero()) << seed;
        continue;
      }
      window.Add(amount);
      added.emplace_back(now, amount);
      std::int64_t within = 0;
      for (const auto& [at, how_much] : added) within += now - at <= length ? how_much : 0;
      ASSERT_LE(within, limit) << seed;
    }
  }
}

TEST(SlidingWindowProperty, AClockThatJumpsBackForgetsNothingEarly) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    FastRandom random(seed);
    Window window = At(Span::kSliding, seconds(10));
    TimePoint now = kOpened;
    window.Add(1);
    for (int step = 0; step < 50; ++step) {
      now -= milliseconds(random.Next() % 180'000);
      window.Advance(now);
      ASSERT_EQ(window.total(), 1) << seed;
    }
    // It heals: what counted is gone a window after the clock began to go on, however far back, and
    // a minute later when it looked like workers that were held up.
    for (int i = 0; i < 8; ++i) window.Advance(now += seconds(9));
    ASSERT_EQ(window.total(), 0) << seed;
  }
}

// Against all that was ever added, kept by the time that it was added at. Several workers, each
// with a time that it read some while ago, and a clock that is set back and forth: exactly as much
// as the slices say counts, the limit is never exceeded within a window, and what is corrected is
// corrected where it counts.
class ExactModel {
 public:
  explicit ExactModel(Duration window)
      : window_(window), slice_((window + Duration(Window::kSlices - 1)) / Window::kSlices) {}

  void Add(std::int64_t amount, Store::Mark mark, TimePoint at) {
    added_.push_back({.amount = amount, .mark = mark, .at = at});
  }
  struct Added {
    std::int64_t amount;
    Store::Mark mark;
    TimePoint at;
  };
  Added& any(FastRandom& random) { return added_[random.Next() % added_.size()]; }
  bool empty() const { return added_.empty(); }

  // What must count: nothing that is younger than a window is missing.
  std::int64_t Least(TimePoint now) const { return YoungerThan(now, window_); }
  // What may: nothing is there that is a slice older than it.
  std::int64_t Most(TimePoint now) const { return YoungerThan(now, window_ + slice_); }
  // All that there is begins anew, as of `now`.
  void Forget() { added_.clear(); }

 private:
  std::int64_t YoungerThan(TimePoint now, Duration age) const {
    std::int64_t sum = 0;
    for (const Added& one : added_) sum += now - one.at < age ? one.amount : 0;
    return sum;
  }

  const Duration window_, slice_;
  std::vector<Added> added_;
};

TEST(SlidingWindowProperty, OfTimesOutOfOrderAndClocksThatAreSetNothingIsLostAndNothingStays) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    FastRandom random(seed);
    const auto below = [&random](Duration bound) {
      return Duration(random.Next() % static_cast<std::uint64_t>(bound.count()));
    };
    const Duration length = seconds(1) + below(minutes(30));
    const std::int64_t limit = 100;
    Window window(Span::kSliding, length, seed);
    ExactModel model(length);
    TimePoint time = kOpened;  // that passes, whatever clocks say
    Duration set{};            // of the clock before it
    window.Advance(time);
    for (int step = 0; step < 400; ++step) {
      time += below(length / 8);
      if (random.Next() % 50 == 0) {
        // Back: it goes on where it was, which is where somebody looked last. Forth: it is over.
        const bool back = random.Next() % 2 == 0;
        const Duration by = random.Next() % 2 == 0 ? Duration(hours(1)) : hours(24 * 365);
        window.Advance(time + set);
        set += back ? -by : by;
        window.Advance(time + set);
        if (!back) model.Forget();
        continue;
      }
      // The latest time comes first, so that the model knows it; then one that is late.
      window.Advance(time + set);
      window.Advance(time + set - below(seconds(30)));
      const std::int64_t total = window.total();
      ASSERT_GE(total, model.Least(time)) << seed << " step " << step;
      ASSERT_LE(total, model.Most(time)) << seed << " step " << step;
      const auto amount = static_cast<std::int64_t>(random.Next() % 40) + 1;
      if (window.Wait(amount, limit) == Duration::zero()) {
        model.Add(amount, window.Add(amount), time);
        ASSERT_LE(model.Least(time), limit) << seed << " step " << step;
      }
      if (random.Next() % 3 == 0 && !model.empty()) {
        ExactModel::Added& one = model.any(random);
        const std::int64_t real = static_cast<std::int64_t>(random.Next() % 40);
        const std::int64_t before = window.total();
        // It may be over already; then it is over for the model, too, or within the slice.
        window.Correct(real - one.amount, one.mark);
        if (window.total() != before) one.amount = real;
      }
    }
    window.Advance(time + set + length + length / Window::kSlices + seconds(1));
    ASSERT_EQ(window.total(), 0) << seed;
  }
}

// What goes on from a state, by a clock with another zero, is told apart from the original by
// nothing.
TEST(Windows, GoOnFromTheirStateByAnyClock) {
  FastRandom random(20);
  const auto below = [&random](std::int64_t bound) {
    return static_cast<std::int64_t>(random.Next() % static_cast<std::uint64_t>(bound));
  };
  for (int round = 0; round < 300; ++round) {
    const Span span = round % 2 == 0 ? Span::kSliding : Span::kFixed;
    const Duration length(1 + below(1'000'000));
    const Duration shift(below(1'000'000'000) - 900'000'000);
    TimePoint now = kOpened;
    Window original = At(span, length, now);
    for (int i = 0; i < 20; ++i) {
      now += Duration(below(length.count() / 8 + 1));
      original.Advance(now);
      original.Add(below(100));
    }
    if (original.IsOver(now)) continue;
    Window::State state = original.state();
    state.begin += shift;
    EXPECT_GT(state.End(), now + shift);
    Window copy(state);
    std::vector<std::pair<Store::Mark, Store::Mark>> marks;
    for (int i = 0; i < 40; ++i) {
      original.Advance(now);
      copy.Advance(now + shift);
      ASSERT_EQ(copy.total(), original.total()) << round << " step " << i;
      ASSERT_EQ(copy.Wait(50, 100), original.Wait(50, 100)) << round << " step " << i;
      ASSERT_EQ(copy.IsOver(now + shift), original.IsOver(now)) << round << " step " << i;
      marks.emplace_back(original.Add(i % 3), copy.Add(i % 3));
      const auto& [of_original, of_copy] = marks[random.Next() % marks.size()];
      original.Correct(1 - i % 3, of_original);
      copy.Correct(1 - i % 3, of_copy);
      now += Duration(below(length.count() / 8 + 1));
    }
  }
}

}  // namespace
}  // namespace switchyard::store
