// What a decision of `authorize` costs with 10,000 rules, in a few shapes of rule sets, a line
// each; with --json microseconds a decision by shape. tests/bench/run.sh has a row of it. Build it
// optimised: cmake --build --preset release -t authorize_bench
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/authorize/rulebook.h"

namespace {

using namespace switchyard;
using namespace switchyard::policies::authorize;

constexpr std::size_t kRules = 10'000;
constexpr std::size_t kTools = 1000;

std::vector<std::shared_ptr<const Rule>> Rules(
    const std::function<void(Rule&, std::size_t)>& make) {
  std::vector<std::shared_ptr<const Rule>> rules;
  for (std::size_t i = 0; i < kRules; ++i) {
    Rule rule{.name = std::to_string(i), .effect = Effect::kAllow};
    make(rule, i);
    rules.push_back(std::make_shared<const Rule>(std::move(rule)));
  }
  return rules;
}

Who::Match Is(Who::Part part, std::string glob) {
  return {.part = part, .claim = {}, .globs = {std::move(glob)}};
}

double MicrosecondsEach(std::size_t times, const std::function<void(std::size_t)>& run) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < times; ++i) run(i);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  return took.count() / static_cast<double>(times);
}

bool as_json = false;

void Measure(const char* name, const std::function<void(Rule&, std::size_t)>& make) {
  std::unique_ptr<const Rulebook> book;
  const double compiled = MicrosecondsEach(
      1, [&](std::size_t) { book = std::make_unique<const Rulebook>(Rules(make)); });
  std::vector<Caller> callers;
  for (int i = 0; i < 100; ++i) {
    callers.push_back(MakeCaller({.subject = "user" + std::to_string(i * 7),
                                  .scopes = {"read", "scope" + std::to_string(i)},
                                  .roles = {"role" + std::to_string(i % 50)},
                                  .claims = {}}));
  }
  const RuleSet of_server = book->RulesOf("server7");
  const double first =
      MicrosecondsEach(callers.size(), [&](std::size_t i) { book->RulesFor(callers[i], ""); });
  std::vector<std::string> tools;
  for (std::size_t i = 0; i < kTools; ++i) tools.push_back("tool_" + std::to_string(i));
  std::size_t allowed = 0;
  const double each = MicrosecondsEach(200'000, [&](std::size_t i) {
    const auto for_caller = book->RulesFor(callers[i % callers.size()], "");
    const Verdict verdict = book->Decide(
        of_server, *for_caller,
        {.name = tools[i % tools.size()], .arguments = R"({"amount":5,"path":"/srv/a"})"});
    allowed += verdict.outcome == Outcome::kAllowed ? 1 : 0;
  });
  if (as_json) {
    static const char* between = "{";
    std::printf("%s\"%s\":%.4f", std::exchange(between, ","), name, each);
    return;
  }
  std::printf("| %-44s | %7.3f | %9.1f | %10.1f | %7zu |\n", name, each, first, compiled / 1000,
              allowed);
}

}  // namespace

int main(int count, char** arguments) {
  as_json = count > 1 && std::string_view(arguments[1]) == "--json";
  if (!as_json) {
    std::printf("| %zu rules | us a decision | us a caller's first | ms to compile | allowed |\n",
                kRules);
    std::printf("|---|---|---|---|---|\n");
  }
  Measure("a tool's name and a scope each", [](Rule& rule, std::size_t i) {
    rule.what.tools = {"tool_" + std::to_string(i % kTools)};
    rule.who.matches = {Is(Who::Part::kScope, "scope" + std::to_string(i % 100))};
  });
  Measure("a server, a glob and a role each", [](Rule& rule, std::size_t i) {
    rule.what.servers = {"server" + std::to_string(i % 100)};
    rule.what.tools = {"tool_" + std::to_string(i % 10) + "*"};
    rule.who.matches = {Is(Who::Part::kRole, "role" + std::to_string(i % 50))};
  });
  Measure("all tools, a subject each", [](Rule& rule, std::size_t i) {
    rule.who.matches = {Is(Who::Part::kSubject, "user" + std::to_string(i))};
  });
  Measure("one glob, a subject each", [](Rule& rule, std::size_t i) {
    rule.what.tools = {"tool_*"};
    rule.who.matches = {Is(Who::Part::kSubject, "user" + std::to_string(i))};
  });
  Measure("a glob that begins with * and a subject each", [](Rule& rule, std::size_t i) {
    rule.what.tools = {"*_" + std::to_string(i % kTools)};
    rule.who.matches = {Is(Who::Part::kSubject, "user" + std::to_string(i))};
  });
  Measure("a tool's name each, a third denies by argument", [](Rule& rule, std::size_t i) {
    rule.what.tools = {"tool_" + std::to_string(i % kTools)};
    if (i % 3 != 0) return;
    rule.effect = Effect::kDeny;
    rule.when.arguments = {{.at = "/amount", .tokens = {"amount"}, .min = 10}};
  });
  if (as_json) std::printf("}\n");
  return 0;
}
