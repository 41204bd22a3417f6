#include "base/timers.h"

#include <algorithm>
#include <utility>

#include "base/mailbox.h"

namespace switchyard {
namespace {

constexpr Duration kLongestLook = std::chrono::milliseconds(2);  // at a clock that leaps

}  // namespace

struct Timers::Handle::State {
  Timers* timers;
  std::multimap<TimePoint, State*>::iterator at;
  Callback callback;
  Handle* handle = nullptr;  // follows moves of the handle
};

Timers::Handle::Handle(Handle&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {
  if (state_ != nullptr) state_->handle = this;
}

Timers::Handle& Timers::Handle::operator=(Handle&& other) noexcept {
  if (this == &other) return *this;
  Cancel();
  state_ = std::exchange(other.state_, nullptr);
  if (state_ != nullptr) state_->handle = this;
  return *this;
}

void Timers::Handle::Cancel() {
  if (state_ == nullptr) return;
  State* state = std::exchange(state_, nullptr);
  state->timers->entries_.erase(state->at);
  delete state;
}

Timers::Timers(net::io_context& context, const Clock& clock)
    : timer_(context.get_executor()), clock_(clock), pace_(clock.pace()) {}

Timers::~Timers() {
  // One by one: what a callback owns may cancel other timers.
  while (!entries_.empty()) {
    Handle::State* state = entries_.begin()->second;
    entries_.erase(entries_.begin());
    if (state->handle != nullptr) state->handle->state_ = nullptr;
    delete state;
  }
}

Timers::Handle Timers::At(TimePoint at, Callback callback) {
  if (at == TimePoint::max()) return Handle();
  auto* state = new Handle::State{.timers = this, .at = {}, .callback = std::move(callback)};
  state->at = entries_.emplace(at, state);
  if (at < armed_for_) Arm();
  Handle handle(state);
  state->handle = &handle;
  return handle;
}

Timers::Handle Timers::In(Duration delay, Callback callback) {
  return At(clock_.Now() + delay, std::move(callback));
}

Task<void> Timers::Sleep(Duration delay) {
  Mailbox<bool> done;
  Handle handle = In(delay, [&done] { done.Put(true); });
  co_await done.Take();
}

void Timers::FireDue() {
  const TimePoint now = clock_.Now();
  while (!entries_.empty() && entries_.begin()->first <= now) {
    Handle::State* state = entries_.begin()->second;
    entries_.erase(entries_.begin());
    if (state->handle != nullptr) state->handle->state_ = nullptr;
    Callback callback = std::move(state->callback);
    delete state;
    callback();
  }
}

void Timers::Arm() {
  if (pace_ == Clock::Pace::kStands || entries_.empty()) return;
  armed_for_ = entries_.begin()->first;
  if (pace_ == Clock::Pace::kRuns) {
    timer_.expires_at(armed_for_);
  } else {
    timer_.expires_after(std::min<Duration>(armed_for_ - clock_.Now(), kLongestLook));
  }
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;  // re-armed for an earlier entry, or the worker is gone
    armed_for_ = TimePoint::max();
    FireDue();
    if (!entries_.empty() && entries_.begin()->first < armed_for_) Arm();
  });
}

}  // namespace switchyard
