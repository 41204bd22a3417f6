#include "policies/authorize/who.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "base/glob.h"
#include "mcp/json_string.h"

namespace switchyard::policies::authorize {
namespace {

using Part = Who::Part;

std::span<const std::string> ValuesOf(const Principal& principal, const Who::Match& match) {
  const auto one = [](const std::string& text) {
    return std::span<const std::string>(&text, text.empty() ? 0U : 1U);
  };
  switch (match.part) {
    case Part::kIssuer: return one(principal.issuer);
    case Part::kSubject: return one(principal.subject);
    case Part::kClient: return one(principal.client);
    case Part::kScope: return principal.scopes;
    case Part::kRole: return principal.roles;
    case Part::kGroup: return principal.groups;
    case Part::kCapability: return principal.capabilities;
    case Part::kClaim: {
      const auto claim = principal.claims.find(match.claim);
      if (claim == principal.claims.end()) return {};
      return claim->second;
    }
  }
  return {};
}

bool Fits(std::span<const std::string> values, const Who::Match& match) {
  return std::ranges::any_of(values, [&match](const std::string& value) {
    return std::ranges::any_of(
        match.globs, [&value](const std::string& glob) { return GlobMatches(glob, value); });
  });
}

bool Fits(const Principal& principal, std::span<const std::string> agents,
          const Who::Match& match) {
  return Fits(ValuesOf(principal, match), match) ||
         (match.part == Part::kCapability && Fits(agents, match));
}

std::string Joined(const std::vector<Who>& parts, std::string_view between) {
  std::string text = "(";
  for (const Who& part : parts) {
    if (text.size() > 1) text += between;
    text += part.ToText();
  }
  return text += ')';
}

}  // namespace

bool Who::Holds(const Principal& principal, std::span<const std::string> agents) const {
  const auto holds = [&](const Who& who) { return who.Holds(principal, agents); };
  if (anonymous && *anonymous != principal.subject.empty()) return false;
  const auto fits = [&](const Match& match) { return Fits(principal, agents, match); };
  return std::ranges::all_of(matches, fits) && std::ranges::all_of(all, holds) &&
         (any.empty() || std::ranges::any_of(any, holds)) && std::ranges::none_of(none, holds);
}

bool Who::NamesCapabilities() const {
  const auto names = [](const Who& who) { return who.NamesCapabilities(); };
  return std::ranges::find(matches, Part::kCapability, &Match::part) != matches.end() ||
         std::ranges::any_of(all, names) || std::ranges::any_of(any, names) ||
         std::ranges::any_of(none, names);
}

std::optional<std::vector<std::string>> Who::ScopesToHold(
    const Principal& principal, std::span<const std::string> agents) const {
  Who rest = *this;
  std::vector<std::string> scopes;
  const auto with = [&](const Match& match) {
    const auto has = std::ranges::find_if(principal.scopes, [&match](const std::string& scope) {
      // What stands in a challenge has no quotes; a token may say what it likes.
      if (scope.find_first_of("\"\\ ") != std::string::npos) return false;
      return std::ranges::any_of(
          match.globs, [&scope](const std::string& glob) { return GlobMatches(glob, scope); });
    });
    if (has != principal.scopes.end()) return &*has;
    const auto plain = std::ranges::find_if(match.globs, IsPlainName);
    return plain == match.globs.end() ? nullptr : &*plain;
  };
  std::erase_if(rest.matches, [&](const Match& match) {
    const std::string* const scope = match.part == Part::kScope ? with(match) : nullptr;
    if (scope != nullptr) scopes.push_back(*scope);
    return scope != nullptr;
  });
  for (const Who& part : std::exchange(rest.all, {})) {
    auto of_part = part.ScopesToHold(principal, agents);
    if (!of_part) return std::nullopt;
    scopes.insert(scopes.end(), of_part->begin(), of_part->end());
  }
  if (!rest.Holds(principal, agents)) return std::nullopt;
  return scopes;
}

std::string Who::ToText() const {
  std::vector<std::string> parts;
  if (anonymous) parts.emplace_back(*anonymous ? "anonymous" : "not anonymous");
  for (const Match& match : matches) {
    std::string text(kPartWords.at(static_cast<std::size_t>(match.part)));
    if (match.part == Part::kClaim) text += " " + mcp::Quote(match.claim) + ":";
    for (const std::string& glob : match.globs) {
      text += (&glob == match.globs.data() ? " " : " or ") + mcp::Quote(glob);
    }
    parts.push_back(std::move(text));
  }
  if (!all.empty()) parts.push_back(Joined(all, " and "));
  if (!any.empty()) parts.push_back(Joined(any, " or "));
  for (const Who& who : none) parts.push_back("not (" + who.ToText() + ")");
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " and ") + part;
  return text.empty() ? "everyone" : text;
}

}  // namespace switchyard::policies::authorize
