#include "policies/authorize/rulebook.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/container/small_vector.hpp>

#include "policies/lib/uri_form.h"

namespace switchyard::policies::authorize {
namespace {

// What a glob, or a URI template, begins with.
std::string_view PrefixOf(std::string_view text, std::string_view ends) {
  return text.substr(0, text.find_first_of(ends));
}

// Of all that Hides() goes by.
std::uint64_t SightKeyOf(const std::vector<std::shared_ptr<const Rule>>& rules) {
  std::string text;
  const auto add = [&text](const std::vector<std::string>& globs) {
    for (const std::string& glob : globs) text.append(glob) += '\0';
    text += '\0';
  };
  for (const auto& rule : rules) {
    text.append(ToString(rule->effect)) += rule->when.always() ? '!' : '?';
    text.append(rule->who.ToText()) += '\0';
    add(rule->what.endpoints);
    add(rule->what.servers);
    add(rule->what.tools);
    add(rule->what.prompts);
    add(rule->what.resources);
    text += rule->what.uses.to_string();
  }
  return std::hash<std::string>()(text);
}

ItemKind ListedUnder(ItemKind kind) {
  return kind == ItemKind::kTemplate ? ItemKind::kResource : kind;
}

Holds OverOf(const Rule& rule, const Question& question) {
  const auto found = std::ranges::find(question.paced, &rule, &Paced::rule);
  return found == question.paced.end() ? Holds::kNo : found->over;
}

}  // namespace

// What the rules that concern a question say, whatever its arguments and the time.
struct Rulebook::Findings {
  // The first that does always.
  std::size_t allows = kNoRule, denies = kNoRule, wants = kNoRule;
  boost::container::small_vector<std::size_t, 16> depend;  // on arguments or the time
  bool may_allow = false;                                  // one of `depend`

  bool hidden() const {
    return denies != kNoRule || (allows == kNoRule && wants == kNoRule && !may_allow);
  }
};

Rulebook::Rulebook(std::vector<std::shared_ptr<const Rule>> rules, const AgentDirectory* agents)
    : rules_(std::move(rules)),
      sight_key_(SightKeyOf(rules_)),
      counts_(std::ranges::any_of(rules_,
                                  [](const auto& rule) { return rule->when.pace.has_value(); })),
      names_capabilities_(std::ranges::any_of(
          rules_, [](const auto& rule) { return rule->who.NamesCapabilities(); })),
      agents_(names_capabilities_ ? agents : nullptr) {
  std::unordered_map<std::string, std::size_t> by_text;
  for (Names& names : names_) names.any = names.every = RuleSet(rules_.size());
  who_of_.reserve(rules_.size());
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto [known, fresh] = by_text.emplace(rules_[i]->who.ToText(), whos_.size());
    if (fresh) whos_.push_back(&rules_[i]->who);
    who_of_.push_back(known->second);
    const What& what = rules_[i]->what;
    for (const ItemKind kind : {ItemKind::kTool, ItemKind::kPrompt, ItemKind::kResource}) {
      Index(static_cast<std::size_t>(kind), what.NamesOf(kind), i);
    }
    std::vector<std::string> decoded;
    decoded.reserve(what.resources.size());
    for (const std::string& glob : what.resources) decoded.push_back(DecodedUriGlob(glob));
    Index(kDecoded, decoded, i);
  }
  for (Names& names : names_) Seal(names, rules_.size());
}

void Rulebook::Index(std::size_t at, const std::vector<std::string>& globs, std::size_t rule) {
  Names& names = names_.at(at);
  if (rules_[rule]->what.AllItems()) {
    names.all.Add(rule);
    names.any.Add(rule);
    names.every.Add(rule);
    return;
  }
  for (const std::string& glob : globs) {
    names.any.Add(rule);
    if (glob.find_first_not_of('*') == std::string::npos && !glob.empty()) {
      names.all.Add(rule);
      names.every.Add(rule);
    } else if (IsPlainName(glob)) {
      names.plain[glob].Add(rule);
    } else {
      AddGlob(names, glob, rule);
    }
  }
}

void Rulebook::AddGlob(Names& names, const std::string& glob, std::size_t rule) {
  const std::size_t last = glob.find_last_of("*?");
  const bool by_end = glob.front() == '*' && last + 1 < glob.size();
  const std::string_view part =
      by_end ? std::string_view(glob).substr(last + 1) : PrefixOf(glob, "*?");
  ByLength& lengths = by_end ? names.ends : names.begins;
  auto length = std::ranges::find(lengths, part.size(), &std::pair<std::size_t, Parts>::first);
  if (length == lengths.end()) length = lengths.emplace(length, part.size(), Parts());
  length->second[std::string(part)][glob].Add(rule);
}

void Rulebook::Seal(Names& names, std::size_t rules) {
  names.all.Seal(rules);
  for (auto& [name, posting] : names.plain) posting.Seal(rules);
  for (ByLength* lengths : {&names.begins, &names.ends}) {
    for (auto& [length, parts] : *lengths) {
      for (auto& [part, globs] : parts) {
        for (auto& [glob, posting] : globs) posting.Seal(rules);
      }
    }
  }
}

RuleSet Rulebook::RulesOf(std::string_view server) const {
  RuleSet set(rules_.size());
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i]->what.IsAtServer(server)) set.Add(i);
  }
  return set;
}

void Rulebook::See(std::size_t rule, Use use, Findings& found) const {
  const Rule& seen = *rules_[rule];
  if (!seen.what.uses[BitOf(use)]) return;
  if (!seen.when.always()) {
    found.depend.push_back(rule);
    found.may_allow |= seen.effect != Effect::kDeny;
    return;
  }
  std::size_t& first = seen.effect == Effect::kAllow  ? found.allows
                       : seen.effect == Effect::kDeny ? found.denies
                                                      : found.wants;
  first = std::min(first, rule);
}

void Rulebook::Find(const RuleSet& of_server, const RuleSet& for_caller, const Names& names,
                    std::string_view name, Use use, Findings& found) const {
  const auto see = [&](std::size_t i) { See(i, use, found); };
  names.all.ForEach(of_server, for_caller, see);
  if (const auto plain = names.plain.find(name); plain != names.plain.end()) {
    plain->second.ForEach(of_server, for_caller, see);
  }
  const auto see_globs = [&](std::size_t length, const Parts& parts, std::size_t from) {
    const auto globs = parts.find(name.substr(from, length));
    if (globs == parts.end()) return;
    for (const auto& [glob, posting] : globs->second) {
      if (GlobMatches(glob, name)) posting.ForEach(of_server, for_caller, see);
    }
  };
  for (const auto& [length, parts] : names.begins) {
    if (length <= name.size()) see_globs(length, parts, 0);
  }
  for (const auto& [length, parts] : names.ends) {
    if (length <= name.size()) see_globs(length, parts, name.size() - length);
  }
}

// Some of what a template makes may be allowed when it and a glob can begin alike; all of it is
// denied only by a glob that ends in its one star, of which everything begins so.
void Rulebook::FindTemplate(const RuleSet& of_server, const RuleSet& for_caller,
                            std::string_view name, Use use, Findings& found) const {
  const Names& names = NamesOf(ItemKind::kResource);
  const std::string normal = NormalUriGlob(PrefixOf(name, "{"));
  const std::string_view begins = normal;
  RuleSet::ForEach(names.any, of_server, for_caller, [&](std::size_t i) {
    const Rule& rule = *rules_[i];
    const auto concerns = [&](const std::string& glob) {
      const std::string_view prefix = PrefixOf(glob, "*?");
      if (rule.effect == Effect::kAllow) {
        return begins.starts_with(prefix) || prefix.starts_with(begins);
      }
      return prefix.size() + 1 == glob.size() && glob.back() == '*' && begins.starts_with(prefix);
    };
    if (names.every.Has(i) || std::ranges::any_of(rule.what.resources, concerns)) {
      See(i, use, found);
    }
    return true;
  });
}

template <class Visit>
void Rulebook::ForReadings(const RuleSet& of_server, const RuleSet& for_caller,
                           const Question& question, Visit visit) const {
  const auto find = [&](std::size_t names, std::string_view name) {
    Findings found;
    Find(of_server, for_caller, names_.at(names), name, question.use, found);
    return visit(std::move(found));
  };
  const auto kind = static_cast<std::size_t>(question.kind);
  if (question.kind == ItemKind::kTemplate) {
    Findings found;
    FindTemplate(of_server, for_caller, question.name, question.use, found);
    visit(std::move(found));
  } else if (question.kind != ItemKind::kResource || IsPlainUri(question.name)) {
    find(kind, question.name);
  } else {
    const std::string normal = NormalUri(question.name), decoded = DecodedUri(question.name);
    if (find(kind, normal) && decoded != normal) find(kDecoded, decoded);
  }
}

Verdict Rulebook::Decide(const RuleSet& of_server, const RuleSet& for_caller,
                         const Question& question) const {
  Verdict strictest{.outcome = Outcome::kAllowed};
  ForReadings(of_server, for_caller, question, [&](Findings found) {
    const Verdict verdict = DecideBy(std::move(found), question);
    if (verdict.outcome >= strictest.outcome) strictest = verdict;
    return true;
  });
  return strictest;
}

std::vector<const Rule*> Rulebook::PacedFor(const RuleSet& of_server, const RuleSet& for_caller,
                                            const Question& question) const {
  std::vector<const Rule*> paced;
  ForReadings(of_server, for_caller, question, [&](const Findings& found) {
    if (found.hidden()) return false;
    for (const std::size_t i : found.depend) {
      const Rule* rule = rules_[i].get();
      if (!rule->when.pace || std::ranges::find(paced, rule) != paced.end()) continue;
      if (rule->when.Judge(question.arguments, question.now) != Holds::kNo) paced.push_back(rule);
    }
    return true;
  });
  return paced;
}

Verdict Rulebook::DecideBy(Findings found, const Question& question) const {
  if (found.hidden()) return {.outcome = Outcome::kHidden, .rule = found.denies};
  std::ranges::sort(found.depend);
  Verdict denied{.outcome = Outcome::kDenied};
  std::size_t allows = found.allows, wants = found.wants, may_want = kNoRule;
  for (const std::size_t i : found.depend) {
    const Rule& rule = *rules_[i];
    const bool denies = rule.effect == Effect::kDeny;
    const bool asks = rule.effect == Effect::kRequireApproval;
    if (!denies && (asks ? wants : allows) != kNoRule) continue;
    const Holds holds = rule.when.Judge(question.arguments, question.now, OverOf(rule, question));
    const bool by_arguments = !rule.when.arguments.empty();
    const bool by_time = !rule.when.time.empty() || rule.when.pace;  // it may come again later
    if (denies && holds != Holds::kNo) {
      return {
          .outcome = Outcome::kDenied, .rule = i, .by_arguments = by_arguments, .by_time = by_time};
    }
    if (!denies && holds == Holds::kYes) (asks ? wants : allows) = i;
    if (asks && holds == Holds::kCannotTell && may_want == kNoRule) may_want = i;
    if (!denies && holds != Holds::kYes) {
      denied.by_arguments |= by_arguments;
      denied.by_time |= by_time;
    }
  }
  if (allows == kNoRule && wants == kNoRule) return denied;
  return {.outcome = Outcome::kAllowed,
          .rule = allows != kNoRule ? allows : wants,
          .approval = wants != kNoRule ? wants : may_want};
}

std::optional<Verdict> Rulebook::Hides(const RuleSet& of_server, const RuleSet& for_caller,
                                       const Question& question) const {
  std::optional<Verdict> hidden;
  ForReadings(of_server, for_caller, question, [&hidden](const Findings& found) {
    if (found.hidden()) hidden = Verdict{.outcome = Outcome::kHidden, .rule = found.denies};
    return !hidden;
  });
  return hidden;
}

bool Rulebook::Could(const RuleSet& of_server, const RuleSet& for_caller, ItemKind kind,
                     std::string_view name) const {
  const Uses uses = UsesOf(kind);
  for (std::size_t use = 0; use < uses.size(); ++use) {
    if (!uses[use]) continue;
    const Question question{.kind = kind, .name = name, .use = static_cast<Use>(use)};
    if (!Hides(of_server, for_caller, question)) return true;
  }
  return false;
}

bool Rulebook::CouldAny(const RuleSet& of_server, const RuleSet& for_caller, ItemKind kind) const {
  const Names& names = NamesOf(ListedUnder(kind));
  Uses allowed, denied;
  RuleSet::ForEach(names.any, of_server, for_caller, [&](std::size_t i) {
    const Rule& rule = *rules_[i];
    if (rule.effect != Effect::kDeny) {
      allowed |= rule.what.uses;
    } else if (rule.when.always() && names.every.Has(i)) {
      denied |= rule.what.uses;
    }
    return true;
  });
  return (allowed & ~denied & UsesOf(kind)).any();
}

}  // namespace switchyard::policies::authorize
