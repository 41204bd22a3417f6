// What the configuration says of `guardrail`.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/section.h"
#include "core/derived.h"
#include "fetch/remote.h"
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

// Whom calls and results are shown (hook.h).
struct HookSettings {
  fetch::Remote remote = {.timeout = std::chrono::seconds(2)};
  bool arguments = true, results = true;         // the phases
  std::size_t max_bytes = std::size_t{4} << 20;  // of what it is shown, and of what it says
  bool allow_on_error = false;

  bool on() const { return !remote.url.empty() && (arguments || results); }
};

struct Settings {
  std::array<Actions, 2> actions = {};  // by Direction
  std::vector<std::shared_ptr<const Pattern>> patterns = {};
  bool keys = false;
  bool numbered = false;
  HookSettings hook = {};
  Derived compiled = {};  // the Compiled, made when it is first asked for
};

struct Compiled {
  std::array<Rules, 2> rules;  // by Direction
};
const Compiled& CompiledOf(const Settings& settings);

// Problems are told to the section.
std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited);

}  // namespace switchyard::policies::guardrail
