// What the configuration says of `guardrail`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/section.h"
#include "core/derived.h"
#include "policies/lib/guardrail_rules.h"

namespace switchyard::policies::guardrail {

enum class Direction : std::uint8_t { kArguments, kResult };
constexpr std::string_view NameOf(Direction direction) {
  return direction == Direction::kArguments ? "arguments" : "result";
}

// What to do about what is found, as the levels said it: of a group, or of a detector by its name.
struct Actions {
  std::array<Action, 3> of_group = {Action::kOff, Action::kOff, Action::kOff};
  std::map<std::string, Action> of_name = {};

  bool operator==(const Actions&) const = default;
};

struct Settings {
  std::array<Actions, 2> actions = {};  // by Direction
  std::vector<std::shared_ptr<const Pattern>> patterns = {};
  bool keys = false;
  bool numbered = false;
  Derived compiled = {};  // the Compiled, made when it is first asked for
};

struct Compiled {
  std::array<Rules, 2> rules;  // by Direction
};
const Compiled& CompiledOf(const Settings& settings);

// Problems are told to the section.
std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited);

}  // namespace switchyard::policies::guardrail
