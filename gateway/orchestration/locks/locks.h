// Locks on files that agents share: an agreement, for nobody but the agents touches the files. A
// lock is exclusive or shared and has a lease: what an agent that died had is free when that is
// over. Its fence is larger than that of any lock before it, so that whoever keeps the files can
// refuse a write under an older one.
//
// The line before a file is fair: nobody gets by who conflicts with somebody ahead, but for an
// agent that shares the file and wants it alone, which all others would wait for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/records.h"

namespace switchyard::orchestration {

inline constexpr std::int64_t kMaxLocks = 100'000;                 // altogether
inline constexpr std::int64_t kMaxLocksOfCaller = kMaxLocks / 10;  // that is proved
inline constexpr std::int64_t kMaxLocksOfAgent = 1'000;
inline constexpr std::int64_t kMaxInLine = 200;     // before a file
inline constexpr std::size_t kMaxSharers = 100;     // of a file
inline constexpr std::int64_t kMaxForced = 10'000;  // that are on record
inline constexpr std::size_t kMaxReason = 1'000;    // bytes

// Paths are normal ones (path.h).
struct Hold {
  std::string path = {}, agent = {};
  bool shared = false;
  std::int64_t fence = 0, acquired_at = 0, lease_until = 0, lease_ms = 0;
  // What goes when the call that waited for it is gone before it was told: the lock, or that it is
  // exclusive. 0 = none waited, or the agent was told of it by another call, too.
  std::int64_t ticket = 0;
  std::int64_t was_fence = 0;  // of the shared lock that it was before; 0 = there was none
};

// A call's place in a line. Of the thread of the database: the work of one call, however often it
// runs, has one.
struct Place {
  std::int64_t ticket = 0;  // 0 = none yet; no other call ever has it, also not when work is undone
  std::int64_t ends_at = 0;
};

struct LockRequest {
  std::string path = {}, agent = {};
  bool shared = false;
  std::int64_t lease_ms = 0;  // 0 = the usual one
  std::int64_t wait_ms = 0;   // 0 = does not wait
};
struct LockOutcome {
  bool acquired = false;
  bool waits = false;             // it is in line, and may be asked again
  Hold hold = {};                 // when it was acquired
  std::vector<Hold> others = {};  // else: who has it
  std::int64_t ahead = 0;         // and how many are in line before it
};
// Gives the lock, renews or changes the one that the agent has, or says why not. kInvalid: the wait
// would close a circle, which it names, or a bound is reached.
Result<LockOutcome> AcquireLock(Records& records, const LockRequest& request, Place& place);
// Whoever asked is gone: so is its place, or the lock that it was not told of.
Result<void> GiveUpLock(Records& records, const LockRequest& request, const Place& place);

// kInvalid: the agent has no lock on it, or no longer, or one with another fence (0 = whatever).
Result<Hold> ReleaseLock(Records& records, const std::string& path, const std::string& agent,
                         std::int64_t fence);
struct ForceRequest {
  std::string path = {}, forcer = {}, reason = {};
  std::int64_t fence = 0;  // of the one that is meant; 0 = of all who have it
};
// Takes it away, and keeps who did and why. kForbidden: without the right to, only what agents of
// the same caller have, or of nobody in particular.
Result<std::vector<Hold>> ForceLock(Records& records, const ForceRequest& request);

// All locks of an agent: how many.
Result<std::int64_t> RenewLocks(Records& records, std::string_view agent);
Result<std::int64_t> ReleaseLocks(Records& records, std::string_view agent);

Result<std::vector<Hold>> HoldsOn(Records& records, std::string_view path);
Result<std::int64_t> InLine(Records& records, std::string_view path);
struct LockFilter {
  std::string agent = {};  // "" = any
  std::int64_t after = 0;  // a cursor: fences above it
  std::int64_t limit = 10;
};
Result<std::vector<Hold>> FindHolds(Records& records, const LockFilter& filter);

struct Forced {
  std::string agent = {}, forcer = {}, reason = {};
  std::int64_t at = 0;  // 0 = never
};
// The last time that it was taken away; with `agent`, from that one, who had none on it since.
Result<Forced> LastForced(Records& records, std::string_view path, std::string_view agent = {});

// Frees what nobody kept alive, and forgets. True: there may be more.
Result<bool> SweepLocks(Records& records, std::int64_t limit = 500);

// The wall clock jumped by so much: leases and places in line go with it, but not the waits of
// coordination/waits.h, which go all together.
Result<void> MoveLocks(Records& records, std::int64_t by);
// At the start: each lease goes on with what was left of it at `alive`, `least` if that is more and
// never more than a whole one; the calls that were in line are gone.
Result<void> GoOnWithLocks(Records& records, std::int64_t alive, std::int64_t least);

// What calls that wait for a file are woken by (Effects::lines), and what their agents wait for
// (coordination/waits.h).
std::string LineOf(std::string_view path);

}  // namespace switchyard::orchestration
