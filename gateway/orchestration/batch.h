// Tasks that one call makes, all or none, and which wait for each other by names that it gives
// them.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/arguments.h"
#include "orchestration/moves.h"

namespace switchyard::orchestration {

inline constexpr std::int64_t kMostAttempts = 100;

// As create_task has it. Without depends_on, which a batch reads in its own way.
NewTask NewTaskOf(Arguments& arguments);
// What a repeated call must ask for again.
std::string DigestOf(const NewTask& task, const std::vector<std::string>& depends_on);

struct BatchItem {
  NewTask task = {};
  std::string ref = {};                 // its name in this call; "" = it has none
  std::vector<std::string> needs = {};  // refs of this call, or ids
  std::size_t place = 0;                // in the list that the call brought
};

struct Batch {
  std::vector<BatchItem> items = {};
  std::map<std::string, std::size_t> refs = {};  // to the place of each

  // Reads one from `item`, which is the call's in that place; what is wrong with it is wrong with
  // `whole`.
  void Add(Arguments& item, std::size_t place, Arguments& whole);
  // After the last one: what they wait for, and what repeated calls must ask for again.
  void Settle();
};

// In the order of the batch. `name` is how refusals call it: "tasks".
Result<std::vector<Task>> CreateAll(Records& records, const Batch& batch, std::string_view name);

}  // namespace switchyard::orchestration
