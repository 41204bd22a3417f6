// Answers of models that are to split a task. The first byte says as what they are read.
// - it is a plan or refused in our own words, which a log and a model can be given;
// - a plan is within its bounds, has no circles, and each part is after what it waits for;
// - it needs nothing but capabilities that the model was told.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "fuzz/require.h"
#include "mcp/json_string.h"
#include "orchestration/planning/chat.h"
#include "orchestration/planning/plan.h"
#include "orchestration/planning/sampling.h"

namespace {

using namespace switchyard;
using namespace switchyard::orchestration;
using fuzz::Require;

void CheckPlan(const std::string& answer) {
  const Brief brief{.text = "t", .capabilities = {"art", "print"}, .most = 5, .mark = "m"};
  const Result<Plan> plan = ReadPlan(answer, brief);
  if (!plan) {
    const std::string& why = plan.error().message;
    Require(!why.empty() && why.size() < 200 && mcp::IsUtf8(why), "a refusal is short");
    return;
  }
  const Split& split = plan->split;
  Require(split.pieces.size() <= brief.most && split.pieces.size() != 1, "none, or some");
  Require(plan->requirements.size() == split.pieces.size(), "each has its requirements");
  Require(split.last.empty() == split.pieces.empty(), "some come last");
  std::set<std::string> known;
  for (const Piece& piece : split.pieces) {
    Require(!piece.text.empty() && piece.text.size() <= kLongestPart, "each has a text");
    Require(mcp::IsUtf8(piece.text), "which is text");
    for (const std::string& need : piece.needs) {
      Require(known.contains(need), "each waits for what is before it");
    }
    Require(known.insert(piece.ref).second, "each has a ref of its own");
  }
  for (const std::string& ref : split.last) Require(known.contains(ref), "those are known");
  for (const auto& words : plan->requirements) {
    for (const std::string& word : words) {
      Require(std::ranges::binary_search(brief.capabilities, word), "no word is made up");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: CheckPlan(text); break;
    case 1:
      if (const Result<std::string> said = ChatAnswerIn(text)) CheckPlan(*said);
      break;
    default: CheckPlan(SampledIn(text));
  }
  return 0;
}
