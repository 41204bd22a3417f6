// Tasks made of one: what its text splits into, what each part needs of an agent, and who gets it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestration/decomposition/split.h"
#include "orchestration/planning/plan.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

// What agents can do, for suggestions: names of capabilities.
Result<std::vector<std::string>> KnownCapabilities(Records& records);
inline constexpr std::size_t kMaxCapabilities = 1'000;  // that are looked for

// Names of capabilities, to be found in texts.
class Vocabulary {
 public:
  explicit Vocabulary(const std::vector<std::string>& known);
  // Those that the text speaks of, whole words, "data_analysis" also as "data analysis". Sorted.
  std::vector<std::string> In(std::string_view text) const;

 private:
  struct Name {
    std::string name = {}, plain = {}, first = {};
  };
  std::vector<Name> names_;
};
// For one text.
std::vector<std::string> CapabilitiesIn(std::string_view text,
                                        const std::vector<std::string>& known);

struct Decomposition {
  std::string text = {};  // what was split; "" = that of `parent`
  TaskId parent = 0;      // 0 = one is made for it when the parts are
  SplitLimits limits = {};
  std::vector<std::string> capabilities = {};  // to suggest from; empty = what agents can do
  Priority priority = Priority::kMedium;
  std::int64_t deadline = 0;
  std::optional<Plan> plan = {};  // of a model; none = it is split by its structure
  std::string planned = {};       // the text that the plan is of
  std::string idempotency = {};   // a repeated call gives what the first one made; "" = it does not

  // What Settle() found.
  std::string digest = {};  // of what a repeated call must ask for again
  std::shared_ptr<const Result<Split>> split = nullptr;  // of `text`, by its structure
};
// What is to be known of it before there is a transaction, in which others would wait for it: texts
// may be long.
void Settle(Decomposition& wanted);
// Whether a call before made it, so that nothing is left to be planned. kInvalid: one with the same
// key asked for something else.
Result<bool> WasMade(Records& records, const Decomposition& wanted);
// What a model would be asked that is to plan it. kInvalid: nothing could come of it.
Result<Brief> BriefOf(Records& records, const Decomposition& wanted);
// kInvalid: it is over, so that nothing can become a part of it.
Result<void> IsOpen(Records& records, TaskId parent);
struct Parts {
  Split split = {};
  std::vector<std::vector<std::string>> requirements = {};  // by piece
  TaskId parent = 0;
  std::vector<TaskId> tasks = {};  // by piece; of those that were made
};
// Changes nothing.
Result<Parts> Preview(Records& records, const Decomposition& wanted);
// Makes the parts tasks under the parent, which waits for them if nobody has it yet; or gives those
// that a call before made.
Result<Parts> Decompose(Records& records, const Decomposition& wanted);

// Hands ready tasks to the best agents, one after the other.
struct Handed {
  TaskId task = 0;
  std::string agent = {};  // "" = nobody
  std::int64_t fence = 0;
  std::string why = {};  // why it was, or was not, handed out
};
struct HandOut {
  std::vector<TaskId> tasks = {};
  std::vector<std::string> among = {};  // agents, sorted; empty = all
  std::int64_t lease_ms = 0;
};
Result<std::vector<Handed>> HandOutTasks(Records& records, const HandOut& wanted);
// Of a task: all that are known, first made first.
Result<std::vector<TaskId>> ChildrenOf(Records& records, TaskId parent, std::int64_t limit);
// Those that nobody has: the ready ones, first made first, then those that wait for others.
Result<std::vector<TaskId>> PendingOf(Records& records, TaskId parent, std::int64_t limit);

}  // namespace switchyard::orchestration
