// What a model is asked that is to split a task, and what its answer is worth. Pure.
//
// Neither the text of a task nor the answer is trusted. The text goes as data between two marks
// that nobody could guess who wrote it; and of the answer only what ReadPlan() gives is used:
// parts, what they wait for, and capabilities that are known.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "orchestration/decomposition/split.h"

namespace switchyard::orchestration {

// Bytes of UTF-8.
inline constexpr std::size_t kMostPlanned = 64 * 1024;  // of a text that is to be split
inline constexpr std::size_t kMostAnswer = 256 * 1024;  // of a model's answer
inline constexpr std::size_t kLongestPart = 16 * 1024;
// In number: capabilities that a model is told of; what does not fit it cannot suggest.
inline constexpr std::size_t kMostSuggested = 200;

struct Brief {
  std::string text = {};                       // to split, at most kMostPlanned; "" = nothing is
  std::vector<std::string> capabilities = {};  // that may be suggested; sorted
  std::size_t most = 20;                       // parts
  std::string mark = {};                       // see above: of letters and digits
  std::string wrong = {};                      // with the last answer; our own words. "" = nothing
};
std::string RulesOf(const Brief& brief);  // what the model is to go by
std::string DataOf(const Brief& brief);   // what it is to go by that for
std::string_view PlanSchema();            // JSON Schema of its answer

struct Plan {
  Split split = {};  // none or two and more; each after what it waits for
  std::vector<std::vector<std::string>> requirements = {};  // by piece; of the brief's capabilities
};
// `answer`: {"parts":[{"content":"...","capabilities":["..."],"depends_on":[1]}]}, also with a
// fence of Markdown around it. depends_on counts from 1. kProtocol: it is no plan; the message says
// why, and has no word of the answer in it.
Result<Plan> ReadPlan(const std::string& answer, const Brief& brief);

}  // namespace switchyard::orchestration
