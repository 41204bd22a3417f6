#include "policies/lib/budget_words.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mcp/json_string.h"
#include "policies/lib/budget_money.h"

namespace switchyard::policies {
namespace {

// Seconds as a decimal, to the millisecond.
std::string Seconds(std::int64_t milliseconds) {
  return MicrosText(std::clamp<std::int64_t>(milliseconds, 0, kMostMicros / 1000) * 1000);
}

std::int64_t MillisecondsUp(Duration duration) {
  return std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count(), 1);
}

std::string Number(Unit unit, std::int64_t amount) {
  switch (unit) {
    case Unit::kMoney: return MicrosText(amount);
    case Unit::kTime: return Seconds(amount);
    default: return std::to_string(amount);
  }
}

// Without the braces around it.
std::string Members(const Standing& standing) {
  std::string text = fmt::format(R"("budget":{},"unit":"{}","limit":{},"used":{},"remaining":{})",
                                 mcp::Quote(standing.budget),
                                 standing.unit == Unit::kTime ? "seconds" : UnitWord(standing.unit),
                                 Number(standing.unit, standing.limit),
                                 Number(standing.unit, std::max<std::int64_t>(standing.used, 0)),
                                 Number(standing.unit, standing.left()));
  if (standing.unit == Unit::kMoney) text += R"(,"currency":)" + mcp::Quote(standing.currency);
  text += R"(,"window":)" + mcp::Quote(standing.window);
  if (!standing.per.empty()) text += R"(,"per":)" + mcp::Quote(standing.per);
  text += R"(,"scope":)" + mcp::Quote(standing.scope);
  if (standing.ends) text += R"(,"resetsAt":)" + mcp::Quote(UtcText(*standing.ends));
  return text;
}

std::string When(const Standing& standing) {
  if (standing.fits_never()) return "; that is more than all of it, so it never fits";
  if (!standing.refills) return "";
  std::string text =
      fmt::format("; there is room in {}s", Seconds(MillisecondsUp(*standing.refills)));
  if (standing.ends) text += ", at " + UtcText(*standing.ends);
  return text;
}

std::string Instead(const Standing& standing) {
  std::string text;
  if (!standing.others.empty()) text = fmt::format("; {}", standing.others);
  if (!standing.alternatives.empty()) {
    text += fmt::format("; instead: {}", fmt::join(standing.alternatives, "; "));
  }
  return text;
}

}  // namespace

BudgetScope ScopeOf(std::string_view path) {
  constexpr std::string_view kEndpoints = "endpoints.", kServers = "servers.",
                             kPolicies = ".policies.budget", kTools = ".tool_policies.",
                             kBudget = ".budget";
  if (path.starts_with(kEndpoints) && path.ends_with(kPolicies)) {
    path.remove_prefix(kEndpoints.size());
    path.remove_suffix(kPolicies.size());
    return {.label = fmt::format("/mcp/{}", path), .words = fmt::format("calls at /mcp/{}", path)};
  }
  if (!path.starts_with(kServers)) return {.label = "", .words = "all calls"};
  path.remove_prefix(kServers.size());
  if (path.ends_with(kPolicies)) {
    path.remove_suffix(kPolicies.size());
    return {.label = std::string(path), .words = fmt::format("calls of server {}", path)};
  }
  const std::size_t tools = path.find(kTools);
  if (tools == std::string_view::npos || !path.ends_with(kBudget)) {
    return {.label = std::string(path), .words = std::string(path)};
  }
  const std::string_view server = path.substr(0, tools);
  std::string_view glob = path.substr(tools + kTools.size());
  glob.remove_suffix(kBudget.size());
  return {.label = fmt::format("{}/{}", server, glob),
          .words = fmt::format("calls of tools {} of server {}", glob, server)};
}

std::string QuantityText(Unit unit, std::int64_t amount, std::string_view currency) {
  const std::string number = Number(unit, amount);
  if (unit == Unit::kMoney) return fmt::format("{} {}", number, currency);
  if (unit == Unit::kTime) return number + "s";
  std::string_view word = UnitWord(unit);
  if (amount == 1) word.remove_suffix(1);  // 1 call
  return fmt::format("{} {}", number, word);
}

Error BudgetRefusal(const Standing& standing) {
  const std::string needed = QuantityText(standing.unit, standing.needed, standing.currency);
  std::string data = fmt::format(
      R"({{"origin":"gateway","code":"rate_limited","retryable":{},{},"needed":{})",
      !standing.fits_never(), Members(standing), Number(standing.unit, standing.needed));
  if (standing.refills && !standing.fits_never()) {
    data += fmt::format(R"(,"retryAfterMs":{})", MillisecondsUp(*standing.refills));
  }
  if (!standing.alternatives.empty()) {
    std::vector<std::string> quoted;
    for (const std::string& one : standing.alternatives) quoted.push_back(mcp::Quote(one));
    data += fmt::format(R"(,"alternatives":[{}])", fmt::join(quoted, ","));
  }
  return {.code = Code::kRateLimited,
          .retryable = true,  // nothing ran; whether it is of use to try again is in the data
          .message = fmt::format("budget {}: {} of {} left{}{} {}, and this call needs {}{}{}",
                                 standing.budget, Number(standing.unit, standing.left()),
                                 QuantityText(standing.unit, standing.limit, standing.currency),
                                 standing.per.empty() ? "" : " per ", standing.per, standing.window,
                                 needed, When(standing), Instead(standing)),
          .data = data + "}",
          .for_agent = true};
}

std::string BudgetNote(std::span<const Standing> standings) {
  std::vector<std::string> notes;
  notes.reserve(standings.size());
  for (const Standing& standing : standings) notes.push_back("{" + Members(standing) + "}");
  return fmt::format("[{}]", fmt::join(notes, ","));
}

}  // namespace switchyard::policies
