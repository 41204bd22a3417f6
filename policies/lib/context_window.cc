#include "policies/lib/context_window.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace switchyard::policies {

std::string ContextUse::ToText() const { return fmt::format("{} {}", began, used); }

std::optional<ContextUse> ContextUse::Parse(std::string_view text) {
  ContextUse use;
  const char* const last = text.data() + text.size();
  const auto [space, fault] = std::from_chars(text.data(), last, use.began);
  if (fault != std::errc() || space == last) return std::nullopt;
  const auto [end, broken] = std::from_chars(space + 1, last, use.used);
  if (broken != std::errc() || end != last || use.used < 0) return std::nullopt;
  return use;
}

bool LetIn(const ContextWindow& window, std::int64_t arguments, ContextUse& use) {
  const std::int64_t available = AvailableOf(window, use);
  if (available < window.min_available || available - kContextAside < arguments) return false;
  use.used += arguments + kContextAside;
  return true;
}

ContextShare TakeShare(const ContextWindow& window, std::int64_t wanted, bool aside,
                       ContextUse& use) {
  if (aside) GiveBack(kContextAside, use);
  const std::int64_t available = AvailableOf(window, use);
  const auto most =
      static_cast<std::int64_t>(std::floor(window.max_fraction * static_cast<double>(available)));
  ContextShare share{.available = available};
  if (wanted <= most) {
    share.tokens = wanted;
  } else if (most >= kLeastOfContext) {
    share.kind = ContextShare::Kind::kCut;
    share.tokens = most;
  } else {
    share.kind = ContextShare::Kind::kWithheld;
    share.tokens = std::min(kContextAside, available);
  }
  use.used += share.tokens;
  return share;
}

void GiveBack(std::int64_t tokens, ContextUse& use) {
  use.used = std::max<std::int64_t>(use.used - tokens, 0);
}

}  // namespace switchyard::policies
