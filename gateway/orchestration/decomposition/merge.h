// One result made of several. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/result.h"

namespace switchyard::orchestration {

struct Source {
  std::string name = {};           // a task's id, or its place in the call: "results[2]"
  boost::json::value result = {};  // as Kept() reads it (verbatim.h), so that numbers stay
};
struct Merged {
  boost::json::value result = {};           // to be written by ToText()
  std::vector<std::string> used = {};       // names of the sources that are in it
  std::vector<std::string> conflicts = {};  // of deep_merge: members that the later one won; cut
  std::size_t votes = 0;                    // of vote: how many said so
};
// concatenate: lists one after the other, anything else as text with `separator` between.
// deep_merge: objects member by member; of two values that are no objects, and no lists, which are
// put together, the later one stands. vote: what most say, of equals what was said first.
// first_success: the first that is not null. table: a row for each, columns are what objects have.
// kInvalid: there is nothing to merge, or it cannot be merged in this way.
Result<Merged> Merge(std::string_view strategy, std::vector<Source> sources,
                     std::string_view separator);

}  // namespace switchyard::orchestration
