// Something that is done by one at a time: who comes meanwhile waits, and looks again at what there
// is when it is over, however it ended. One thread, that of the executor that awaits.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "base/result.h"
#include "base/task.h"

namespace switchyard::credentials {

class Turn {
 public:
  // Outlived by its turn. Taken at once after Free(), with no co_await between them.
  class Taken {
   public:
    explicit Taken(Turn& turn) : turn_(turn) { turn_.taken_ = true; }
    Taken(const Taken&) = delete;
    ~Taken() {
      turn_.taken_ = false;
      for (const auto& box : std::exchange(turn_.waiting_, {})) box->Put(true);
    }

   private:
    Turn& turn_;
  };

  bool taken() const { return taken_; }
  // Until nobody has it. Who awaits keeps it alive.
  Task<void> Free() {
    while (taken_) {
      const auto box = std::make_shared<Mailbox<bool>>();
      waiting_.push_back(box);
      co_await box->Take();
    }
  }

 private:
  bool taken_ = false;
  std::vector<std::shared_ptr<Mailbox<bool>>> waiting_;
};

// The same, and not for a while after it failed: a second, doubling to a minute.
class Tries {
 public:
  Turn turn;

  // What went wrong, while it is not to be tried again.
  std::optional<Error> Pausing(TimePoint now) const {
    return now < not_before_ ? std::optional(error_) : std::nullopt;
  }
  void Failed(TimePoint now, const Error& error) {
    error_ = error;
    not_before_ = now + backoff_.Next(ThreadRandom().NextUnit());
  }
  // Also when something new is known.
  void StartOver() {
    not_before_ = TimePoint::min();
    backoff_.WasUp(kLongest);
  }

 private:
  static constexpr Duration kLongest = std::chrono::minutes(1);

  TimePoint not_before_ = TimePoint::min();
  Error error_ = {};
  Backoff backoff_{Backoff::Config{
      .initial = std::chrono::seconds(1), .cap = kLongest, .reset_after = kLongest}};
};

}  // namespace switchyard::credentials
