// Texts of tasks that are to be split. The first byte says how deep.
// - what there is of pieces is within the bounds, each has a text of its own and a ref of its own;
// - each needs only what comes before it, so there are no circles;
// - nothing is made up: all pieces together are no longer than the text.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "orchestration/decomposition/decompose.h"
#include "orchestration/decomposition/split.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using namespace switchyard::orchestration;
  using fuzz::Require;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  SplitLimits limits{.most = kMostPieces};
  if (!text.empty()) {
    limits.depth =
        1 + static_cast<std::size_t>(static_cast<unsigned char>(text[0])) % kDeepestSplit;
    text.remove_prefix(1);
  }
  const Result<Split> split = SplitText(text, limits);
  if (!split) {
    Require(split.error().code == Code::kInvalid, "what is refused is the caller's");
    return 0;
  }
  Require(split->pieces.size() <= kMostPieces && split->pieces.size() != 1, "none, or some");
  Require(split->last.empty() == split->pieces.empty(), "some come last");
  std::set<std::string> known;
  std::size_t bytes = 0;
  for (const Piece& piece : split->pieces) {
    Require(!piece.text.empty(), "each has a text");
    bytes += piece.text.size();
    for (const std::string& need : piece.needs) {
      Require(known.contains(need), "each needs what comes before it");
    }
    Require(known.insert(piece.ref).second, "each has a ref of its own");
    static_cast<void>(CapabilitiesIn(piece.text, {"python", "c++", "data_analysis"}));
  }
  for (const std::string& ref : split->last) Require(known.contains(ref), "those are known");
  Require(bytes <= text.size(), "nothing is made up");
  return 0;
}
