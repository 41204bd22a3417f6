// A rule of `authorize`: who, what, when, and what then. Pure; values, immutable once read.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "core/definition.h"
#include "policies/authorize/when.h"
#include "policies/authorize/who.h"

namespace switchyard::policies::authorize {

// kRequireApproval allows what a person approves (policies/approval.cc); of tools alone.
enum class Effect : std::uint8_t { kAllow, kDeny, kRequireApproval };
constexpr std::string_view ToString(Effect effect) {
  if (effect == Effect::kRequireApproval) return "require_approval";
  return effect == Effect::kAllow ? "allow" : "deny";
}

// What is done with an item.
enum class Use : std::uint8_t { kCallTool, kGetPrompt, kReadResource, kComplete };
inline constexpr std::array<std::string_view, 4> kUseWords = {
    "tools/call", "prompts/get", "resources/read", "completion/complete"};
using Uses = std::bitset<kUseWords.size()>;
constexpr std::size_t BitOf(Use use) { return static_cast<std::size_t>(use); }

// What may be done with an item of a kind.
inline Uses UsesOf(ItemKind kind) {
  if (kind == ItemKind::kTool) return 0b0001;
  return kind == ItemKind::kPrompt ? 0b1010 : 0b1100;
}

// Globs; an item by the name that its server gives it. Empty endpoints and servers = all of them.
struct What {
  std::vector<std::string> endpoints = {};  // of "/mcp", "/mcp/team"
  std::vector<std::string> servers = {};
  // Nothing in any of the three = all items; else those alone that are named here, resources by
  // NormalUriGlob (policies/lib/uri_form.h).
  std::vector<std::string> tools = {}, prompts = {}, resources = {};
  Uses uses = 0b1111;

  bool AllItems() const { return tools.empty() && prompts.empty() && resources.empty(); }
  const std::vector<std::string>& NamesOf(ItemKind kind) const {
    if (kind == ItemKind::kTool) return tools;
    return kind == ItemKind::kPrompt ? prompts : resources;
  }
  bool IsAtEndpoint(std::string_view path) const { return AnyFits(endpoints, path); }
  bool IsAtServer(std::string_view server) const { return AnyFits(servers, server); }
  bool Has(ItemKind kind, std::string_view name) const {
    const std::vector<std::string>& names = NamesOf(kind);
    return AllItems() || (!names.empty() && AnyFits(names, name));
  }

 private:
  static bool AnyFits(const std::vector<std::string>& globs, std::string_view name) {
    return globs.empty() || std::ranges::any_of(globs, [name](const std::string& glob) {
             return GlobMatches(glob, name);
           });
  }
};

struct Rule {
  std::string name;  // or where it stands in the file
  Effect effect = Effect::kDeny;
  Who who = {};
  What what = {};
  When when = {};
  std::string policy = {};  // of kRequireApproval: SHA-256 of all that it says
};

}  // namespace switchyard::policies::authorize
