#include "policies/lib/context_words.h"

#include <fmt/format.h>

#include "policies/lib/settings.h"

namespace switchyard::policies {

Error ContextRefusal(const ContextWindow& window, const ContextUse& use, std::int64_t arguments,
                     Duration idle) {
  const std::int64_t available = AvailableOf(window, use);
  const std::string needs = available < window.min_available
                                ? fmt::format("a call needs {}", window.min_available)
                                : fmt::format("the arguments of this call take {}", arguments);
  return {.code = Code::kRateLimited,
          .retryable = true,
          .message = fmt::format(
              "context budget: {} of {} tokens are used and {} are left, {}: answer from what is "
              "there, without further calls; this is forgotten {} after the last call that passed",
              use.used, window.capacity(), available, needs, ShortDuration(idle)),
          .data = fmt::format(
              R"({{"origin":"gateway","code":"rate_limited","retryable":true,"budget":"context",)"
              R"("used":{},"available":{},"total":{},"minAvailable":{},"forgottenAfterMs":{}}})",
              use.used, available, window.total, window.min_available,
              std::chrono::ceil<std::chrono::milliseconds>(idle).count()),
          .for_agent = true};
}

std::string ContextWithheld(const ContextWindow& window, std::int64_t tokens,
                            std::int64_t available) {
  const bool counted = tokens <= window.capacity();
  return fmt::format(
      "The tool ran, but its result ({}{} tokens) was withheld: {} tokens of context are left, "
      "and nothing useful of it fits. Answer from what is there, without further calls.",
      counted ? "" : "more than ", counted ? tokens : window.capacity(), available);
}

std::string ContextNotice(const ContextWindow& window, const ContextUse& use) {
  const double warn_from = window.warn_at * static_cast<double>(window.capacity());
  if (static_cast<double>(use.used) < warn_from) return "";
  return fmt::format(R"({{"used":{},"available":{},"total":{}}})", use.used,
                     AvailableOf(window, use), window.total);
}

std::optional<ContextProblem> ProblemOf(const ContextWindow& window) {
  if (window.total == 0) return std::nullopt;
  const std::int64_t reserved = window.for_system + window.for_response;
  if (window.capacity() <= 0) {
    return ContextProblem{.key = "total",
                          .message = fmt::format("{} leaves nothing for tools: {} are reserved",
                                                 window.total, reserved)};
  }
  if (window.min_available > window.capacity()) {
    return ContextProblem{
        .key = "min_available",
        .message = fmt::format("{} is more than there ever is: {} of total {} are reserved",
                               window.min_available, reserved, window.total)};
  }
  const double least = window.max_fraction * static_cast<double>(window.min_available);
  if (least >= static_cast<double>(kLeastOfContext)) return std::nullopt;
  return ContextProblem{
      .key = "min_available",
      .message = fmt::format("a result may take max_fraction {:g} of {}, and less than {} tokens "
                             "show nothing useful",
                             window.max_fraction, window.min_available, kLeastOfContext)};
}

}  // namespace switchyard::policies
