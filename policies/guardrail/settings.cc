#include "policies/guardrail/settings.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "auth/api_key.h"
#include "policies/lib/settings.h"

namespace switchyard::policies::guardrail {
namespace {

constexpr std::array<std::string_view, 4> kActionWords = {"off", "report", "redact", "deny"};
constexpr std::array<Group, 3> kGroups = {Group::kSecrets, Group::kPersonal, Group::kPatterns};
constexpr std::string_view kAll = "all";
constexpr std::size_t kMostPatterns = 64;

std::optional<Action> ActionOf(std::string_view word) {
  const auto found = std::ranges::find(kActionWords, word);
  if (found == kActionWords.end()) return std::nullopt;
  return static_cast<Action>(found - kActionWords.begin());
}
std::string_view WordOf(Action action) { return kActionWords.at(static_cast<std::size_t>(action)); }

std::optional<Group> GroupNamed(std::string_view name) {
  const auto found =
      std::ranges::find_if(kGroups, [&](Group group) { return NameOf(group) == name; });
  return found == kGroups.end() ? std::nullopt : std::optional(*found);
}

// Of a detector or a pattern; nullopt: there is none of this name.
std::optional<Group> GroupOf(const Settings& settings, std::string_view name) {
  const auto built_in = std::ranges::find(kDetectors, name, &DetectorRow::name);
  if (built_in != kDetectors.end()) return built_in->group;
  const auto same = [&](const auto& pattern) { return pattern->name == name; };
  if (std::ranges::any_of(settings.patterns, same)) return Group::kPatterns;
  return std::nullopt;
}

void SetGroup(const Settings& settings, Actions& actions, Group group, Action action) {
  actions.of_group.at(static_cast<std::size_t>(group)) = action;
  std::erase_if(actions.of_name,
                [&](const auto& said) { return GroupOf(settings, said.first) == group; });
}

// What speaks of more goes first, in whatever order it was written; what a farther level said of
// a detector alone is not left over when a nearer one speaks of its whole group.
void TakeActions(config::Section& section, std::string_view key, const Settings& settings,
                 Actions& actions) {
  std::map<std::string, Action> said;
  for (const auto& [name, word] :
       section.StringMap(key).value_or(std::map<std::string, std::string>())) {
    const std::string at = fmt::format("{}.{}", key, name);
    const std::optional<Action> action = ActionOf(word);
    if (!action) {
      section.Error(at, "must be off, report, redact or deny, got " + word);
    } else if (name != kAll && !GroupNamed(name) && !GroupOf(settings, name)) {
      section.Error(at,
                    "is neither a detector, nor one of patterns, nor all, secrets, personal or "
                    "patterns");
    } else {
      said[name] = *action;
    }
  }
  if (const auto all = said.find(std::string(kAll)); all != said.end()) {
    for (const Group group : kGroups) SetGroup(settings, actions, group, all->second);
  }
  for (const auto& [name, action] : said) {
    if (const auto group = GroupNamed(name)) SetGroup(settings, actions, *group, action);
  }
  for (const auto& [name, action] : said) {
    if (name != kAll && !GroupNamed(name)) actions.of_name[name] = action;
  }
  std::string shown;
  for (const Group group : kGroups) {
    shown.append(shown.empty() ? "" : ", ").append(NameOf(group)).append(": ");
    shown.append(WordOf(actions.of_group.at(static_cast<std::size_t>(group))));
  }
  for (const auto& [name, action] : actions.of_name) {
    shown.append(", ").append(name).append(": ").append(WordOf(action));
  }
  section.Shows(key, "{" + shown + "}");
}

bool IsPatternName(std::string_view name) {
  return !name.empty() && name.size() <= 32 && name.front() >= 'a' && name.front() <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

void TakePatterns(config::Section& section, Settings& settings) {
  const auto given = section.StringMap("patterns");
  for (const auto& [name, text] : given.value_or(std::map<std::string, std::string>())) {
    const std::string at = "patterns." + name;
    const bool taken = name == kAll || GroupNamed(name) ||
                       std::ranges::find(kDetectors, name, &DetectorRow::name) != kDetectors.end();
    if (taken || !IsPatternName(name)) {
      section.Error(at, taken ? "is the name of a detector or a group"
                              : "must be named by 1 to 32 of a-z 0-9 _, a letter first");
      continue;
    }
    auto pattern = CompilePattern(name, text);
    if (!pattern) {
      section.Error(at, pattern.error());
      continue;
    }
    auto shared = std::make_shared<const Pattern>(std::move(*pattern));
    const auto same = [&](const auto& known) { return known->name == name; };
    const auto known = std::ranges::find_if(settings.patterns, same);
    if (known != settings.patterns.end()) {
      *known = std::move(shared);
    } else {
      settings.patterns.push_back(std::move(shared));
    }
  }
  if (settings.patterns.size() > kMostPatterns) {
    section.Error("patterns",
                  fmt::format("{} patterns, at most {}", settings.patterns.size(), kMostPatterns));
    settings.patterns.resize(kMostPatterns);
  }
  std::string names;
  for (const auto& pattern : settings.patterns) {
    names.append(names.empty() ? "" : ", ").append(pattern->name);
  }
  section.Shows("patterns", "{" + names + "}");
}

void TakeHook(config::Section& parent, HookSettings& hook) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  auto section = parent.Child("hook");
  if (!section) return;
  fetch::TakeRemote(*section, hook.remote);
  if (const auto phases = section->Strings("phases")) {
    const auto has = [&](std::string_view word) {
      return std::ranges::find(*phases, word) != phases->end();
    };
    hook.arguments = has("arguments");
    hook.results = has("result");
    const std::ptrdiff_t known = (hook.arguments ? 1 : 0) + (hook.results ? 1 : 0);
    if (std::ssize(*phases) != known || known == 0) {
      section->Error("phases", "must be [arguments], [result] or both");
    }
  }
  section->Shows("phases", fmt::format("[{}{}{}]", hook.arguments ? "arguments" : "",
                                       hook.arguments && hook.results ? ", " : "",
                                       hook.results ? "result" : ""));
  section->TakeBytes("max_bytes", hook.max_bytes, 1024, 64 * kMiB);
  const auto word = section->Enum("on_error", {"deny", "allow"});
  if (word) hook.allow_on_error = *word == "allow";
  section->Shows("on_error", hook.allow_on_error ? "allow" : "deny");
}

bool DoesAnything(const Actions& actions) {
  const auto is_on = [](Action action) { return action != Action::kOff; };
  return std::ranges::any_of(actions.of_group, is_on) ||
         std::ranges::any_of(actions.of_name | std::views::values, is_on);
}

Action ActionFor(const Actions& actions, std::string_view name, Group group) {
  const auto said = actions.of_name.find(std::string(name));
  return said != actions.of_name.end() ? said->second
                                       : actions.of_group.at(static_cast<std::size_t>(group));
}

Rules RulesOf(const Settings& settings, Direction direction) {
  const Actions& actions = settings.actions.at(static_cast<std::size_t>(direction));
  Rules rules;
  rules.keys = settings.keys;
  rules.numbered = settings.numbered;
  Wanted wanted{.is_own_key = &auth::IsApiKey};
  bool any = false;
  for (std::size_t i = 0; i < kDetectors.size(); ++i) {
    const DetectorRow& row = kDetectors.at(i);
    rules.names.emplace_back(row.name);
    rules.actions.push_back(ActionFor(actions, row.name, row.group));
    wanted.detectors[i] = rules.actions.back() != Action::kOff;
    any |= wanted.detectors[i];
  }
  for (const auto& pattern : settings.patterns) {
    rules.names.push_back(pattern->name);
    rules.actions.push_back(ActionFor(actions, pattern->name, Group::kPatterns));
    const bool on = rules.actions.back() != Action::kOff;
    wanted.patterns.push_back(on ? pattern : nullptr);
    any |= on;
  }
  if (any) rules.finder = std::make_unique<const Finder>(std::move(wanted));
  return rules;
}

}  // namespace

const Compiled& CompiledOf(const Settings& settings) {
  return settings.compiled.Get<Compiled>([&settings] {
    return Compiled{
        .rules = {RulesOf(settings, Direction::kArguments), RulesOf(settings, Direction::kResult)}};
  });
}

std::shared_ptr<const Settings> ParseSettings(config::Section section, const Settings* inherited) {
  const std::shared_ptr<Settings> settings = CopyOrDefault<Settings>(inherited);
  TakePatterns(section, *settings);
  for (const Direction direction : {Direction::kArguments, Direction::kResult}) {
    TakeActions(section, direction == Direction::kArguments ? "arguments" : "results", *settings,
                settings->actions.at(static_cast<std::size_t>(direction)));
  }
  section.Take("keys", settings->keys);
  section.Take("numbered", settings->numbered);
  TakeHook(section, settings->hook);
  if (std::ranges::none_of(settings->actions, &DoesAnything) && !settings->hook.on()) {
    section.IsOff("nothing is looked for, and no hook.url");
  }
  return settings;
}

}  // namespace switchyard::policies::guardrail
