#include "orchestration/lifecycle.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace switchyard::orchestration {
namespace {

struct Step {
  std::string_view tool;
  Status from, to;
};

constexpr Step kSteps[] = {
#define MOVE(tool, from, to) {#tool, Status::from, Status::to},
#define HAPPENS(what, from, to)
#include "orchestration/lifecycle.def"
#undef MOVE
#undef HAPPENS
};

constexpr Step kWays[] = {
#define MOVE(tool, from, to) {#tool, Status::from, Status::to},
#define HAPPENS(what, from, to) {#what, Status::from, Status::to},
#include "orchestration/lifecycle.def"
#undef MOVE
#undef HAPPENS
};

constexpr std::array<std::string_view, kStatuses> kStatusWords = {
    "pending", "assigned", "in_progress", "completed", "failed", "cancelled"};
constexpr std::array<std::string_view, kPriorities> kPriorityWords = {"low", "medium", "high"};

template <class Enum, std::size_t kCount>
std::optional<Enum> Find(const std::array<std::string_view, kCount>& words, std::string_view word) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

std::string ToolsFor(Status status) {
  std::string tools;
  for (const Step& step : kSteps) {
    if (step.from != status || tools.ends_with(step.tool)) continue;
    tools.append(tools.empty() ? "" : ", ").append(step.tool);
  }
  return tools;
}

}  // namespace

std::string_view ToString(Status status) { return kStatusWords[static_cast<std::size_t>(status)]; }
std::string_view ToString(Priority priority) {
  return kPriorityWords[static_cast<std::size_t>(priority)];
}
std::optional<Status> StatusOf(std::string_view word) { return Find<Status>(kStatusWords, word); }
std::optional<Priority> PriorityOf(std::string_view word) {
  return Find<Priority>(kPriorityWords, word);
}

bool Leads(Status from, Status to) {
  return std::ranges::any_of(kWays,
                             [=](const Step& step) { return step.from == from && step.to == to; });
}

Result<void> Allows(std::string_view tool, Status status, std::string_view task) {
  for (const Step& step : kSteps) {
    if (step.from == status && step.tool == tool) return {};
  }
  const std::string tools = ToolsFor(status);
  return Failure(Code::kInvalid, Origin::kClient,
                 "task " + std::string(task) + " is " + std::string(ToString(status)) + ": " +
                     std::string(tool) + " does not apply; " +
                     (tools.empty() ? "it is over" : "what applies: " + tools));
}

}  // namespace switchyard::orchestration
