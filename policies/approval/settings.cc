#include "policies/approval/settings.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/digest.h"
#include "base/glob.h"
#include "mcp/json_string.h"
#include "policies/lib/argument_test_section.h"
#include "policies/lib/budget_price.h"
#include "policies/lib/per.h"
#include "policies/lib/settings.h"

namespace switchyard::policies::approval {
namespace {

constexpr Duration kLongestHold = std::chrono::hours(1);
constexpr Duration kLongest = std::chrono::hours(24 * 7);

void TakeHints(config::Section& section, Hints& hints) {
  for (const std::string& word : OneOrMore(section, "annotations")) {
    if (word == "destructive") {
      hints.destructive = true;
    } else if (word == "writes") {
      hints.writes = true;
    } else if (word == "open_world") {
      hints.open_world = true;
    } else {
      section.Error("annotations", word + " is none of destructive, writes, open_world");
    }
  }
}

Rule ReadRule(config::Section& section) {
  Rule rule{.name = section.String("name").value_or("")};
  if (section.Has("name") && !IsLimitName(rule.name)) {
    section.Error("name", fmt::format("must be {}", kLimitNameForm));
  }
  if (rule.name.empty()) rule.name = section.path();
  rule.tools = OneOrMore(section, "tool");
  TakeHints(section, rule.hints);
  for (config::Section& item : section.Items("arguments")) {
    rule.arguments.push_back(ReadArgumentTest(item));
  }
  rule.cost = MicrosOf(section, "cost");
  const bool says = section.Has("tool") || section.Has("annotations") || section.Has("arguments") ||
                    section.Has("cost");
  if (!says) {
    section.Error("",
                  "says nothing: needs tool, annotations, arguments or cost; tool: \"*\" is every "
                  "call");
  }
  rule.policy = Sha256(rule.ToText());
  return rule;
}

void TakeBy(config::Section& section, Settings& settings) {
  const std::vector<std::string> words = OneOrMore(section, "by");
  if (!words.empty()) settings.by_client = settings.by_operator = false;
  for (const std::string& word : words) {
    if (word == "client") {
      settings.by_client = true;
    } else if (word == "operator") {
      settings.by_operator = true;
    } else {
      section.Error("by", word + " is none of client, operator");
    }
  }
  section.Shows("by", settings.by_client && settings.by_operator ? "[client, operator]"
                      : settings.by_client                       ? "[client]"
                                                                 : "[operator]");
}

}  // namespace

bool Hints::Fit(const Annotations& hints) const {
  if (!any()) return true;
  return (destructive && !hints.read_only && hints.destructive) || (writes && !hints.read_only) ||
         (open_world && hints.open_world);
}

bool Rule::Holds(const Asked& call) const {
  const auto fits = [&call](const std::string& glob) { return GlobMatches(glob, call.tool); };
  if (!tools.empty() && std::ranges::none_of(tools, fits)) return false;
  if (!hints.Fit(call.hints)) return false;
  // What nobody has priced may cost anything.
  if (cost && call.cost && *call.cost < *cost) return false;
  return std::ranges::none_of(arguments, [&call](const ArgumentTest& test) {
    return test.Judge(call.arguments) == policies::Holds::kNo;
  });
}

std::string Rule::ToText() const {
  std::vector<std::string> said;
  const auto list = [&said](std::string_view what, const std::vector<std::string>& values) {
    std::string text(what);
    for (const std::string& value : values) text += " " + mcp::Quote(value);
    said.push_back(std::move(text));
  };
  if (!tools.empty()) list("tool", tools);
  if (hints.destructive) said.emplace_back("destructive");
  if (hints.writes) said.emplace_back("writes");
  if (hints.open_world) said.emplace_back("open world");
  for (const ArgumentTest& test : arguments) said.push_back(test.ToText());
  if (cost) said.push_back("costs at least " + MicrosText(*cost));
  return fmt::format("{}: {}", name, fmt::join(said, " and "));
}

const Rule* Settings::RuleFor(const Asked& call) const {
  if (!enabled) return nullptr;
  const auto found =
      std::ranges::find_if(rules, [&call](const auto& rule) { return rule->Holds(call); });
  return found == rules.end() ? nullptr : found->get();
}

bool Settings::has_costs() const {
  return std::ranges::any_of(rules, [](const auto& rule) { return rule->cost.has_value(); });
}

std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited) {
  const std::shared_ptr<Settings> settings = CopyOrDefault<Settings>(inherited);
  section.Take("enabled", settings->enabled);
  section.Take("hold", settings->hold, Duration::zero(), kLongestHold);
  section.Take("expires", settings->expires, std::chrono::seconds(1), kLongest);
  TakeBy(section, *settings);
  for (config::Section& item : section.Items("rules")) {
    settings->rules.push_back(std::make_shared<const Rule>(ReadRule(item)));
  }
  if (settings->rules.empty()) section.IsOff("no rules");
  if (!settings->enabled) section.IsOff("enabled: false");
  return settings;
}

}  // namespace switchyard::policies::approval
