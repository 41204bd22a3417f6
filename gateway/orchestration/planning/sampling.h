// The model of the client that calls, asked by sampling: the call is answered by a question
// (input_required), and comes again with what the model said. A legacy client is asked within its
// call (edge/asks). MRTR = basic/patterns/mrtr, client/sampling.
//
// The client is given no state: the key of the question says which round it is of, and of which
// text, so that an answer to another one is none.
#pragma once

#include <string>
#include <string_view>

#include "orchestration/planning/planner.h"

namespace switchyard::orchestration {

class SamplingPlanner final : public Planner {
 public:
  std::string_view name() const override { return "sampling"; }
  bool MayAsk(const Call& call) const override;
  bool Waits() const override { return false; }  // the call comes again with the answer
  switchyard::Task<Result<Heard>> Ask(Brief brief, int round, const Call& call,
                                      Deadline deadline) const override;
};

// What a CreateMessageResult says, raw JSON: its text, "" = none. Pure.
std::string SampledIn(const std::string& raw);

}  // namespace switchyard::orchestration
