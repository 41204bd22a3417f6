// Collaboration sessions: agents that work on something together, what they share of it, and who
// coordinates. Messages to a session go to all of its participants but the sender.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/agents.h"

namespace switchyard::orchestration {

inline constexpr std::int64_t kMostSessions = 10'000;  // that are open
inline constexpr std::int64_t kMostCoordinated = 100;  // of these by one agent

struct Session {
  std::int64_t id = 0;
  std::string title = {}, description = {};
  std::string context = "{}";  // JSON of an object
  std::string coordinator = {};
  std::int64_t box = 0;  // the coordinator's inbox
  std::string creator = {};
  std::string outcome = {};
  std::int64_t created_at = 0, updated_at = 0, closed_at = 0;
  std::vector<std::string> participants =
      {};  // sorted, with the coordinator; not those that are gone

  bool open() const { return closed_at == 0; }
};

struct NewSession {
  std::string title = {}, description = {}, context = "{}", coordinator = {};
  std::vector<std::string> participants = {};
};
// The caller acts as the coordinator; participants are told by a message.
Result<Session> Create(Records& records, const NewSession& wanted);

// As it is, for one of its participants, or with "" for the caller that created it. kNotFound for
// others.
Result<Session> FindSession(Records& records, std::int64_t id, std::string_view agent);

struct SessionUpdate {
  std::string context = {};  // JSON of an object; its members replace those there, null removes
  std::vector<std::string> add = {}, remove = {};  // participants: the coordinator's business
};
Result<Session> Update(Records& records, std::int64_t id, const std::string& agent,
                       const SessionUpdate& update);
// Whom a message of the agent to an open session goes to. Something happened in it, then.
Result<std::vector<std::string>> OthersIn(Records& records, std::int64_t id,
                                          const std::string& agent);
// The coordinator's business; any participant's once the coordinator is gone.
Result<Session> CloseSession(Records& records, std::int64_t id, const std::string& agent,
                             std::string outcome);

struct SessionPage {
  std::vector<Session> sessions = {};  // newest first; without participants
  std::int64_t next = 0;               // 0 = there are no more
};
// In which the agent takes part, or with "" which the caller created.
Result<SessionPage> ListSessions(Records& records, const std::string& agent,
                                 std::optional<bool> open, std::int64_t before, std::int64_t limit);

// Closes those in which nothing happened for long, and forgets those that are closed for long.
Result<bool> SweepSessions(Records& records, std::int64_t limit);

}  // namespace switchyard::orchestration
