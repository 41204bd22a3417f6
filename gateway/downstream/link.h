// The established relation to a server: its era and what the handshake said. Immutable but for the
// session's log level; shared by all workers, while connections are not. A newer generation
// replaces it whole.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "core/downstream.h"

namespace switchyard::downstream {

struct Link {
  std::uint64_t generation = 0;  // from 1 on, growing with each one made
  TimePoint made_at = {};        // when its handshake ended
  ServerFacts facts;             // version: the one spoken with this server
  std::string session_id;        // legacy HTTP, "" = none
  // The rank of the most verbose log level set in this session, by whichever worker; higher = none.
  std::shared_ptr<std::atomic<int>> log_rank =
      std::make_shared<std::atomic<int>>(std::numeric_limits<int>::max());
  bool home_only = false;  // the session is a connection: other workers hop to the home

  bool modern() const { return mcp::IsModern(facts.version); }
};

using LinkPtr = std::shared_ptr<const Link>;

// Where a worker gets the link from: made on the server's home worker (LocalLinks), asked for by
// the others (RemoteLinks). Used on one worker's thread.
class LinkSource {
 public:
  virtual ~LinkSource() = default;

  // The current link when it is newer than `stale`, else one newly made: 0 asks for any. Many
  // askers at once share one handshake.
  virtual Task<Result<LinkPtr>> Get(std::uint64_t stale) = 0;

  // The current link, or the one that is being made in its place, or kUnavailable: no handshake is
  // started.
  virtual Task<Result<LinkPtr>> Current() = 0;

  // A call met a newer list than the catalog has; whoever keeps the lists is told at home.
  virtual void ListsAreStale() = 0;
};

}  // namespace switchyard::downstream
