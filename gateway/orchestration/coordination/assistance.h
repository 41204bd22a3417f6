// Requests for assistance: an agent asks another one, or those that can do what it needs, and waits
// until one of them answers. Where that would make a deadlock it is refused, and the cycle named.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/agents.h"
#include "orchestration/task.h"

namespace switchyard::orchestration {

inline constexpr std::int64_t kMostRequests = 20;  // of one agent, open ones
inline constexpr std::size_t kMostAsked = 10;

enum class Asking : std::uint8_t { kOpen, kAccepted, kAnswered, kDeclined, kExpired, kCancelled };
std::string_view ToString(Asking status);

struct Asked {
  std::string agent = {};
  std::string reason = {};       // why this one
  std::string answer = "asked";  // asked, accepted, declined, answered
  std::int64_t box = 0;
};
struct Request {
  std::int64_t id = 0;
  std::string requester = {};
  std::int64_t box = 0;  // the requester's inbox
  std::string description = {}, target = {};
  std::vector<std::string> capabilities = {};
  Priority urgency = Priority::kMedium;
  TaskId task = 0;
  Asking status = Asking::kOpen;
  std::string helper = {};  // "" = nobody yet
  std::int64_t helper_box = 0;
  std::string response = {};
  std::int64_t created_at = 0, expires_at = 0, closed_at = 0;
  std::vector<Asked> asked = {};  // the best first
};

struct NewRequest {
  std::string requester = {}, description = {}, target = {};
  std::vector<std::string> capabilities = {}, exclude = {};
  Priority urgency = Priority::kMedium;
  TaskId task = 0;
  std::int64_t expires_in_ms = 300'000;
  std::int64_t ask = 3;  // by capabilities: so many at most
};
// The requester acts. kInvalid: nobody can be asked, or it would be a deadlock; kRateLimited as of
// messages, for whoever is asked gets one.
Result<Request> Ask(Records& records, const NewRequest& wanted);

enum class Reaction : std::uint8_t { kAccept, kDecline, kRespond, kCancel };
// Of one who was asked, or kCancel of the requester, who acts. `text` is the response or the
// reason. The other side is told by a message.
Result<Request> React(Records& records, std::int64_t id, const std::string& agent,
                      Reaction reaction, const std::string& text);

// For the requester and those who were asked; kNotFound for others.
Result<Request> FindRequest(Records& records, std::int64_t id, const std::string& agent);

struct RequestPage {
  std::vector<Request> requests = {};  // newest first
  std::int64_t next = 0;
};
// What the agent was asked and is still open, or what it asked for.
Result<RequestPage> ListRequests(Records& records, const std::string& agent, bool own,
                                 std::int64_t before, std::int64_t limit);

// The agent is gone: what it asked is cancelled, and what it was asked it declines. As many as it
// may ask of each; what else it was asked expires.
Result<void> LeaveRequests(Records& records, const std::string& agent);

Result<bool> SweepAssistance(Records& records, std::int64_t limit);

}  // namespace switchyard::orchestration
