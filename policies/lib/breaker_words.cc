#include "policies/lib/breaker_words.h"

#include <algorithm>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "mcp/json_string.h"
#include "policies/lib/settings.h"

namespace switchyard::policies {
namespace {

std::string TimeText(WallTime now, Duration later) {
  const WallTime time = now + std::chrono::duration_cast<WallTime::duration>(later);
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::int64_t Millis(Duration duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}

}  // namespace

Error BreakerRefusal(const std::string& what, const SharedBreaker::Facts& facts, WallTime now) {
  const bool open = facts.state == Breaker::State::kOpen;
  const std::int64_t wait = std::max<std::int64_t>(Millis(facts.retry_after), 1);
  std::string message =
      fmt::format("{}: circuit breaker {} for {} ({}), {} {}", what, open ? "open" : "half open",
                  ShortDuration(std::chrono::milliseconds(Millis(facts.open_since))), facts.why,
                  open ? "probes in" : "a probe is under way, try again in",
                  ShortDuration(std::chrono::milliseconds(wait)));
  if (!facts.last.empty()) message += "; last failure: " + facts.last;
  return {.code = Code::kUnavailable,
          .retryable = true,
          .message = std::move(message),
          .data = fmt::format(R"({{"origin":"gateway","code":"unavailable","retryable":true,)"
                              R"("breaker":{},"state":"{}","since":"{}","reason":{},)"
                              R"("retryAfterMs":{}}})",
                              mcp::Quote(what), ToString(facts.state),
                              TimeText(now, -facts.open_since), mcp::Quote(facts.why), wait),
          .for_agent = true};
}

std::string BreakerNotice(const SharedBreaker::Facts& facts, WallTime now) {
  const bool refuses = facts.state == Breaker::State::kOpen && facts.retry_after > Duration::zero();
  return fmt::format(
      "circuit breaker {} since {} ({}), {}", refuses ? "open" : "half open",
      TimeText(now, -facts.open_since), facts.why,
      refuses ? "probes at " + TimeText(now, facts.retry_after) : "the next calls are probes");
}

}  // namespace switchyard::policies
