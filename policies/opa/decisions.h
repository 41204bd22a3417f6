// The decisions that are known, for as long as they hold, and those that are being asked for: one
// question a time for all who want to know the same. At most kMost are kept; the one that was not
// asked for longest goes first. Thread-safe; whoever waits does so on its own worker, until its own
// time, and no lock is held meanwhile.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "policies/lib/flight.h"
#include "policies/opa/question.h"

namespace switchyard::policies::opa {

class Decisions : public std::enable_shared_from_this<Decisions> {
 public:
  static constexpr std::size_t kMost = 16'384;

  enum class From : std::uint8_t { kAsked, kKept, kShared };
  struct Found {
    Said said;
    From from = From::kAsked;
  };
  using Ask = std::function<Task<Result<Said>>()>;

  explicit Decisions(const Clock& clock, std::size_t most = kMost) : clock_(clock), most_(most) {}

  // What is known, or what `ask` says now. An error of one who asked is told to all who waited for
  // it, and not kept; who gives up while others wait leaves it to them to ask again. `ask` and what
  // it borrows live as long as the task.
  static Task<Result<Found>> Get(std::shared_ptr<Decisions> self, std::string key, Duration ttl,
                                 TimePoint until, Ask ask);

  std::size_t size() const;

 private:
  class Asking;  // a Flight
  class Lead;
  struct Slot {
    std::optional<Said> said = {};
    TimePoint expires{};
    std::shared_ptr<Asking> asking = nullptr;
    std::list<std::string>::iterator place = {};  // in order_, once something is said
  };

  void Keep(const std::string& key, const Said& said, Duration ttl);
  void Forget(const std::string& key, const Asking& asking);

  const Clock& clock_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::unordered_map<std::string, Slot> slots_;
  std::list<std::string> order_;  // of those with a decision; the last used is first
};

}  // namespace switchyard::policies::opa
