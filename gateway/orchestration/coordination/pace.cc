#include "orchestration/coordination/pace.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace switchyard::orchestration {

Result<void> MaySend(Records& records, std::string_view agent, std::int64_t box) {
  const Settings& settings = records.settings;
  const std::int64_t window = settings.message_window_ms;
  // The one that must leave the window before another one comes in. What a clock that was set back
  // has in the future does not count.
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT sent_at FROM message WHERE sender_box = $1 AND sent_at > $2 AND sent_at <= $3 "
      "ORDER BY sent_at DESC, id DESC LIMIT 1 OFFSET $4",
      {box, records.now - window, records.now, settings.most_messages - 1});
  if (!rows) return Failure(std::move(rows.error()));
  if (rows->empty()) return {};
  const std::int64_t wait = rows->front().Number(0) + window - records.now;
  Error error{.code = Code::kRateLimited,
              .origin = Origin::kClient,
              .retryable = true,
              .message = fmt::format(
                  "agent {} sent {} messages within {} s, the most it may; the next one in {} s",
                  agent, settings.most_messages, window / 1000, (wait + 999) / 1000)};
  error.data = fmt::format(
      R"({{"origin":"client","code":"rate_limited","retryable":true,"limit":{},"windowMs":{},"retryAfterMs":{}}})",
      settings.most_messages, window, wait);
  return Failure(std::move(error));
}

Result<std::int64_t> SentWithin(Records& records, std::int64_t box, std::int64_t window_ms) {
  Result<Database::Rows> rows = records.sql.Query(
      "SELECT count(*) FROM (SELECT id FROM message WHERE sender_box = $1 AND sent_at > $2 AND "
      "sent_at <= $3 LIMIT $4) AS recent",
      {box, records.now - window_ms, records.now, kMostCounted});
  if (!rows) return Failure(std::move(rows.error()));
  return rows->front().Number(0);
}

std::int64_t SilentFor(const Agent& agent, std::int64_t now) {
  return std::max<std::int64_t>(now - agent.heartbeat_at, 0);
}

bool Responds(const Agent& agent, std::int64_t now, std::int64_t threshold_ms) {
  return agent.said != "offline" && agent.said != "error" && SilentFor(agent, now) <= threshold_ms;
}

}  // namespace switchyard::orchestration
