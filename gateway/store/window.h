// A total over a window of time, see Store::Span. A sliding window is kept in slices of a sixteenth
// of it; a slice counts until all of it is older than the window, so the total is never too small.
// Pure; a value.
//
// It goes by the latest time that anybody came with: workers read the clock before they come here,
// so times are out of order, and nothing that counts may be lost by that. A time before the latest
// by up to a minute, or the window if that is longer, is that of a worker that was held up. One
// before that is of a clock that was set back: its time goes on from the latest then. So what
// counts goes at most that much later; set forward, a clock ends windows earlier.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "core/store.h"

namespace switchyard::store {

class Window {
 public:
  // Windows that follow each other under a name differ in `number`, so that marks of one say
  // nothing to another.
  Window(Store::Span span, Duration window, std::uint64_t number = 0);

  // To be called with the time first: forgets what is over.
  void Advance(TimePoint now);

  std::int64_t total() const { return total_; }
  // Until a positive amount fits under a limit if nothing else comes; zero = now.
  Duration Wait(std::int64_t amount, std::int64_t limit) const;
  Store::Mark Add(std::int64_t amount);
  // What was added with this mark, if it still counts. Takes away no more than counts there.
  void Correct(std::int64_t amount, Store::Mark mark);

  bool IsOver(TimePoint now) const;  // nothing that it counts is left

  static constexpr int kSlices = 16;
  // All of it, to go on from elsewhere. Of a sliding window `begin` is that of its newest slice,
  // and the slices are in order, the oldest first; of a fixed one it is that of the window, and the
  // total is the last slice.
  struct State {
    Store::Span span = Store::Span::kSliding;
    Duration window{};
    TimePoint begin{};
    std::array<std::int64_t, kSlices + 1> slices{};

    TimePoint End() const;  // from then on it counts nothing
  };
  State state() const;  // not over at the time of the last Advance()
  // Slices begin where those of the state did, whatever the clock's zero is now.
  explicit Window(const State& state, std::uint64_t number = 0);

  bool Is(Store::Span span, Duration window) const { return span == span_ && window == window_; }

 private:
  TimePoint OwnTime(TimePoint now) const;
  Store::Mark MarkOf(std::int64_t index) const;
  Duration Slice() const;
  std::int64_t IndexOf(TimePoint at) const;
  TimePoint BeginOf(std::int64_t index) const;
  static std::size_t PlaceOf(std::int64_t index);
  void Sum();  // after a change of the slices

  const Store::Span span_;
  const Duration window_;
  const Duration origin_{};           // where slices begin, after the clock's zero
  const std::int64_t marks_;          // of all that it ever counts, the first
  TimePoint now_ = TimePoint::min();  // its own time, as that which follows: it never goes back
  Duration ahead_{};                  // of its own time before the clock's
  // Of a sliding window: the slices from newest - kSlices to newest. Of a fixed one: its total is
  // the first, and begin_ is its first addition.
  std::array<std::int64_t, kSlices + 1> slices_{};
  std::int64_t total_ = 0;  // of the slices
  std::int64_t first_ =
      0;  // index of the slice with the first mark; of a fixed one, how many began
  bool begun_ = false;
  TimePoint begin_{};
};

}  // namespace switchyard::store
