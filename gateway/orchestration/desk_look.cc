// The desk's look at the clock: what is over, what goes on by itself, and the numbers.
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "orchestration/coordination/sweep.h"
#include "orchestration/dependencies.h"
#include "orchestration/desk.h"
#include "orchestration/locks/locks.h"
#include "orchestration/moves.h"
#include "orchestration/projects/efforts.h"
#include "orchestration/statistics.h"
#include "telemetry/metrics.h"

namespace switchyard::orchestration {
namespace {

// A jump may be a mistake, and what was forgotten by it does not come back with the right time.
constexpr std::int64_t kTrustsAfter = 3'600'000;
constexpr std::int64_t kNever = std::int64_t{1} << 60;

// What ends by itself besides tasks. True: there may be more.
Result<bool> SweepOthers(Records& records) {
  Result<bool> more = SweepCoordination(records);
  if (!more) return more;
  Result<bool> locks = SweepLocks(records);
  if (!locks) return locks;
  Result<bool> efforts = SweepEfforts(records);
  if (!efforts) return efforts;
  return *more || *locks || *efforts;
}

}  // namespace

struct Desk::Numbers {
  QueueNumbers queue = {};
  std::optional<AgentNumbers> agents = {};  // none: as before
  CoordinationNumbers coordination = {};
  std::map<std::string, std::int64_t> counters = {};
  std::int64_t bytes = 0, bytes_limit = 0;

  static Result<Numbers> Of(Records& records, Census::Count count) {
    Result<QueueNumbers> queue = QueueOf(records);
    if (!queue) return Failure(std::move(queue.error()));
    const bool agents = count == Census::Count::kYes ||
                        (count == Census::Count::kIfChanged && !records.effects.agents.empty());
    Result<CoordinationNumbers> coordination = CoordinationOf(records);
    if (!coordination) return Failure(std::move(coordination.error()));
    Result<std::map<std::string, std::int64_t>> counters = CountersOf(records);
    if (!counters) return Failure(std::move(counters.error()));
    const Result<std::int64_t> bytes = records.sql.UsedBytes();
    if (!bytes) return Failure(bytes.error());
    Numbers numbers{.queue = *queue,
                    .coordination = *coordination,
                    .counters = std::move(*counters),
                    .bytes = *bytes,
                    .bytes_limit = records.settings.max_bytes};
    if (!agents) return numbers;
    Result<AgentNumbers> counted = AgentsOf(records);
    if (!counted) return Failure(std::move(counted.error()));
    numbers.agents = std::move(*counted);
    return numbers;
  }
};

struct Desk::Looked {
  Records::Effects effects = {};
  Numbers numbers = {};
  Vouched vouched = {};
  Round more = {};  // of what there may be more
};

void Desk::Tick() { Look({.tasks = true, .releasing = true, .others = true, .numbers = true}); }

void Desk::Look(Round round) {
  // A gateway that stops takes nothing back any more: the next one does.
  if (ending_ || sweeping_.exchange(true)) return;
  const std::int64_t before = to_wall_, after = ToWall();
  const std::int64_t jump = std::abs(after - before) < kJump ? 0 : after - before;
  if (jump != 0) {
    spdlog::warn("orchestration: the wall clock jumped by {} ms; leases go with it", jump);
    forgets_from_ = Steady() + kTrustsAfter;
  }
  Settings limits = *settings();
  if (Steady() < forgets_from_) limits.retain_ms = limits.retain_messages_ms = kNever;
  const std::int64_t since = round.numbers ? swept_at_.exchange(Steady() + after) : -1;
  if (round.numbers) round.agents = census_.At(Steady());
  const auto looked = std::make_shared<Looked>();
  database_.Submit(
      [this, looked, round, jump, after, since,
       settings = std::move(limits)](Database::Transaction& sql) -> Result<void> {
        Result<Looked> done = LookAround(sql, round, Steady() + after, jump, since, settings);
        if (!done) return Failure(std::move(done.error()));
        *looked = std::move(*done);
        // The last of all: where anything fails, the leases have not moved, and those who come
        // next, maybe in the same commit, go by the time before. Those who came before must not
        // begin anew by this time: a look that moves it is alone.
        to_wall_ = after;
        return {};
      },
      [this, looked, round, before, since](Result<void> kept) {
        if (!kept) {
          to_wall_ = before;
          // Who went away since is told of yet, and who changed is counted.
          if (round.numbers) swept_at_ = since;
          census_.Changed();
        } else if (looked->numbers.agents) {
          census_.Counted(Steady(), looked->numbers.agents->total);
        }
        sweeping_ = false;
        if (!kept) {
          if (!ending_) {
            spdlog::error("orchestration: {}: {}", kept.error().message, kept.error().detail);
          }
          return;
        }
        if (round.numbers) Publish(looked->numbers);
        looked->more.releasing = looked->more.releasing || looked->effects.more;
        looked->effects.more = false;
        Note(looked->effects);
        if (round.numbers) vouching_.Publish(looked->vouched);
        if (looked->more.any()) Look(looked->more);
      },
      jump == 0 ? Database::Company::kAny : Database::Company::kAlone);
}

Result<Desk::Looked> Desk::LookAround(Database::Transaction& sql, Round round, std::int64_t now,
                                      std::int64_t jump, std::int64_t since,
                                      const Settings& settings) {
  Looked looked;
  Records records{.sql = sql, .now = now, .settings = settings, .caller = {}};
  // Records that are full are made smaller here and nowhere else, and what comes back with its
  // lease takes some room before anything is forgotten.
  if (Result<void> passes = sql.PassBound(); !passes) return Failure(std::move(passes.error()));
  if (jump != 0) {
    if (Result<void> moved = MoveLeases(records, jump); !moved) {
      return Failure(std::move(moved.error()));
    }
  }
  const auto part = [&records](bool wanted, auto run, bool& more) -> Result<void> {
    if (!wanted) return {};
    Result<bool> ran = run(records);
    if (!ran) return Failure(std::move(ran.error()));
    more = *ran;
    return {};
  };
  Result<void> done = part(round.tasks, [](Records& all) { return Sweep(all); }, looked.more.tasks);
  if (done) done = part(round.releasing, GoOnReleasing, looked.more.releasing);
  if (done) done = part(round.others, SweepOthers, looked.more.others);
  if (done && since >= 0) done = NoteAway(records, since);
  // What was left of a lease is told by it, so it goes with a jump as leases do.
  if (done && (round.numbers || jump != 0)) done = NoteAlive(records);
  if (!done) return Failure(std::move(done.error()));
  if (round.numbers) {
    Result<Numbers> numbers = Numbers::Of(records, round.agents);
    if (!numbers) return Failure(std::move(numbers.error()));
    looked.numbers = std::move(*numbers);
    if (Result<void> read = vouching_.Read(records, looked.vouched); !read) {
      return Failure(std::move(read.error()));
    }
  }
  looked.effects = std::move(records.effects);
  return looked;
}

// Once, until there is a tenth of it free again: what is forgotten makes room for a moment.
void Desk::TellIfFull(std::int64_t bytes, std::int64_t limit) {
  if (bytes >= limit && !full_) {
    spdlog::warn(
        "orchestration: the records take {} bytes, {} are what they may (max_bytes): nothing is "
        "added until what is finished is forgotten, after retain, or that is raised",
        bytes, limit);
  }
  full_ = bytes >= (full_ ? limit / 10 * 9 : limit);
}

void Desk::Publish(const Numbers& numbers) {
  std::size_t place = 0;
  for (const auto& by_priority : numbers.queue.tasks) {
    for (const std::int64_t count : by_priority) tasks_[place++]->Set(count);
  }
  listening_->Set(static_cast<std::int64_t>(watches_.size()));
  sessions_->Set(numbers.coordination.sessions);
  requests_->Set(numbers.coordination.requests);
  const auto counter = [&numbers](const char* name) {
    const auto found = numbers.counters.find(name);
    return found == numbers.counters.end() ? 0 : found->second;
  };
  locks_held_->Set(counter("locks_held"));
  locks_waiting_->Set(counter("locks_waiting"));
  projects_->Set(counter("projects_open"));
  oldest_->Set(numbers.queue.oldest_pending_ms / 1000);
  bytes_->Set(numbers.bytes);
  bytes_limit_->Set(numbers.bytes_limit);
  TellIfFull(numbers.bytes, numbers.bytes_limit);
  if (!numbers.agents) return;
  const auto& by_status = numbers.agents->by_status;
  for (std::size_t i = 0; i < kShownStatuses.size(); ++i) {
    const auto found = by_status.find(std::string(kShownStatuses[i]));
    agents_[i]->Set(found == by_status.end() ? 0 : found->second);
  }
}

}  // namespace switchyard::orchestration
