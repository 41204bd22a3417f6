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
// Replaces what this voter said of this contribution before. Gives the contributor as it is then.
// kInvalid: of itself, or of what the contributor had no part in as far as that is known.
Result<Agent> Evaluate(Records& records, const Evaluation& evaluation);

// Forgets the records that are too old; what they added to the quality stays.
Result<bool> ForgetEvaluations(Records& records, std::int64_t limit);

}  // namespace switchyard::orchestration
