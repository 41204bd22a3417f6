// Splits the text of a task into steps by its structure alone: lists, numbered steps, and words
// such as "and then" between clauses. No model is asked. Pure, and linear in the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace switchyard::orchestration {

struct SplitLimits {
  std::size_t most = 20;  // pieces
  std::size_t depth = 2;  // levels of nested lists; what is deeper stays in the text above it
};
inline constexpr std::size_t kMostPieces = 50;
inline constexpr std::size_t kDeepestSplit = 4;

struct Piece {
  std::string ref = {};   // "2" or "2.1": unique
  std::string text = {};  // not empty
  // Refs of what comes before it: the step before an ordered one, and the parts of one that has
  // parts, which thus comes last.
  std::vector<std::string> needs = {};
};
struct Split {
  std::string_view found = "nothing";  // list, steps, connectives, sentences, plan or before
  std::vector<Piece> pieces = {};      // parts before what they are parts of; empty: nothing
  std::vector<std::string> last =
      {};  // refs of those that nobody needs: when they are done, all is
};
// kInvalid: there are more pieces than there may be.
Result<Split> SplitText(std::string_view text, const SplitLimits& limits);

}  // namespace switchyard::orchestration
