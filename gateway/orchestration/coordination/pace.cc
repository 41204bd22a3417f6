#include "orchestration/coordination/pace.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace switchyard::orchestration {

namespace {

// `of`: those that count, up to now, newest first; `most` of them may be within the window. Gives
// how long it is until one more may come.
Result<std::int64_t> WaitFor(Records& records, std::string_view sql, std::string_view of,
                             std::int64_t most) {
  const std::int64_t window = records.settings.message_window_ms;
  // The one that must leave the window before another one comes in. What a clock that was set back
  // has in the future does not count.
  Result<Database::Rows> rows =
      records.sql.Query(sql, {of, records.now - window, records.now, most - 1});
  if (!rows) return Failure(std::move(rows.error()));
  return rows->empty() ? 0 : rows->front().Number(0) + window - records.now;
}

std::unexpected<Error> TooMuch(const Settings& settings, std::string_view who, std::int64_t most,
                               std::int64_t wait) {
  const std::int64_t window = settings.message_window_ms;
  Error error{
      .code = Code::kRateLimited,
      .origin = Origin::kClient,
      .retryable = true,
      .message = fmt::format("{} sent {} messages within {} s, the most {} may; the next one "
                             "in {} s",
                             who, most, window / 1000,
                             most == settings.most_messages ? "it" : "they", (wait + 999) / 1000)};
  error.data = fmt::format(
      R"({{"origin":"client","code":"rate_limited","retryable":true,"limit":{},"windowMs":{},"retryAfterMs":{}}})",
      most, window, wait);
  return Failure(std::move(error));
}

}  // namespace

Result<void> MaySend(Records& records, std::string_view agent) {
  const std::int64_t most = records.settings.most_messages;
  Result<std::int64_t> wait =
      WaitFor(records,
              "SELECT sent_at FROM message WHERE sender = $1 AND sent_at > $2 AND sent_at <= $3 "
              "ORDER BY sent_at DESC, id DESC LIMIT 1 OFFSET $4",
              agent, most);
  if (!wait) return Failure(std::move(wait.error()));
  if (*wait > 0) return TooMuch(records.settings, fmt::format("agent {}", agent), most, *wait);
  if (records.caller.empty()) return {};
  wait = WaitFor(records,
                 "SELECT sent_at FROM message WHERE owner = $1 AND sent_at > $2 AND sent_at <= $3 "
                 "ORDER BY sent_at DESC, id DESC LIMIT 1 OFFSET $4",
                 records.caller, most * kPacesOfACaller);
  if (!wait) return Failure(std::move(wait.error()));
  if (*wait == 0) return {};
  return TooMuch(records.settings, "your agents", most * kPacesOfACaller, *wait);
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
