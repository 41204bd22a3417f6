// Agents: who may be given tasks. Counters of each are kept as its tasks move, never counted out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/records.h"

namespace switchyard::orchestration {

inline constexpr std::int64_t kWhole = 1000;  // of rates, which are in thousandths

struct Agent {
  std::string id = {}, name = {}, role = {}, model_type = {}, model_version = {};
  std::vector<std::string> capabilities = {};  // sorted
  std::string group = {};
  std::string said = "available";  // what it said of itself last
  std::int64_t max_concurrent = 10;
  std::string owner = {};
  bool vouched = false;  // who registered it had the right to say what it can do (vouching.h)
  std::int64_t registered_at = 0, heartbeat_at = 0;
  std::int64_t active = 0, completed = 0, failed = 0, expired = 0, latency_ms = 0;
  std::int64_t raters = 0, ratings = 0;  // who evaluated it, and the sum of what they think

  // available, idle, working, offline or error.
  std::string_view StatusAt(std::int64_t now, const Settings& settings) const;
  bool TakesTasks(std::int64_t now, const Settings& settings) const;
  // Of what it ended, in thousandths; 1000 when it ended nothing.
  std::int64_t SuccessRate() const;
  // What others think of its contributions, in thousandths; 1000 when nobody evaluated any.
  std::int64_t Quality() const;
};

Result<Agent> FindAgent(Records& records, std::string_view id);  // kNotFound
// The same, for somebody who acts as it: kForbidden when it is another caller's. It is alive, then.
Result<Agent> ActAs(Records& records, std::string_view id);
// The same where nobody wants to know more of it.
Result<void> SpeakAs(Records& records, std::string_view id);

// What it says of itself replaces what it said before; what it did stays.
Result<Agent> Register(Records& records, Agent agent);
// Its tasks are anybody's again, and its locks free.
Result<std::int64_t> Deregister(Records& records, std::string_view id);
// Those that have nothing and said nothing for as long as finished tasks are kept, and a day at
// least; up to so many. Gives how many. Their ids are anybody's again.
Result<std::size_t> ForgetAgents(Records& records, std::int64_t limit);
// It lives, and so do the leases of what it has: of one task, or of all tasks and locks (0). Gives
// how many.
Result<std::int64_t> Heartbeat(Records& records, std::string_view id, std::string_view status,
                               std::int64_t task, std::int64_t fence);

// Has those known as changed that have gone offline since then, for they said nothing.
Result<void> NoteAway(Records& records, std::int64_t since);

struct AgentFilter {
  std::vector<std::string> capabilities = {};  // all of these, sorted
  std::vector<std::string> statuses = {};
  std::string role = {}, model_type = {}, group = {};  // "" = any
  std::int64_t active_within_ms = 0;                   // 0 = whenever
  std::string after = {};                              // by id
  std::int64_t limit = 10;
};
Result<std::vector<Agent>> FindAgents(Records& records, const AgentFilter& filter);

// How a task that an agent had ended for it, and after how many milliseconds (0 = it never began).
struct Ending {
  enum class How : std::uint8_t { kNotByIt, kCompleted, kFailed, kExpired };
  How how = How::kNotByIt;
  std::int64_t took_ms = 0;
};
// It has one task less, for that. Store() has it so.
Result<void> NoteEnding(Records& records, std::string_view agent, const Ending& ending);

}  // namespace switchyard::orchestration
