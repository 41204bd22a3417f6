#include "policies/lib/twice.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/glob.h"
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

}  // namespace switchyard::policies
