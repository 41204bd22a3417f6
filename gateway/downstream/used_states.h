// Which sealed states of modern servers were brought back: each serves one call. It is free again
// when that call comes to no result (refused, broken, dropped by its client), for then the client
// may ask once more. protocol: basic/patterns/mrtr, server requirements.
//
// One object, shared by all workers; thread-safe. Outlives the uses that it gave.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/clock.h"

namespace switchyard::downstream {

class UsedStates {
 public:
  // `most` that had their result are remembered; the first ones go first.
  explicit UsedStates(std::size_t most = 100'000) : most_(most) {}
  UsedStates(const UsedStates&) = delete;

  class Use {
   public:
    Use(Use&& other) noexcept
        : states_(std::exchange(other.states_, nullptr)),
          ticket_(std::move(other.ticket_)),
          until_(other.until_) {}
    Use& operator=(Use&&) = delete;
    ~Use();

    // There is a result: never again.
    void Keep();

   private:
    friend class UsedStates;
    Use(UsedStates* states, std::string ticket, TimePoint until)
        : states_(states), ticket_(std::move(ticket)), until_(until) {}
    UsedStates* states_;
    std::string ticket_;
    TimePoint until_;
  };

  // nullopt: it was used, or is being used. `until`: no longer valid anyway.
  std::optional<Use> Begin(std::string ticket, TimePoint now, TimePoint until);

 private:
  const std::size_t most_;
  std::mutex mutex_;  // guards what follows
  std::unordered_set<std::string> taken_;
  std::deque<std::pair<TimePoint, std::string>> kept_;  // until when; those that had their result
};

}  // namespace switchyard::downstream
