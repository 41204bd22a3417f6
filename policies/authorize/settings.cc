#include "policies/authorize/settings.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/digest.h"
#include "config/environment.h"
#include "mcp/json_string.h"
#include "policies/lib/argument_test_section.h"
#include "policies/lib/budget_calendar.h"
#include "policies/lib/per.h"
#include "policies/lib/settings.h"
#include "policies/lib/uri_form.h"

namespace switchyard::policies::authorize {
namespace {

// Which of the words the section names; whatever is there without it stays.
template <std::size_t N>
void TakeWords(config::Section& section, std::string_view key,
               const std::array<std::string_view, N>& words, std::bitset<N>& named) {
  const std::vector<std::string> given = OneOrMore(section, key);
  if (!given.empty()) named.reset();
  for (const std::string& word : given) {
    const auto found = std::ranges::find(words, word);
    if (found == words.end()) {
      section.Error(key, fmt::format("{} is none of {}", word, fmt::join(words, ", ")));
    } else {
      named.set(static_cast<std::size_t>(found - words.begin()));
    }
  }
}

// RFC 6749, 3.3. What a rule names may come to stand in a challenge.
bool IsScope(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\'; });
}

void CheckScopes(config::Section& section, std::vector<std::string>& globs) {
  for (const std::string& glob : globs) {
    if (IsScope(glob)) continue;
    section.Error("scope", "has " + mcp::Quote(glob) +
                               ", but a scope is visible ASCII without spaces, quotes and "
                               "backslashes");
  }
  std::erase_if(globs, [](const std::string& glob) { return !IsScope(glob); });
}

Who ReadMatches(config::Section& section) {
  Who who;
  who.anonymous = section.Bool("anonymous");
  for (std::size_t i = 0; i + 1 < kPartWords.size(); ++i) {
    std::vector<std::string> globs = OneOrMore(section, kPartWords.at(i));
    if (static_cast<Who::Part>(i) == Who::Part::kScope) CheckScopes(section, globs);
    if (globs.empty()) continue;
    who.matches.push_back({.part = static_cast<Who::Part>(i), .globs = std::move(globs)});
  }
  if (const auto claims = section.StringMap("claim")) {
    for (const auto& [name, glob] : *claims) {
      who.matches.push_back({.part = Who::Part::kClaim, .claim = name, .globs = {glob}});
    }
    if (claims->empty()) section.Error("claim", "names none");
  }
  return who;
}

Who ReadWho(config::Section& section) {
  Who who = ReadMatches(section);
  const auto read = [&section](std::string_view key, std::vector<Who>& into) {
    for (config::Section& item : section.Items(key)) into.push_back(ReadMatches(item));
    if (section.IsList(key) && into.empty()) section.Error(key, "names none");
  };
  read("all", who.all);
  read("any", who.any);
  read("not", who.none);
  return who;
}

What ReadWhat(config::Section& section) {
  What what;
  what.endpoints = OneOrMore(section, "endpoint");
  for (std::string& endpoint : what.endpoints) {
    if (!endpoint.starts_with('/') && !endpoint.starts_with('*')) endpoint.insert(0, "/mcp/");
  }
  for (const std::string& glob : what.endpoints) section.MeansEndpoints("endpoint", glob);
  what.servers = OneOrMore(section, "server");
  for (const std::string& glob : what.servers) section.MeansServers("server", glob);
  what.tools = OneOrMore(section, "tool");
  what.prompts = OneOrMore(section, "prompt");
  what.resources = OneOrMore(section, "resource");
  for (std::string& glob : what.resources) glob = NormalUriGlob(glob);
  TakeWords(section, "methods", kUseWords, what.uses);
  return what;
}

// 08:30; 24:00 is the end of a day.
std::optional<int> MinuteOf(std::string_view text) {
  const auto number = [](std::string_view part) {
    int value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    const bool ok = part.size() == 2 && error == std::errc() && end == part.data() + part.size();
    return ok && value >= 0 ? std::optional(value) : std::nullopt;
  };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const std::optional<int> hour = number(text.substr(0, 2)), minute = number(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour > 24 || (*hour == 24 && *minute > 0)) {
    return std::nullopt;
  }
  return *hour * 60 + *minute;
}

Hours ReadHours(config::Section& section) {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu",
                                                     "fri", "sat", "sun"};
  Hours hours;
  TakeWords(section, "days", kDays, hours.days);
  if (const auto text = section.String("hours")) {
    const std::size_t dash = text->find('-');
    const auto from = MinuteOf(text->substr(0, dash));
    const auto to = dash == std::string::npos ? std::nullopt : MinuteOf(text->substr(dash + 1));
    if (!from || !to || *from == *to || *from == 24 * 60) {
      section.Error("hours", "must be two times of a day such as 08:00-18:00, got " + *text);
    } else {
      hours.from = *from;
      hours.to = *to;
    }
  }
  if (const auto text = section.String("utc_offset")) {
    if (const auto offset = ParseOffset(*text)) {
      hours.offset = *offset;
    } else {
      section.Error("utc_offset", "must be a distance from UTC such as +01:00, got " + *text);
    }
  }
  return hours;
}

// `rule`: its name, "" = it has none; `path`: where it stands.
When ReadWhen(config::Section& section, std::string_view rule, std::string_view path) {
  When when;
  for (config::Section& item : section.Items("arguments")) {
    when.arguments.push_back(ReadArgumentTest(item));
  }
  for (config::Section& item : section.Items("time")) when.time.push_back(ReadHours(item));
  // One with a name may change its place among those of its level.
  when.pace = ReadPace(section, rule, rule.empty() ? path : path.substr(0, path.rfind('[')));
  if (when.always() && !section.Has("rate")) {
    section.Error("", "says nothing: needs arguments, time or rate");
  }
  return when;
}

// What a person approves is a call of a tool.
void BindToTools(config::Section& section, Rule& rule) {
  if (!rule.what.prompts.empty() || !rule.what.resources.empty()) {
    section.Error("what", "prompts and resources need no approval: require_approval is for tools");
  }
  rule.what.uses &= UsesOf(ItemKind::kTool);
  if (rule.what.uses.none()) {
    section.Error("what", "methods must have tools/call where approval is required");
  }
  std::string text = fmt::format(
      "{}\n{}\n{}\n{}\n{}", rule.name, rule.who.ToText(), fmt::join(rule.what.endpoints, "\n"),
      fmt::join(rule.what.servers, "\n"), fmt::join(rule.what.tools, "\n"));
  for (const ArgumentTest& test : rule.when.arguments) text += "\n" + test.ToText();
  for (const Hours& hours : rule.when.time) text += "\n" + hours.ToText();
  if (rule.when.pace) text += "\n" + rule.when.pace->ToText();
  rule.policy = Sha256(text);
}

Rule ReadRule(config::Section& section) {
  Rule rule{.name = section.String("name").value_or("")};
  if (section.Has("name") && !IsLimitName(rule.name)) {
    section.Error("name", fmt::format("must be {}", kLimitNameForm));
  }
  const std::string name = rule.name;
  if (rule.name.empty()) rule.name = section.path();
  const auto effect = section.Enum("effect", {ToString(Effect::kAllow), ToString(Effect::kDeny),
                                              ToString(Effect::kRequireApproval)});
  if (!section.Has("effect")) {
    section.Error("effect", "is missing: allow, deny or require_approval");
  }
  for (const Effect one : {Effect::kAllow, Effect::kDeny, Effect::kRequireApproval}) {
    if (effect == ToString(one)) rule.effect = one;
  }
  if (auto who = section.Child("who")) rule.who = ReadWho(*who);
  if (auto what = section.Child("what")) rule.what = ReadWhat(*what);
  if (auto when = section.Child("when")) {
    rule.when = ReadWhen(*when, name, section.path());
  }
  if (rule.effect == Effect::kRequireApproval) BindToTools(section, rule);
  return rule;
}

}  // namespace

std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited) {
  const std::shared_ptr<Settings> settings = CopyOrDefault<Settings>(inherited);
  for (config::Section& item : section.Items("rules")) {
    settings->rules.push_back(std::make_shared<const Rule>(ReadRule(item)));
  }
  if (settings->rules.empty()) section.IsOff("no rules");
  return settings;
}

std::optional<Principal> ParseCaller(const std::string& text, std::string& problem) {
  if (text == "anonymous") return Principal();
  if (!text.starts_with('{')) return Principal{.subject = text};
  Principal caller;
  config::Document document(text, "--as", config::ProcessEnvironment());
  if (std::optional<config::Section> root = document.Root()) {
    caller.issuer = root->String("issuer").value_or("");
    caller.subject = root->String("subject").value_or("");
    caller.client = root->String("client").value_or("");
    caller.scopes = OneOrMore(*root, "scopes");
    caller.roles = OneOrMore(*root, "roles");
    caller.groups = OneOrMore(*root, "groups");
    caller.capabilities = OneOrMore(*root, "capabilities");
    if (const auto claims = root->StringMap("claims")) {
      for (const auto& [name, value] : *claims) caller.claims[name] = {value};
    }
  }
  if (!document.problems().has_errors()) return caller;
  problem = document.problems().Errors().front().ToString();
  return std::nullopt;
}

}  // namespace switchyard::policies::authorize
