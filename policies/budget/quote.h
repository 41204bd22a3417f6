// What a call will cost, for other policies that want to know before it runs. For
// policies/budget.cc alone.
#pragma once

#include <memory>
#include <optional>

#include "core/call.h"
#include "policies/budget.h"
#include "policies/lib/context_size.h"
#include "policies/registry.h"

namespace switchyard::policies::budget {

// By its price and, of what is only known afterwards, by what the tool's results were like of late.
inline std::optional<std::int64_t> QuoteOf(const Plan& plan, const Call& call) {
  const Price& price = plan.config.price;
  if (!price.said) return std::nullopt;
  std::int64_t tokens = 0;
  if (plan.tokens) {
    tokens = TokensOfText(call.message.Get(mcp::Key::kArguments), *plan.config.tokens.counter);
  }
  if (plan.learnt == nullptr) return CostOf({.tokens_in = tokens, .told = {}}, price);
  const Learnt& learnt =
      plan.learnt->At(CountedOf(call).listed, [](std::string_view) { return Learnt(); });
  return CostOf(learnt.Guess(plan.config.reserve, price, tokens), price);
}

inline void OfferPrices(const PolicyDeps& deps) {
  if (deps.between == nullptr) return;
  const auto settings = std::make_shared<const SettingsOf<Plan>>(deps);
  deps.between->price = [settings](const Call& call) { return QuoteOf((*settings)(call), call); };
}

}  // namespace switchyard::policies::budget
