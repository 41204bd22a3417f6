// Roles: who may do what besides working on tasks. Without a word of the configuration everybody
// may do everything to what is theirs; a right that it names is for callers who have one of the
// roles (core/principal.h, roles) that it lists. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/principal.h"

namespace switchyard::orchestration {

enum class Right : std::uint8_t {
  kRegister,  // agents
  kAssign,    // tasks to agents; to claim for oneself needs none
  kCancel,    // tasks
  kForce,     // the same to what is another caller's
  kVouch,     // for what agents can do that it registers: rules of authorize go by that then
};
inline constexpr std::size_t kRights = 5;
std::string_view ToString(Right right);  // "register"

// What the configuration says, by right: nullopt = nothing; a list, also an empty one: these roles.
struct Roles {
  std::array<std::optional<std::vector<std::string>>, kRights> of = {};
};

// What one caller may do. By itself all but force and vouch, which only a role gives.
class Rights {
 public:
  Rights() = default;
  Rights(const Roles& roles, const Principal& caller);

  bool Has(Right right) const { return may_[static_cast<std::size_t>(right)]; }
  // By a role that the configuration names, not for want of a word of it.
  bool HasByRole(Right right) const { return by_role_[static_cast<std::size_t>(right)]; }

 private:
  std::array<bool, kRights> may_ = {true, true, true, false, false};
  std::array<bool, kRights> by_role_ = {};
};

// The right that a tool needs; nullopt: none. By its name without the prefix.
std::optional<Right> RightFor(std::string_view tool);

// kForbidden, and which roles would do, unless the caller may use the tool.
Result<void> MayUse(std::string_view tool, const Rights& rights, const Roles* roles);

}  // namespace switchyard::orchestration
