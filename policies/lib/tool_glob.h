// Where a mapping of a policy stands: at single tools of one server. Pure.
#pragma once

#include <string_view>

namespace switchyard::policies {

// The glob of `servers.<s>.tool_policies.<glob>.<policy>`; "" = this mapping stands elsewhere.
inline std::string_view ToolGlobOf(std::string_view path, std::string_view policy) {
  constexpr std::string_view kBefore = ".tool_policies.";
  const std::size_t at = path.find(kBefore);
  const bool fits = path.starts_with("servers.") && at != std::string_view::npos &&
                    path.ends_with(policy) &&
                    path.substr(0, path.size() - policy.size()).ends_with('.');
  if (!fits || at + kBefore.size() + policy.size() + 1 > path.size()) return {};
  path.remove_prefix(at + kBefore.size());
  path.remove_suffix(policy.size() + 1);
  return path;
}

}  // namespace switchyard::policies
