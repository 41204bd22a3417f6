// What every operation works with: a transaction, the time, the limits, and what it does to others.
// Operations run on a thread of the database, and maybe twice: all they change is in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/agent_directory.h"
#include "core/database.h"
#include "orchestration/rights.h"

namespace switchyard {
class KeyRing;
}

namespace switchyard::orchestration {

class Planners;

// Below or above these the service is degraded; shares in thousandths.
struct HealthLimits {
  std::int64_t least_success = 800;        // of the tasks that ended
  std::int64_t most_active = 100;          // tasks that are not finished
  std::int64_t least_agent_success = 700;  // on average
  std::int64_t least_routed = 800;         // of the requests for an agent
};

// Of the configuration; milliseconds.
struct Settings {
  std::int64_t lease_ms = 5 * 60'000;  // how long a task stays with an agent that says nothing
  std::int64_t retain_ms = 7 * 24 * 3'600'000LL;   // finished tasks
  std::int64_t away_ms = 90'000;                   // an agent that said nothing for so long is away
  std::int64_t max_tasks = 2'000'000;              // that are kept, finished ones with them
  std::int64_t max_bytes = std::int64_t{1} << 30;  // of all records; more are not added (size.h)
  HealthLimits health = {};
  std::shared_ptr<const Roles> roles = nullptr;  // null = nobody said anything of roles
  std::int64_t responsive_ms = 60'000;           // ... and does not answer, as checks have it

  std::int64_t most_messages = 60;  // that an agent may send within the window
  std::int64_t message_window_ms = 60'000;
  std::int64_t retain_messages_ms = 7 * 24 * 3'600'000LL;
  std::int64_t max_message_bytes = std::int64_t{256} << 20;  // of all that are kept
  std::shared_ptr<const KeyRing> keys = {};       // of confidential messages; null = there are none
  std::shared_ptr<const Planners> planners = {};  // models that split tasks; null = none
};

// Caps on what is stored, in bytes of UTF-8 or in number. Refusals name them.
inline constexpr std::size_t kMaxId = 100;
inline constexpr std::size_t kMaxWord = 100;  // types, capabilities, names
inline constexpr std::size_t kMaxContent = 256 * 1024;
inline constexpr std::size_t kMaxResult = 1024 * 1024;
inline constexpr std::size_t kMaxError = 4 * 1024;
inline constexpr std::size_t kMaxMetrics = 16 * 1024;
inline constexpr std::size_t kMaxList = 50;    // requirements, capabilities, dependencies
inline constexpr std::size_t kMaxBatch = 100;  // tasks at a time
inline constexpr std::int64_t kMaxAgents = 10'000;
// A claim looks at the head of each lane that its agent can serve; what is not over has its lane.
inline constexpr std::int64_t kMaxLanes = 1000;
inline constexpr std::size_t kMaxPage = std::size_t{4} << 20;  // bytes of tasks in one answer
inline constexpr std::int64_t kReleasedAtOnce = 256;   // tasks that waited for one, a transaction
inline constexpr std::size_t kMaxMessage = 64 * 1024;  // also descriptions, contexts and responses

struct Records {
  Database::Transaction& sql;
  std::int64_t now = 0;  // milliseconds since 1970
  const Settings& settings;
  std::string_view caller;  // who calls, as far as it is proved; "" = nobody in particular
  Rights rights = {};

  // What became of it, for whom it concerns after the commit.
  struct Effects {
    std::int64_t ready = 0;  // tasks that may be claimed now and could not before
    std::int64_t claimed = 0, expired = 0, dead = 0;
    std::vector<std::int64_t> pending = {};  // ms until tasks were given out for the first time
    bool more = false;  // there is work left that goes on by itself (Desk::Tick)
    // Whose views read otherwise by now; some may stand there twice.
    std::vector<std::int64_t> tasks = {};
    std::vector<std::string> agents = {};
    std::int64_t sent = 0, read = 0;      // messages; sent: to each recipient
    std::int64_t forced = 0;              // locks that were taken away
    std::vector<std::string> lines = {};  // of each the one that waits longest may have it now
    std::vector<AgentDirectory::Change> vouched = {};  // in their order
  } effects = {};
};

std::unexpected<Error> Refused(std::string message);
std::unexpected<Error> Unknown(std::string message);
std::unexpected<Error> Forbidden(std::string message);

// One more, and what it is then.
Result<std::int64_t> Next(Records& records, std::string_view counter);
Result<void> CountUp(Records& records, std::string_view counter, std::int64_t by = 1);

}  // namespace switchyard::orchestration
