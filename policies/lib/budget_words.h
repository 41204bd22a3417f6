// What agents, people and programs are told of budgets. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "policies/lib/budget_calendar.h"
#include "policies/lib/budget_cost.h"

namespace switchyard::policies {

// Whose calls a budget counts, by the place in the configuration where it stands.
struct BudgetScope {
  std::string label;  // of metrics: "" = all calls, /mcp/NAME, SERVER, SERVER/GLOB
  std::string words;  // calls of server files
};
// `path`: of the mapping `budget`, such as servers.files.policies.budget.
BudgetScope ScopeOf(std::string_view path);

// 5 USD, 3 calls, 12.5s. Of `unit` as it is counted.
std::string QuantityText(Unit unit, std::int64_t amount, std::string_view currency);

// One limit of a budget, as it stands. Borrowed.
struct Standing {
  std::string_view budget;
  Unit unit = Unit::kCalls;
  std::string_view currency = {};  // of money
  std::int64_t limit = 0;
  std::int64_t used = 0;         // what calls under way have reserved, too
  std::int64_t needed = 0;       // by the call that is refused
  std::string_view per = {};     // principal and tool
  std::string_view window = {};  // in 24h, this day, in this session
  std::string_view scope = {};   // BudgetScope::words
  // Until there is room; absent: not known, or never.
  std::optional<Duration> refills = std::nullopt;
  std::optional<std::chrono::sys_seconds> ends = std::nullopt;  // of a calendar's period
  std::string_view others = {};                                 // whose budgets are apart
  std::span<const std::string> alternatives = {};

  std::int64_t left() const { return used >= limit ? 0 : limit - used; }
  bool fits_never() const { return needed > limit; }
};

// For a call that does not fit.
Error BudgetRefusal(const Standing& standing);

// For `_meta` of the answer that a nearly used-up budget has paid for: a JSON array.
inline constexpr std::string_view kBudgetNote = "switchyard/budget";
std::string BudgetNote(std::span<const Standing> standings);

}  // namespace switchyard::policies
