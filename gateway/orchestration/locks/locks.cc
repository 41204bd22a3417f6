#include "orchestration/locks/locks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

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
    if (scene.place && row.place >= scene.place->place) break;
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
  if (all->empty() || all->front().Number(0) < kMaxLocks) return {};
  return Refused(
      fmt::format("there are {} locks already, the most there may be; release some", kMaxLocks));
}

// It is the agent's, one way or the other.
Result<LockOutcome> Grant(Records& records, const LockRequest& request, const Scene& scene,
                          const Place& place) {
  Hold hold = scene.own.value_or(
      Hold{.path = request.path, .agent = request.agent, .acquired_at = records.now});
  const bool gains = !scene.own || (hold.shared && !request.shared);
  if (gains) {
    Result<std::int64_t> fence = Next(records, "lock_fence");
    if (!fence) return Failure(std::move(fence.error()));
    hold.fence = *fence;
    // Of one that it had before it does not lose more than it gained.
    hold.ticket = scene.own ? 0 : place.ticket;
  }
  hold.shared = request.shared;
  hold.lease_ms = request.lease_ms == 0 ? records.settings.lease_ms : request.lease_ms;
  hold.lease_until = records.now + hold.lease_ms;
  Result<void> done = {};
  if (!scene.own) done = MakeRoom(records, request.agent);
  if (done) done = scene.own ? UpdateHold(records, hold) : InsertHold(records, hold);
  if (done && scene.place) {
    // Another call of the agent that waited has it now, too.
    if (scene.place->ticket != place.ticket) records.effects.lines.push_back(LineOf(request.path));
    done = LeaveLine(records, request.path, request.agent);
  }
  // Others may share it by now.
  if (done && hold.shared) done = WakeNext(records, request.path);
  if (!done) return Failure(std::move(done.error()));
  return LockOutcome{.acquired = true, .hold = std::move(hold)};
}

// Has the others known as waited for. Who is before it only get fewer from now on.
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
  if (Result<void> in = EnterLine(records, request, place, scene.place); !in) {
    return Failure(std::move(in.error()));
  }
  return outcome;
}

std::string NotHeld(const std::string& path, const std::string& agent,
                    const std::vector<Hold>& holds, const Forced& forced) {
  std::string text = "agent " + agent + " has no lock on " + path + ", or no longer";
  if (forced.at != 0) text += ": " + forced.forcer + " took it away (" + forced.reason + ")";
  if (!holds.empty()) text += "; " + holds.front().agent + " has it now";
  return text + "; write nothing to the file";
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
    // A later call of the agent got it: that one said for how long and in which mode.
    return LockOutcome{.acquired = true, .hold = std::move(*scene->own)};
  }
  if (request.wait_ms > 0 && !(again && scene->place)) {
    // Also when an earlier run of this work was undone: its ticket may be another call's by now.
    Result<std::int64_t> ticket = Next(records, "lock_ticket");
    if (!ticket) return Failure(std::move(ticket.error()));
    const std::int64_t ends_at = records.now + request.wait_ms;
    place = {.ticket = *ticket, .ends_at = again ? std::min(place.ends_at, ends_at) : ends_at};
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
  // What it took is undone: the ticket may be another call's by the time it gives up.
  if (!outcome) place = before;
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
  for (const Hold& hold : *holds) {
    if (done && hold.ticket == place.ticket) done = EraseHold(records, hold);
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
