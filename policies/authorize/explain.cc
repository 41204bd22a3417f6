#include "policies/authorize/explain.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/endpoint_path.h"

namespace switchyard::policies::authorize {
namespace {

constexpr std::array<std::string_view, 3> kOutcomeWords = {"allowed", "denied", "hidden"};

// Of `what`, what does not fit.
void AddPlace(const What& what, const Supposed& call, std::vector<std::string>& against) {
  const std::string path = config::PathOfEndpoint(call.endpoint);
  if (!what.IsAtEndpoint(path)) against.push_back("endpoint is not " + path);
  if (!what.IsAtServer(call.server)) {
    against.push_back(fmt::format("server is not {}", call.server));
  }
  if (!what.Has(ItemKind::kTool, call.tool)) {
    against.push_back(what.tools.empty() ? std::string("it is not about tools")
                                         : fmt::format("tool is not {}", call.tool));
  }
  if (!what.uses[BitOf(Use::kCallTool)]) against.emplace_back("methods has no tools/call");
}

void AddWhen(const Rule& rule, const Supposed& call, std::vector<std::string>& against) {
  const bool in_time =
      rule.when.time.empty() || std::ranges::any_of(rule.when.time, [&call](const Hours& hours) {
        return hours.Has(call.now);
      });
  if (!in_time) {
    std::vector<std::string> windows;
    windows.reserve(rule.when.time.size());
    for (const Hours& hours : rule.when.time) windows.push_back(hours.ToText());
    against.push_back(fmt::format("it is not {}", fmt::join(windows, " or ")));
  }
  // Nothing is counted here: as at a first call.
  if (rule.when.pace && rule.when.pace->over) {
    against.push_back(fmt::format("a first call is not {}", rule.when.pace->ToText()));
  }
  for (const ArgumentTest& test : rule.when.arguments) {
    const Holds holds = test.Judge(call.arguments);
    if (holds == Holds::kNo) against.push_back("not so: " + test.ToText());
    if (holds == Holds::kCannotTell && rule.effect != Effect::kDeny) {
      against.push_back("cannot be told: " + test.ToText());
    }
  }
}

Explained::Line LineOf(const Rule& rule, const Principal& caller, const Supposed& call) {
  Explained::Line line{
      .rule = rule.name, .effect = std::string(ToString(rule.effect)), .against = {}};
  if (!rule.who.Holds(caller)) line.against.push_back("the caller is not " + rule.who.ToText());
  AddPlace(rule.what, call, line.against);
  AddWhen(rule, call, line.against);
  return line;
}

std::string Because(const Rulebook& book, const Verdict& verdict) {
  const std::string rule =
      verdict.rule == kNoRule ? "" : "rule " + book.rules()[verdict.rule]->name;
  switch (verdict.outcome) {
    case Outcome::kAllowed:
      if (verdict.approval == kNoRule) return rule + " allows it and none denies it";
      return "rule " + book.rules()[verdict.approval]->name +
             " lets it run once a person has approved it, and none denies it";
    case Outcome::kHidden:
      return rule.empty() ? "no rule could allow it, so for this caller it does not exist"
                          : rule + " always denies it, so for this caller it does not exist";
    case Outcome::kDenied: break;
  }
  if (!rule.empty()) return rule + " denies it so";
  return verdict.by_arguments && verdict.by_time
             ? "rules allow it on other arguments or at other times"
         : verdict.by_time ? "rules allow it at other times"
                           : "rules allow it on other arguments";
}

}  // namespace

Explained Explain(const Settings& settings, const Principal& caller, const Supposed& call) {
  if (settings.rules.empty()) {
    return {.lines = {}, .outcome = "allowed", .because = "there is no rule"};
  }
  Explained explained;
  for (const auto& rule : settings.rules) explained.lines.push_back(LineOf(*rule, caller, call));
  const Rulebook book(settings.rules);
  const Verdict verdict =
      book.Decide(book.RulesOf(call.server), *book.RulesFor(MakeCaller(caller), call.endpoint),
                  {.kind = ItemKind::kTool,
                   .name = call.tool,
                   .use = Use::kCallTool,
                   .arguments = call.arguments,
                   .now = call.now});
  explained.outcome = kOutcomeWords.at(static_cast<std::size_t>(verdict.outcome));
  explained.because = Because(book, verdict);
  if (verdict.approval != kNoRule) explained.approval = book.rules()[verdict.approval]->name;
  return explained;
}

std::string Explained::ToText() const {
  std::string text;
  for (const Line& line : lines) {
    text += fmt::format("  {} {}: ", line.effect, line.rule);
    text += line.against.empty() ? "holds\n" : fmt::format("{}\n", fmt::join(line.against, "; "));
  }
  const bool open = asks_outside && outcome == "allowed";
  return text + outcome + ": " + because +
         (open ? "; opa, which was not asked here, may deny it" : "") + "\n";
}

boost::json::object Explained::ToJson() const {
  boost::json::array rules;
  for (const Line& line : lines) {
    boost::json::array against(line.against.begin(), line.against.end());
    rules.push_back(boost::json::object{{"rule", line.rule},
                                        {"effect", line.effect},
                                        {"holds", line.against.empty()},
                                        {"against", std::move(against)}});
  }
  boost::json::object out{{"outcome", outcome}, {"because", because}, {"rules", std::move(rules)}};
  if (asks_outside) out["opa"] = "not asked";
  if (!approval.empty()) out["approval"] = approval;
  return out;
}

}  // namespace switchyard::policies::authorize
