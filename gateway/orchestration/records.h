// What every operation works with: a transaction, the time, the limits, and what it does to others.
// Operations run on a thread of the database, and maybe twice: all they change is in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/database.h"

namespace switchyard::orchestration {

// Of the configuration; milliseconds.
struct Settings {
  std::int64_t lease_ms = 5 * 60'000;  // how long a task stays with an agent that says nothing
  std::int64_t retain_ms = 7 * 24 * 3'600'000LL;  // finished tasks
  std::int64_t away_ms = 90'000;                  // an agent that said nothing for so long is away
  std::vector<std::string> force_release = {};    // roles or scopes whose callers take locks away
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
inline constexpr std::int64_t kMaxLanes = 10'000;

struct Records {
  Database::Transaction& sql;
  std::int64_t now = 0;  // milliseconds since 1970
  const Settings& settings;
  std::string_view caller;  // who calls, as far as it is proved; "" = nobody in particular

  // What became of it, for whom it concerns after the commit.
  struct Effects {
    std::int64_t ready = 0;  // tasks that may be claimed now and could not before
    std::int64_t claimed = 0, expired = 0, dead = 0;
    std::int64_t forced = 0;              // locks that were taken away
    std::vector<std::string> lines = {};  // of each the one that waits longest may have it now
  } effects = {};
  bool may_force = false;  // the caller may take locks away from others
};

std::unexpected<Error> Refused(std::string message);
std::unexpected<Error> Unknown(std::string message);
std::unexpected<Error> Forbidden(std::string message);

// One more, and what it is then.
Result<std::int64_t> Next(Records& records, std::string_view counter);
Result<void> CountUp(Records& records, std::string_view counter, std::int64_t by = 1);

}  // namespace switchyard::orchestration
