// The open subscriptions/listen of one endpoint on one worker (SUB = basic/patterns/subscriptions).
//
// Each begins with one acknowledgement of what of its filter can be had. Changes of lists come from
// the endpoint's feed. Updates of resources come from one listen of our own for each client's
// listen and server: which part of what belongs to whom only the server knows, so these are not
// shared. A server that does not acknowledge in time, or refuses, is left out and stays silent. One
// that goes away later is asked again, and then every URI of it is told as updated once.
//
// Updates are remembered, not queued: a reader that sleeps costs nothing. One thread: the worker's.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/changes.h"
#include "catalog/revisions.h"
#include "core/deps.h"
#include "core/service.h"

namespace switchyard::catalog {

// The way to one server (policies of stage kServer, then the downstream), alive while calls use it.
// Null when no such server is configured any more.
using FindServer = std::function<std::shared_ptr<Service>(std::string_view server)>;

class Listens {
 public:
  static constexpr std::size_t kMaxUris = 1000;                          // of one listen
  static constexpr Duration kAckPatience = std::chrono::seconds(3);      // with a server, at first
  static constexpr Duration kReopenPatience = std::chrono::seconds(10);  // with a server, later

  // `revision`: of the catalog that there is at first.
  Listens(FindServer find_server, const Deps& deps, std::uint64_t revision);
  Listens(const Listens&) = delete;

  // `call` is a subscriptions/listen. What it opens outlives neither this nor the reply. What
  // `sight` (null = everything) does not show is subscribed to as little as what does not exist,
  // and no update tells of it.
  Result<ReplyPtr> Open(const Call& call, const std::shared_ptr<const Catalog>& catalog,
                        std::shared_ptr<const Sight> sight = nullptr);

  // List changes: to be told, and told (changes.h). Servers may have come up with them: who waits
  // to ask one again asks now.
  void Stage(const std::shared_ptr<const Catalog>& catalog, const Catalog::Changes& changes);
  void Release() {
    revisions_.Release();
    feed_.Release();
  }

  // How far one knows the lists who asks for them from now on.
  const ListsKnown& served() const { return revisions_.served(); }

  // A reload replaced or removed these servers: nothing of the old ones is held any longer.
  void Replaced(const std::set<std::string, std::less<>>& servers);

  // Graceful shutdown: every listen ends with its result, also those that come later.
  void End() { feed_.End(); }

  std::size_t size() const { return feed_.listeners(); }

 private:
  class Listen;
  class ListenReply;

  const FindServer find_server_;
  const Deps deps_;
  Revisions revisions_;
  ChangeFeed feed_;
  std::set<Listen*> open_;
};

}  // namespace switchyard::catalog
