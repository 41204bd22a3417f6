// What agents think of what others contributed. Each voter has one vote on an agent, the mean of
// what it said, so that nobody makes or breaks an agent alone by saying it often. A caller that
// proved who it is is one voter, whatever agents it has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "orchestration/agents.h"

namespace switchyard::orchestration {

struct Evaluation {
  std::string evaluator = {}, contributor = {};  // agents; the evaluator acts
  std::string contribution = {};                 // an id of ours, or what they call it
  std::optional<std::int64_t> score = {};        // thousandths; none = words only
  std::string criteria = {};                     // JSON of an object
  std::string comments = {};
};
struct Evaluated {
  Agent contributor = {};  // as it is then
  bool strangers = false;  // nothing shows that they had to do with each other: it does not count
};
// Replaces what this voter said of this contribution before. kInvalid: of itself, or of what the
// contributor had no part in as far as that is known. A score counts where the contribution was for
// who evaluates: a task that its caller created (callers that prove nothing are one), that is a
// part of a task of its own, or for which one of its newest thousand waits or waited; the answer to
// its request; a message to it. Any other counts where the contributor opened a session with it, or
// a message that it wrote is among the newest thousand to it. What others bring about without it
// does not: that it was invited, or declined.
Result<Evaluated> Evaluate(Records& records, const Evaluation& evaluation);

// More are not kept: the oldest go.
inline constexpr std::int64_t kMostEvaluations = 100'000;

// The agent is gone. What it said goes with it, a hundred at most, the rest in time, unless its
// caller proved who it is: then it was the caller that said it.
Result<void> LeaveEvaluations(Records& records, const std::string& voter);

// Forgets those that are as old as tasks that are forgotten, and a day at least, with what they
// added to the quality.
Result<bool> ForgetEvaluations(Records& records, std::int64_t limit);

}  // namespace switchyard::orchestration
