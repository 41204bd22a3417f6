// Rules for tests of guardrail: by the names of groups and detectors, as a configuration has them.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "auth/api_key.h"
#include "policies/lib/guardrail_rules.h"

namespace switchyard::policies::guardrail {

struct RulesWith {
  std::map<std::string, Action> actions = {};
  std::map<std::string, std::string> patterns = {};
  bool keys = false;
  bool numbered = false;
};

inline Rules MakeRules(const RulesWith& with) {
  const auto action = [&](std::string_view name, Group group) {
    for (const std::string& key :
         {std::string(name), std::string(NameOf(group)), std::string("all")}) {
      if (const auto said = with.actions.find(key); said != with.actions.end()) return said->second;
    }
    return Action::kOff;
  };
  Rules rules;
  rules.keys = with.keys;
  rules.numbered = with.numbered;
  Wanted wanted{.is_own_key = &auth::IsApiKey};
  for (std::size_t i = 0; i < kDetectors.size(); ++i) {
    rules.names.emplace_back(kDetectors.at(i).name);
    rules.actions.push_back(action(kDetectors.at(i).name, kDetectors.at(i).group));
    wanted.detectors[i] = rules.actions.back() != Action::kOff;
  }
  for (const auto& [name, text] : with.patterns) {
    rules.names.push_back(name);
    rules.actions.push_back(action(name, Group::kPatterns));
    wanted.patterns.push_back(std::make_shared<const Pattern>(CompilePattern(name, text).value()));
  }
  rules.finder = std::make_unique<const Finder>(std::move(wanted));
  return rules;
}

}  // namespace switchyard::policies::guardrail
