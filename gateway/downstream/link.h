// The established relation to a server: its era and what the handshake said. Immutable; shared by
// all workers, while connections are not. A newer generation replaces it whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/task.h"
#include "core/downstream.h"

namespace switchyard::downstream {

struct Link {
  std::uint64_t generation = 0;  // from 1 on, growing with each one made
  ServerFacts facts;             // version: the one spoken with this server
  std::string session_id;        // legacy HTTP, "" = none

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

  // The current link, or kUnavailable: no handshake is started.
  virtual Task<Result<LinkPtr>> Current() = 0;
};

}  // namespace switchyard::downstream
