// What the configuration says of `authorize`: the rules of a level and of those around it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/section.h"
#include "core/derived.h"
#include "core/principal.h"
#include "policies/authorize/rule.h"

namespace switchyard::policies::authorize {

struct Settings {
  // Of the outermost level first. A level adds to what is around it and takes nothing away.
  std::vector<std::shared_ptr<const Rule>> rules = {};
  Derived compiled = {};  // the Rulebook, made when it is first asked for
};

// Problems are told to the section.
std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited);

// A caller as `check --as` is told: `{subject: ada, scopes: [read]}`, or a subject alone; or
// `anonymous`. nullopt: it is none, and `problem` says why.
std::optional<Principal> ParseCaller(const std::string& text, std::string& problem);

}  // namespace switchyard::policies::authorize
