// What a context budget says: to an agent that has used it up, and to an operator whose settings
// contradict themselves. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "policies/lib/context_window.h"

namespace switchyard::policies {

// Of a call that LetIn() did not let in.
Error ContextRefusal(const ContextWindow& window, const ContextUse& use, std::int64_t arguments,
                     Duration idle);

// In the place of a result of so many tokens, of which nothing was shown. Takes no more than was
// set aside for it.
std::string ContextWithheld(const ContextWindow& window, std::int64_t tokens,
                            std::int64_t available);

// For programs, once enough is used: raw JSON; "" = not yet.
std::string ContextNotice(const ContextWindow& window, const ContextUse& use);

// What is wrong with a window, and the key to say it at.
struct ContextProblem {
  std::string key, message;
};
std::optional<ContextProblem> ProblemOf(const ContextWindow& window);

}  // namespace switchyard::policies
