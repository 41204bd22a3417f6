// Models that split tasks: whom the configuration names (orchestration.planner), one after the
// other, and what becomes of it when none of them gives a plan. decisions/0059.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"
#include "core/call.h"
#include "orchestration/planning/plan.h"

namespace switchyard::telemetry {
class Metrics;
}

namespace switchyard::orchestration {

// What a model said, or how its client is to be asked for that.
struct Heard {
  std::string words = {};
  int round = 1;              // which question it answers
  std::string question = {};  // inputRequests, JSON: the call ends with it, and comes again
};

// One model. Thread-safe.
class Planner {
 public:
  virtual ~Planner() = default;
  virtual std::string_view name() const = 0;  // url or sampling: a label of metrics
  virtual bool MayAsk(const Call& call) const = 0;
  virtual bool Waits() const = 0;  // Ask() does, for somebody's answer
  // The answer to this round's question or, where the call brings one along, to a later one's.
  // An Error's message is for the log. `call` outlives the task.
  virtual switchyard::Task<Result<Heard>> Ask(Brief brief, int round, const Call& call,
                                              Deadline deadline) const = 0;
};

// What is known before the parts are made.
struct Planned {
  std::optional<Plan> plan = {};  // none: the text is split by its structure
  std::string text = {};          // that the plan is of
  std::string why = {};           // there is none; "" = nobody wanted one
  std::string question = {};      // as Heard has it: nothing is to be done yet
};

// Immutable but for what it counts; thread-safe. What it is made of outlives its tasks.
class Planners {
 public:
  static constexpr int kRounds = 2;  // a question, and one more with what was wrong
  struct Options {
    std::vector<std::unique_ptr<const Planner>> planners =
        {};                                       // the first one that may be asked is
    Duration timeout = std::chrono::seconds(20);  // of both rounds
    std::size_t max_parts = 20;
    std::size_t concurrency = 8;  // calls that are planned at a time
  };
  Planners(Options options, const Clock& clock, telemetry::Metrics& metrics)
      : options_(std::move(options)), clock_(clock), metrics_(metrics) {}

  // Never fails: where there is no plan it says why. Holds no transaction, and leaves a part of the
  // call's time for one.
  switchyard::Task<Planned> Make(Brief brief, const Call& call) const;

 private:
  class Place;
  switchyard::Task<Planned> PlanBy(const Planner& planner, Brief brief, const Call& call) const;
  void Count(const Planner& planner, std::string_view outcome) const;

  const Options options_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  mutable std::atomic<std::size_t> running_ = 0;
};

}  // namespace switchyard::orchestration
