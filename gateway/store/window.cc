#include "store/window.h"

#include <algorithm>
#include <numeric>

namespace switchyard::store {
namespace {

// Saturates: totals of a long life and of hostile amounts stay numbers, and can be negated.
std::int64_t Plus(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kMost = Store::Charge::kNoLimit - 1;
  return std::clamp(std::clamp(a, -kMost, kMost) + std::clamp(b, -kMost, kMost), -kMost, kMost);
}

// How far into its slice a time is, also before the origin.
std::int64_t Into(Duration since_origin, Duration slice) {
  const std::int64_t rest = since_origin.count() % slice.count();
  return rest < 0 ? rest + slice.count() : rest;
}

Duration WindowOf(Duration given) {
  return std::clamp(given, Duration(Window::kSlices), Store::kLongest);
}

// Two to the 32 marks for each number; never kNoMark.
Store::Mark MarksOf(std::uint64_t number) {
  return static_cast<Store::Mark>((number & 0x7fffffffU) << 32U);
}

// Nothing counts less than nothing.
void AddTo(std::int64_t& slice, std::int64_t amount) {
  slice = std::max<std::int64_t>(Plus(slice, amount), 0);
}

Duration SliceOf(Duration window) {
  return (window + Duration(Window::kSlices - 1)) / Window::kSlices;
}

}  // namespace

Window::Window(Store::Span span, Duration window, std::uint64_t number)
    : span_(span), window_(WindowOf(window)), marks_(MarksOf(number)) {}

Window::Window(const State& state, std::uint64_t number)
    : span_(state.span),
      window_(WindowOf(state.window)),
      origin_(Into(state.begin.time_since_epoch(), SliceOf(WindowOf(state.window)))),
      marks_(MarksOf(number)),
      now_(state.begin) {
  if (span_ == Store::Span::kFixed) {
    begun_ = true;
    begin_ = state.begin;
    AddTo(slices_[0], state.slices.back());
    Sum();
    return;
  }
  first_ = IndexOf(now_) - kSlices;
  for (int i = 0; i <= kSlices; ++i) AddTo(slices_[PlaceOf(first_ + i)], state.slices[i]);
  Sum();
}

Window::State Window::state() const {
  State state{.span = span_, .window = window_};
  if (span_ == Store::Span::kFixed) {
    state.begin = begin_ - ahead_;
    state.slices.back() = slices_[0];
    return state;
  }
  const std::int64_t newest = IndexOf(now_);
  state.begin = BeginOf(newest) - ahead_;
  for (int i = 0; i <= kSlices; ++i) state.slices[i] = slices_[PlaceOf(newest - kSlices + i)];
  return state;
}

TimePoint Window::State::End() const {
  const Duration length = WindowOf(window);
  return begin + (span == Store::Span::kFixed ? length : SliceOf(length) * (kSlices + 1));
}

Duration Window::Slice() const { return SliceOf(window_); }

std::int64_t Window::IndexOf(TimePoint at) const {
  const Duration since = at.time_since_epoch() - origin_;
  return (since.count() - Into(since, Slice())) / Slice().count();
}

TimePoint Window::BeginOf(std::int64_t index) const { return TimePoint(origin_ + Slice() * index); }

std::size_t Window::PlaceOf(std::int64_t index) {
  constexpr std::int64_t kPlaces = kSlices + 1;
  return static_cast<std::size_t>((index % kPlaces + kPlaces) % kPlaces);
}

TimePoint Window::OwnTime(TimePoint now) const {
  constexpr Duration kHeldUp = std::chrono::minutes(1);
  const TimePoint own = now + ahead_;
  return own < now_ - std::max(window_, kHeldUp) ? now_ : own;
}

Store::Mark Window::MarkOf(std::int64_t index) const { return marks_ + (index - first_); }

void Window::Advance(TimePoint now) {
  if (now_ == TimePoint::min()) {
    now_ = now;
    if (span_ == Store::Span::kSliding) first_ = IndexOf(now) - kSlices;
    return;
  }
  const TimePoint own = OwnTime(now);
  ahead_ = own - now;
  if (own <= now_) return;
  const std::int64_t before = IndexOf(now_);
  now_ = own;
  if (span_ == Store::Span::kFixed) {
    if (begun_ && now_ - begin_ >= window_) {
      begun_ = false;
      slices_[0] = 0;
      Sum();
    }
    return;
  }
  const std::int64_t newest = IndexOf(now_);
  const std::int64_t steps = std::min<std::int64_t>(newest - before, kSlices + 1);
  for (std::int64_t i = 0; i < steps; ++i) slices_[PlaceOf(newest - i)] = 0;
  if (steps > 0) Sum();
}

void Window::Sum() {
  total_ = std::accumulate(slices_.begin(), slices_.end(), std::int64_t{0}, Plus);
}

Duration Window::Wait(std::int64_t amount, std::int64_t limit) const {
  std::int64_t left = total();
  if (amount <= 0 || Plus(left, amount) <= limit) return Duration::zero();
  if (amount > limit) return Duration::max();
  if (span_ == Store::Span::kFixed) return begun_ ? begin_ + window_ - now_ : Duration::max();
  const std::int64_t newest = IndexOf(now_);
  const Duration into(Into(now_.time_since_epoch() - origin_, Slice()));
  for (int i = kSlices; i >= 0; --i) {
    left = Plus(left, -slices_[PlaceOf(newest - i)]);
    // The slice that is i old leaves when the newest has become kSlices + 1 - i slices younger.
    if (Plus(left, amount) <= limit) return Slice() * (kSlices + 1 - i) - into;
  }
  return Duration::max();
}

Store::Mark Window::Add(std::int64_t amount) {
  if (span_ == Store::Span::kSliding) {
    const std::int64_t newest = IndexOf(now_);
    AddTo(slices_[PlaceOf(newest)], amount);
    Sum();
    return MarkOf(newest);
  }
  if (!begun_ && amount > 0) {
    begun_ = true;
    begin_ = now_;
    ++first_;
  }
  if (begun_) AddTo(slices_[0], amount);
  Sum();
  return marks_ + first_;
}

void Window::Correct(std::int64_t amount, Store::Mark mark) {
  if (span_ == Store::Span::kFixed) {
    if (begun_ && mark == marks_ + first_) AddTo(slices_[0], amount);
    return Sum();
  }
  const std::int64_t newest = IndexOf(now_);
  if (mark < std::max(marks_, MarkOf(newest - kSlices)) || mark > MarkOf(newest)) return;
  AddTo(slices_[PlaceOf(first_ + (mark - marks_))], amount);
  Sum();
}

bool Window::IsOver(TimePoint now) const {
  if (std::ranges::all_of(slices_, [](std::int64_t slice) { return slice == 0; })) return true;
  const TimePoint own = OwnTime(now);
  if (span_ == Store::Span::kFixed) return !begun_ || own - begin_ >= window_;
  return own - now_ >= Slice() * (kSlices + 1);
}

}  // namespace switchyard::store
