// The registry of transports, generated from transports.def. An implementation `x` is a file x.cc
// with a function `downstream::transports::x::Make` of the signature below (that of `http` is in
// http_either.cc); nothing else names it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/deps.h"
#include "credentials/source.h"
#include "downstream/transport.h"

namespace switchyard::config {
struct Server;
}

namespace switchyard::downstream {

class Launcher;
class Parking;

// What a server and its transports may need besides their worker. Outlives them; thread-safe.
struct Surroundings {
  Launcher* launcher = nullptr;  // starts child processes; null where none can be started
  Parking* parking = nullptr;    // of calls that ask their client something; null: none may
  credentials::SourcePtr source = nullptr;  // of what this server is shown; null: of nothing
};

// kOneWorker: the server has one home worker (a child process). kEachWorker: each worker talks to
// it on its own connections, unless the link says that only the home can (link.h).
enum class Placement : std::uint8_t { kOneWorker, kEachWorker };

Placement PlacementOf(const config::Server& server);

// Everything it needs of `server` is copied. The first matching line of transports.def wins; a
// checked configuration always has one.
// `bound`: the caller whose own it is; see authorized.h.
std::unique_ptr<Transport> MakeTransport(const config::Server& server, const Deps& deps,
                                         const Surroundings& surroundings,
                                         std::optional<Caller> bound = {});

// Of the fixed headers of a server those that its credentials set as well: what the gateway shows
// where it asks on its own behalf.
std::string OwnLines(const config::Server& server);

#define TRANSPORT(name, condition, placement)                                     \
  namespace transports::name {                                                    \
  std::unique_ptr<Transport> Make(const config::Server& server, const Deps& deps, \
                                  const Surroundings& surroundings);              \
  }
#include "downstream/transports.def"
#undef TRANSPORT

}  // namespace switchyard::downstream
