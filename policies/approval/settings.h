// What the configuration says of `approval`: which calls a person has to approve, and how. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/section.h"
#include "core/definition.h"
#include "policies/lib/argument_test.h"

namespace switchyard::policies::approval {

// A tool with none of the hints is destructive, writes and reaches out: so the specification reads
// what is not said (server/tools, annotations), and the hints are the server's own word.
struct Hints {
  bool destructive = false;  // not read only, and destructiveHint true or unset
  bool writes = false;       // readOnlyHint false or unset
  bool open_world = false;   // openWorldHint true or unset

  bool any() const { return destructive || writes || open_world; }
  bool Fit(const Annotations& hints) const;
};

// What a rule goes by of one call. Borrows.
struct Asked {
  std::string_view tool;  // by its server's name
  Annotations hints = {};
  std::string_view arguments = {};        // raw JSON, "" = none
  std::optional<std::int64_t> cost = {};  // in millionths; nullopt: nobody knows
};

// All that is said must hold; where it cannot be told whether it does, a person is asked.
struct Rule {
  std::string name;                          // or where it stands in the file
  std::vector<std::string> tools = {};       // globs; empty = any
  Hints hints = {};                          // any of them
  std::vector<ArgumentTest> arguments = {};  // all of them
  std::optional<std::int64_t> cost = {};     // at least
  std::string policy = {};                   // SHA-256 of all that it says

  bool Holds(const Asked& call) const;
  std::string ToText() const;  // two that read alike are alike
};

struct Settings {
  bool enabled = true;
  Duration hold = std::chrono::seconds(45);
  Duration expires = std::chrono::minutes(15);
  bool by_client = true, by_operator = true;
  // Of the outermost level first. A level adds to what is around it.
  std::vector<std::shared_ptr<const Rule>> rules = {};

  // The first that holds; null: no person is needed.
  const Rule* RuleFor(const Asked& call) const;
  bool has_costs() const;
};

// Problems are told to the section.
std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited);

}  // namespace switchyard::policies::approval
