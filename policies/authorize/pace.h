// How often: a rule of `authorize` that holds for calls beyond a rate, or for those within it. What
// is counted are the calls for which all else of the rule holds, for each caller unless it says
// otherwise. A token bucket (core/store.h) of as many calls as the rate names: those that find it
// empty are over the rate, and take nothing. Values, immutable once read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/section.h"
#include "core/call.h"
#include "core/store.h"
#include "policies/lib/argument_test.h"
#include "policies/lib/per.h"

namespace switchyard::policies::authorize {

struct Rule;

struct Pace {
  bool over = false;      // holds beyond the rate; else within it
  std::string rate = {};  // as it was written
  Duration interval{};    // from one call to the next
  std::int64_t count = 1;
  std::vector<Per> per = {Per::kPrincipal};
  // Of its buckets. A rule that keeps its name, level and rate goes on with them after a reload.
  std::string key = {};
  std::uint64_t scope = 0;

  std::string ToText() const;
};

// The key `rate` of `when`; `rule` is what the rule is called, `level` where it stands.
std::optional<Pace> ReadPace(config::Section& when, std::string_view rule, std::string_view level);

// Whether a call is over the rate of a rule; what no one has looked at is not.
struct Paced {
  const Rule* rule;
  Holds over;
};

// Counts. Thread-safe.
class Pacing {
 public:
  // `store` null: nothing can be told. Both outlive this.
  Pacing(Store* store, const Clock& clock) : store_(store), clock_(clock) {}

  // Of each of the rules, which have a pace. A retry that answers what was asked in the middle of a
  // call is counted like any other: whether it is one only those know who asked. But a rule that
  // wants approval wants it of the retry, too, which brings the approval.
  Task<std::vector<Paced>> Look(const Call& call, std::vector<const Rule*> rules) const;

 private:
  Store* const store_;
  const Clock& clock_;
};

}  // namespace switchyard::policies::authorize
