// Rules of authorize as they stand in a file, and what a test asks of them.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/section.h"
#include "policies/authorize/rulebook.h"
#include "policies/authorize/settings.h"

namespace switchyard::policies::authorize {

inline std::vector<std::shared_ptr<const Rule>> RulesIn(const std::string& yaml) {
  const config::ProcessEnvironment environment;
  config::Document document("rules:\n" + yaml, "test.yaml", environment);
  std::vector<std::shared_ptr<const Rule>> rules =
      ParseSettings(std::move(*document.Root()), nullptr)->rules;
  for (const config::Problem& problem : document.problems().Errors()) {
    ADD_FAILURE() << problem.ToString();
  }
  return rules;
}

struct Ask {
  Principal caller = {};
  std::string server = "s";
  ItemKind kind = ItemKind::kTool;
  std::string name = "t";
  std::string arguments = "";
  std::string endpoint = "";
  WallTime now = {};
  Use use = Use::kCallTool;
};

inline Verdict Decide(const Rulebook& book, const Ask& ask) {
  return book.Decide(book.RulesOf(ask.server), *book.RulesFor(MakeCaller(ask.caller), ask.endpoint),
                     {.kind = ask.kind,
                      .name = ask.name,
                      .use = ask.use,
                      .arguments = ask.arguments,
                      .now = ask.now});
}

inline std::string Says(const std::string& yaml, const Ask& ask) {
  constexpr std::array<const char*, 3> kWords = {"allowed", "denied", "hidden"};
  const Rulebook book(RulesIn(yaml));
  return kWords.at(static_cast<std::size_t>(Decide(book, ask).outcome));
}

}  // namespace switchyard::policies::authorize
