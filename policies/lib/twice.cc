#include "policies/lib/twice.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/glob.h"
#include "base/result.h"
#include "mcp/raw_object.h"

namespace switchyard::policies {
namespace {

bool AnyMatches(const std::vector<std::string>& globs, std::string_view name) {
  return std::ranges::any_of(globs, [name](const auto& glob) { return GlobMatches(glob, name); });
}

bool HasKey(const std::string& meta) {
  if (!meta.contains("idempotencyKey")) return false;
  return !mcp::RawObject::Parse("{" + meta + "}").GetString("idempotencyKey").empty();
}

}  // namespace

std::string WhyNotTwice(const TwiceRules& rules, const TwiceFacts& facts) {
  switch (facts.method) {
    case mcp::Method::kPromptsGet:
    case mcp::Method::kResourcesRead:
    case mcp::Method::kComplete: return "";
    case mcp::Method::kToolsCall: break;
    default: return "its method is not one that may run twice";
  }
  if (AnyMatches(rules.never, facts.tool)) return "retry.never has it";
  if (AnyMatches(rules.idempotent, facts.tool)) return "";
  if (rules.trust_hints && facts.hinted) return "";
  if (rules.trust_keys && HasKey(facts.meta)) return "";
  return fmt::format("nothing says that it may run twice ({}{}retry.idempotent)",
                     rules.trust_hints ? "its hints, " : "",
                     rules.trust_keys ? "_meta.idempotencyKey, " : "");
}

std::vector<std::string> ContradictionsIn(const TwiceRules& rules) {
  std::vector<std::string> found;
  for (const std::string& tool : rules.idempotent) {
    for (const std::string& glob : rules.never) {
      if (!GlobCovers(glob, tool)) continue;
      found.push_back(
          fmt::format("{} is also in never ({}): it may run twice or it may not", tool, glob));
    }
  }
  return found;
}

std::string WhyNeverRepeated(const TwiceRules& rules, const std::vector<std::string>& on,
                             std::string_view glob) {
  const auto covers = [glob](const std::string& never) { return GlobCovers(never, glob); };
  const auto may_have_run = [](const std::string& word) {
    return word == ToString(Code::kProtocol) || word == ToString(Code::kInternal);
  };
  if (glob.empty() || on.empty() || std::ranges::none_of(rules.never, covers) ||
      !std::ranges::all_of(on, may_have_run)) {
    return "";
  }
  return fmt::format(
      "after {} nobody knows whether {} ran, and it may not run twice (never), so "
      "nothing would be repeated: add unavailable, or say attempts: 0",
      fmt::join(on, " and "), glob);
}

}  // namespace switchyard::policies
