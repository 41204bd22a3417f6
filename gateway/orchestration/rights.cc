#include "orchestration/rights.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/agent_directory.h"

namespace switchyard::orchestration {
namespace {

constexpr std::array<std::string_view, kRights> kWords = {"register", "assign", "cancel", "force",
                                                          "vouch"};

struct Needed {
  std::string_view tool;
  Right right;
};
constexpr Needed kNeeded[] = {
    {"register_agent", Right::kRegister}, {"deregister_agent", Right::kRegister},
    {"assign_task", Right::kAssign},      {"assign_subtasks", Right::kAssign},
    {"delegate_subtask", Right::kAssign}, {"cancel_task", Right::kCancel}};

}  // namespace

std::string_view ToString(Right right) { return kWords[static_cast<std::size_t>(right)]; }

Rights::Rights(const Roles& roles, const Principal& caller) {
  for (std::size_t right = 0; right < kRights; ++right) {
    if (!roles.of[right]) continue;
    may_[right] = by_role_[right] = AgentDirectory::HasOneOf(*roles.of[right], caller);
  }
}

std::optional<Right> RightFor(std::string_view tool) {
  const auto* const needed = std::ranges::find(kNeeded, tool, &Needed::tool);
  return needed == std::end(kNeeded) ? std::nullopt : std::optional(needed->right);
}

Result<void> MayUse(std::string_view tool, const Rights& rights, const Roles* roles) {
  const std::optional<Right> right = RightFor(tool);
  if (!right || rights.Has(*right)) return {};
  std::string who = "nobody has it";
  if (roles != nullptr && roles->of[static_cast<std::size_t>(*right)]) {
    const auto& names = *roles->of[static_cast<std::size_t>(*right)];
    if (!names.empty()) who = fmt::format("callers with role {} have it", fmt::join(names, " or "));
  }
  return Failure(Code::kForbidden, Origin::kClient,
                 fmt::format("{} needs the right to {}; {}", tool, ToString(*right), who));
}

}  // namespace switchyard::orchestration
