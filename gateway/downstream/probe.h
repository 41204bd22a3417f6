// Finds out how a server wants to be spoken to, and shakes hands: server/discover first, initialize
// when that shows a legacy server (basic/versioning and the transports' pages). One file, because
// era detection is full of cases; none of them is anywhere else.
//
//   answer to server/discover                          | era
//   ---------------------------------------------------|------------------------------------------
//   result whose supportedVersions has a modern one    | modern
//   any other result                                   | legacy
//   error -32020..-32022 (and what it says allows)     | modern; never initialize (unless
//   `supported`
//                                                      |   names only legacy versions)
//   any other JSON-RPC error                           | legacy
//   HTTP 400..499 without JSON-RPC                     | legacy, except 401, 403, 408, 429
//   those, HTTP 5xx, no connection, HTTP timeout       | unknown: the error is returned, try again
//   stdio: silence                                     | legacy, on the same pipe
//   stdio: the process exits                           | legacy, on a new process
//
// HTTP 400, 404 or 405 to initialize, too: the server may be one of HTTP+SSE (2024-11-05), which
// the transport finds out.
#pragma once

#include <optional>

#include "config/config.h"
#include "downstream/channel.h"
#include "downstream/link.h"

namespace switchyard::downstream {

struct ProbeSettings {
  config::Era era = config::Era::kAuto;
  Duration start_timeout = std::chrono::seconds(30);  // all of Establish()
  Askable declares = {};  // what a legacy server is told that clients offer
  Duration discover_timeout = std::chrono::seconds(3);  // for a stdio server that ignores us
};

class Prober {
 public:
  // `channel` outlives this.
  Prober(Channel& channel, ProbeSettings settings) : channel_(channel), settings_(settings) {}

  // Starts the transport and shakes hands. The Link has generation 0; the caller numbers it. What
  // was found last time is tried first. One call at a time.
  Task<Result<Link>> Establish();

 private:
  enum class Verdict { kModern, kLegacy, kUnknown };
  struct Finding {
    Verdict verdict = Verdict::kUnknown;
    Link link = {};     // kModern
    Error error = {};   // kUnknown
    bool died = false;  // kLegacy: found by its exit
  };

  Task<Finding> Discover(Deadline deadline);
  Finding ReadDiscover(Result<mcp::Message> answer, const HttpFacts& facts) const;
  Finding ReadDiscoverError(const mcp::Message& answer, const HttpFacts& facts) const;
  Task<Result<Link>> Auto(Deadline deadline);
  Task<Result<Link>> Initialize(Deadline deadline);
  Task<Result<Link>> ShakeHands(Deadline deadline, bool& lost);
  Task<Result<mcp::Message>> AskInitialize(mcp::Version version, Deadline deadline,
                                           HttpFacts& facts);
  Task<Result<bool>> FallBack(Result<mcp::Message>& answer, const HttpFacts& facts);
  bool http() const { return channel_.transport().wants_headers(); }
  std::unexpected<Error> Refuse(std::string text) const;

  Channel& channel_;
  const ProbeSettings settings_;
  std::optional<Verdict> last_;
};

}  // namespace switchyard::downstream
