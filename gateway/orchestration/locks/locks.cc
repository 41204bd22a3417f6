#include "orchestration/locks/locks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/random.h"
#include "orchestration/agents.h"
#include "orchestration/coordination/waits.h"
#include "orchestration/locks/holds.h"

namespace switchyard::orchestration {
namespace {

// What a request meets.
struct Scene {
  std::optional<Hold> own = {};
  std::vector<Hold> others = {};
  std::optional<InLineRow> place = {};
  std::vector<InLineRow> ahead = {};  // of those in line, who conflict with it

  // A place for sharing is none for having it alone: who came later to share would be passed by.
  bool Moves(const LockRequest& request) const {
    return !own && place && place->shared && !request.shared;
  }
  bool Conflicts(const LockRequest& request) const {
    return std::ranges::any_of(
        others, [&request](const Hold& hold) { return !(hold.shared && request.shared); });
  }
};

Result<Scene> Look(Records& records, const LockRequest& request) {
  Result<std::vector<Hold>> holds = HoldsOn(records, request.path);
  if (!holds) return Failure(std::move(holds.error()));
  Scene scene;
  for (Hold& hold : *holds) {
    if (hold.agent == request.agent) {
      scene.own = std::move(hold);
    } else {
      scene.others.push_back(std::move(hold));
    }
  }
  Result<std::optional<InLineRow>> place = PlaceOf(records, request.path, request.agent);
  if (!place) return Failure(std::move(place.error()));
  scene.place = *place;
  if (scene.own) return scene;  // all in line wait for this one, too
  Result<std::vector<InLineRow>> line = LineBefore(records, request.path, kMaxInLine);
  if (!line) return Failure(std::move(line.error()));
  for (InLineRow& row : *line) {
    if (row.agent == request.agent) {
      if (scene.Moves(request)) continue;
      break;
    }
    if (row.shared && request.shared) continue;
    scene.ahead.push_back(std::move(row));
  }
  return scene;
}

Result<void> MakeRoom(Records& records, const std::string& agent) {
  Result<Database::Rows> own =
      records.sql.Query("SELECT count(*) FROM file_hold WHERE agent = $1", {agent});
  if (!own) return Failure(std::move(own.error()));
  if (own->front().Number(0) >= kMaxLocksOfAgent) {
    return Refused(fmt::format("agent {} has {} locks, the most there may be; release some", agent,
                               kMaxLocksOfAgent));
  }
  Result<Database::Rows> all =
      records.sql.Query("SELECT value FROM counter WHERE name = 'locks_held'");
  if (!all) return Failure(std::move(all.error()));
  if (!all->empty() && all->front().Number(0) >= kMaxLocks) {
    return Refused(
        fmt::format("there are {} locks already, the most there may be; release some", kMaxLocks));
  }
  if (records.caller.empty()) return {};
  // With many agents a caller would have all of them else.
  Result<Database::Rows> share = records.sql.Query(
      "SELECT count(*) FROM (SELECT fence FROM file_hold WHERE owner = $1 LIMIT $2) AS own",
      {records.caller, kMaxLocksOfCaller});
  if (!share) return Failure(std::move(share.error()));
  if (share->front().Number(0) < kMaxLocksOfCaller) return {};
  return Refused(fmt::format("your agents have {} locks, the most they may have; release some",
                             kMaxLocksOfCaller));
}

std::int64_t LeaseOf(const Records& records, const LockRequest& request) {
  return request.lease_ms == 0 ? records.settings.lease_ms : request.lease_ms;
}

Result<void> RefuseTooManySharers(const LockRequest& request, const Scene& scene) {
  if (scene.own || scene.others.size() < kMaxSharers) return {};
  return Refused(fmt::format("{} agents share {} already, the most that may; ask again later",
                             scene.others.size(), request.path));
}

// Another call of the agent got it since this one asked, or this one did in a run that was undone:
// what the agent was told of is not made less.
Result<LockOutcome> Confirm(Records& records, const LockRequest& request, Hold hold) {
  const std::int64_t lease_ms = LeaseOf(records, request);
  if (records.now + lease_ms > hold.lease_until) {
    hold.lease_ms = lease_ms;
    hold.lease_until = records.now + lease_ms;
  }
  hold.ticket = hold.was_fence = 0;
  if (Result<void> done = UpdateHold(records, hold); !done) {
    return Failure(std::move(done.error()));
  }
  return LockOutcome{.acquired = true, .hold = std::move(hold)};
}

// It is the agent's, one way or the other.
Result<LockOutcome> Grant(Records& records, const LockRequest& request, const Scene& scene,
                          const Place& place) {
  Hold hold = scene.own.value_or(
      Hold{.path = request.path, .agent = request.agent, .acquired_at = records.now});
  const bool gains = !scene.own || (hold.shared && !request.shared);
  // Whatever call got what it has: the agent is told of it now.
  hold.ticket = hold.was_fence = 0;
  if (gains) {
    Result<std::int64_t> fence = Next(records, "lock_fence");
    if (!fence) return Failure(std::move(fence.error()));
    // Of one that it had before it does not lose more than it gained.
    hold.ticket = place.ticket;
    if (place.ticket != 0) hold.was_fence = hold.fence;
    hold.fence = *fence;
  }
  hold.shared = request.shared;
  hold.lease_ms = LeaseOf(records, request);
  hold.lease_until = records.now + hold.lease_ms;
  Result<void> done = RefuseTooManySharers(request, scene);
  if (done && !scene.own) done = MakeRoom(records, request.agent);
  if (done) done = scene.own ? UpdateHold(records, hold) : InsertHold(records, hold);
  // A call of its own that waits to have it alone goes on waiting when another shares it.
  if (done && scene.place && (scene.place->shared || !hold.shared)) {
    // Another call of the agent that waited has it now, too.
    if (scene.place->ticket != place.ticket) records.effects.lines.push_back(LineOf(request.path));
    done = LeaveLine(records, request.path, request.agent);
  }
  // Others may share it by now.
  if (done && hold.shared) done = WakeNext(records, request.path);
  if (!done) return Failure(std::move(done.error()));
  return LockOutcome{.acquired = true, .hold = std::move(hold)};
}

// Has the others known as waited for. Who is before it only get fewer from now on: whoever comes
// to want more than its place is for goes to the end.
Result<void> NoteWait(Records& records, const LockRequest& request, const Scene& scene,
                      const Place& place) {
  std::vector<std::string> before;
  for (const Hold& hold : scene.others) {
    if (!(hold.shared && request.shared)) before.push_back(hold.agent);
  }
  for (const InLineRow& row : scene.ahead) before.push_back(row.agent);
  Result<void> noted = AddWaits(records,
                                {.waiter = request.agent,
                                 .kind = WaitKind::kLock,
                                 .about = LineOf(request.path),
                                 .until = place.ends_at},
                                before);
  if (!noted && noted.error().code == Code::kInvalid) {
    noted.error().message += "; release a lock first, or ask without wait_ms";
  }
  return noted;
}

Result<LockOutcome> WaitOrNot(Records& records, const LockRequest& request, Scene scene,
                              Place& place, bool again) {
  LockOutcome outcome{.others = std::move(scene.others),
                      .ahead = static_cast<std::int64_t>(scene.ahead.size())};
  if (request.wait_ms == 0) return outcome;
  if (again && scene.place) {
    // Or another call of the same agent waits in its stead. Its time is that of the row, which
    // goes with jumps of the wall clock.
    outcome.waits = scene.place->ticket == place.ticket;
    return outcome;
  }
  if (again && records.now >= place.ends_at) return outcome;
  outcome.waits = true;
  scene.others = outcome.others;
  if (scene.Moves(request)) {
    // Nobody is behind it any more.
    Result<void> ended = EndWaitsFor(records, request.agent, LineOf(request.path));
    if (!ended) return Failure(std::move(ended.error()));
  }
  if (Result<void> noted = NoteWait(records, request, scene, place); !noted) {
    return Failure(std::move(noted.error()));
  }
  if (!scene.place) {
    Result<std::int64_t> line = InLine(records, request.path);
    if (!line) return Failure(std::move(line.error()));
    if (*line >= kMaxInLine) {
      return Refused(
          fmt::format("{} agents wait for this file already, the most that may; ask "
                      "again later",
                      kMaxInLine));
    }
  }
  // The call whose place it takes over is answered.
  if (scene.place) records.effects.lines.push_back(LineOf(request.path));
  const bool keeps = scene.place && !scene.Moves(request);
  Result<void> in = keeps ? TakeOver(records, request, place) : EnterLine(records, request, place);
  if (!in) return Failure(std::move(in.error()));
  return outcome;
}

std::string NotHeld(const std::string& path, const std::string& agent,
                    const std::vector<Hold>& holds, const Forced& forced) {
  std::string text = "agent " + agent + " has no lock on " + path + ", or no longer";
  if (forced.at != 0) text += ": " + forced.forcer + " took it away (" + forced.reason + ")";
  if (!holds.empty()) text += "; " + holds.front().agent + " has it now";
  return text + "; write nothing to the file";
}

std::int64_t NewTicket() {
  return static_cast<std::int64_t>(ThreadRandom().Next() >> 2U) + 1;  // 62 bits
}

Result<LockOutcome> Ask(Records& records, const LockRequest& request, Place& place) {
  if (Result<Agent> agent = ActAs(records, request.agent); !agent) {
    return Failure(std::move(agent.error()));
  }
  if (Result<void> fresh = DropExpired(records, request.path); !fresh) {
    return Failure(std::move(fresh.error()));
  }
  Result<Scene> scene = Look(records, request);
  if (!scene) return Failure(std::move(scene.error()));
  const bool again = place.ticket != 0;
  if (again && !scene->place && scene->own && (request.shared || !scene->own->shared)) {
    return Confirm(records, request, std::move(*scene->own));
  }
  if (request.wait_ms > 0 && !(again && scene->place)) {
    // Not counted in the records: a count that is undone would be given to two.
    const std::int64_t ends_at = records.now + request.wait_ms;
    place = {.ticket = NewTicket(), .ends_at = again ? std::min(place.ends_at, ends_at) : ends_at};
  }
  if (!scene->Conflicts(request) && scene->ahead.empty()) {
    return Grant(records, request, *scene, place);
  }
  return WaitOrNot(records, request, std::move(*scene), place, again);
}

}  // namespace

Result<LockOutcome> AcquireLock(Records& records, const LockRequest& request, Place& place) {
  const Place before = place;
  Result<LockOutcome> outcome = Ask(records, request, place);
  if (!outcome) place = before;  // what it took is undone
  return outcome;
}

Result<void> GiveUpLock(Records& records, const LockRequest& request, const Place& place) {
  if (place.ticket == 0) return {};
  Result<std::optional<InLineRow>> row = PlaceOf(records, request.path, request.agent);
  if (!row) return Failure(std::move(row.error()));
  Result<void> done = {};
  if (*row && (*row)->ticket == place.ticket) {
    done = LeaveLine(records, request.path, request.agent);
  }
  Result<std::vector<Hold>> holds = HoldsOn(records, request.path);
  if (!holds) return Failure(std::move(holds.error()));
  for (Hold& hold : *holds) {
    if (!done || hold.agent != request.agent || hold.ticket != place.ticket) continue;
    if (hold.was_fence == 0) {
      done = EraseHold(records, hold);
      continue;
    }
    hold.shared = true;
    hold.fence = hold.was_fence;
    hold.ticket = hold.was_fence = 0;
    done = UpdateHold(records, hold);
  }
  if (done) done = WakeNext(records, request.path);
  return done;
}

Result<Hold> ReleaseLock(Records& records, const std::string& path, const std::string& agent,
                         std::int64_t fence) {
  if (Result<Agent> known = ActAs(records, agent); !known) {
    return Failure(std::move(known.error()));
  }
  Result<std::vector<Hold>> holds = HoldsOn(records, path);
  if (!holds) return Failure(std::move(holds.error()));
  const auto own = std::ranges::find(*holds, agent, &Hold::agent);
  if (own == holds->end()) {
    Result<Forced> forced = LastForced(records, path, agent);
    if (!forced) return Failure(std::move(forced.error()));
    return Refused(NotHeld(path, agent, *holds, *forced));
  }
  if (fence != 0 && own->fence != fence) {
    return Refused(fmt::format("the lock of agent {} on {} has fence {}, not {}", agent, path,
                               own->fence, fence));
  }
  Result<void> done = EraseHold(records, *own);
  if (done) done = WakeNext(records, path);
  if (!done) return Failure(std::move(done.error()));
  return std::move(*own);
}

}  // namespace switchyard::orchestration
