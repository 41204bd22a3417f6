// What one endpoint offers: the merged, renamed, ordered lists of its servers and who owns what.
//
// Immutable after Build(). Safe to read from any thread. Exposed names are unique: a collision is
// reported with both owners and neither is served. Order: servers by name, within a server as it
// listed. List results are bytes, built once a catalog and protocol version.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/inventory.h"
#include "core/builtin.h"
#include "core/definition.h"
#include "core/outage.h"
#include "core/policy_set.h"
#include "core/sight.h"
#include "mcp/method.h"
#include "mcp/version.h"

namespace switchyard::catalog {

// Interchangeable servers: clients see one set of tools and prompts.
struct GroupView {
  std::string name;
  std::string prefix;                // "" = names stay as they are
  std::vector<std::string> servers;  // best first
  bool by_load = false;              // the one with the fewest calls is best
};

struct EndpointView {
  std::string name;                  // "" = /mcp
  std::vector<std::string> servers;  // empty = all
  std::vector<std::string> include;  // globs over exposed tool names; empty = all
  std::vector<std::string> exclude;
  bool transparent = false;  // one server, nothing renamed, nothing rewritten
  std::vector<GroupView> groups = {};
};

struct Collision {
  std::string exposed, first_owner, second_owner;
};

// Where a name or URI leads. Views live as long as the catalog; but without a definition `name` is
// a part of the URI that was asked for.
struct Destination {
  std::string_view server;
  std::string_view name;         // as the server calls it
  const Definition* definition;  // null: matched by template or link only
  const PolicySet* policies = nullptr;
};

// Why something leads nowhere that may be there. Views live as long as the catalog.
struct Absence {
  std::string_view server;   // or group, as lists call what they miss
  std::string_view because;  // as they say it
  bool starting;             // nothing was heard of it yet
  bool sure;                 // what it is called says that it is of no other
};

class Catalog final {
 public:
  struct Options {
    EndpointView view;
    std::size_t page_size = 0;         // items a page, 0 = all on one
    std::string cursor_key;            // 32 bytes: cursors are sealed with it
    std::string instructions_header;   // "" = none
    FindPolicySet policies = nullptr;  // null = nobody says anything
    FindOutage outage = nullptr;       // null = there is none
    HasStandIn stand_in = nullptr;     // null = nothing has one
    BuiltinTools builtins = {};        // offered as far as the policies ask for them
    // Another number than that of the catalog before: callers may see something else of the lists.
    std::uint64_t sights = 0;
  };

  static std::shared_ptr<const Catalog> Build(Options options, std::vector<ServerState> servers,
                                              std::uint64_t revision);
  ~Catalog();

  std::optional<Destination> FindTool(std::string_view exposed) const;
  // By the server's own name or, with no server, by the name that clients know. Null: not offered.
  const Definition* FindToolOf(std::string_view server, std::string_view tool) const;
  // Where a tool or prompt of a name that nobody has would lead, by its prefix alone: to what it
  // would be called there and the policies that it would meet. No server: there is none.
  Destination WouldLead(std::string_view exposed) const;
  std::optional<Destination> FindPrompt(std::string_view exposed) const;
  // Exact URIs first, then the exact original of a rewritten one (its first owner), then the
  // rewritten form (names.h) of any URI of a server that is up, then templates, then the only
  // server that has resources at all. With a sight: as if what calls by `route` may not lead to did
  // not exist.
  std::optional<Destination> FindResource(std::string_view uri, const Sight* sight = nullptr,
                                          mcp::Route route = mcp::Route::kResource) const;

  // A template by its own text, or what FindResource() says.
  std::optional<Destination> FindReference(std::string_view uri,
                                           const Sight* sight = nullptr) const;

  // What policies go by for calls that lead to this server, whatever they name there; "" or a
  // server that is not here: for those that lead nowhere. Null = nobody says anything.
  const std::shared_ptr<const PolicySet>& PoliciesFor(std::string_view server) const;

  // The same for what a tool answered, by the server's own name for it, whether it is still listed
  // or not; "" = it is not known which.
  std::shared_ptr<const PolicySet> PoliciesForTool(std::string_view server,
                                                   std::string_view tool) const;

  // The JSON of the list result for a method of Route::kList, for clients of `version`. `cursor`
  // nullopt or "" = first page. A cursor that is not ours, or of another list, is kInvalid; one of
  // an older catalog goes on at its place. Built at the first call for a method and version, or for
  // those that see the same of it. `sight` null = all of it.
  Result<std::shared_ptr<const std::string>> List(mcp::Method method, mcp::Version version,
                                                  std::optional<std::string_view> cursor,
                                                  const Sight* sight = nullptr) const;

  // JSON of the merged ServerCapabilities for the era of `version`; only what some server has.
  // While a server is missing it may have tools, prompts and resources.
  std::string Capabilities(mcp::Version version, const Sight* sight = nullptr) const;
  // "tools", "prompts", "resources", ...
  bool Offers(std::string_view capability, const Sight* sight = nullptr) const;
  // Which server or group something that leads nowhere may be of, since its lists are not known: a
  // URI where `kind` is kResource, else a name. nullopt = of none, as far as the caller may know.
  std::optional<Absence> WhoIsAbsent(ItemKind kind, std::string_view exposed,
                                     const Sight* sight = nullptr) const;
  std::string Instructions(const Sight* sight = nullptr) const;  // plain text, "" = none
  // A tool of the gateway's own is there for those that ask for it.
  bool ShowsBuiltin(const Definition& builtin, const Sight& sight) const;

  // How a URI in a result of `server` reads for clients. Verbatim wherever FindResource() of it
  // leads back to the server, and for http(s), which clients fetch themselves; else rewritten
  // (names.h).
  std::string ExposedUri(std::string_view server, std::string_view uri) const;
  // False: ExposedUri() of this server is always verbatim.
  bool RewritesUrisOf(std::string_view server) const;
  // Two catalogs that give the same number expose its URIs alike; 0 = verbatim.
  std::uint64_t UriViewOf(std::string_view server) const;

  // False: it is down, whether its lists are kept or not.
  bool IsUp(std::string_view server) const;

  const std::vector<Collision>& collisions() const;
  // Why items of servers are not offered, one sentence each, for the log.
  const std::vector<std::string>& problems() const;
  const std::map<std::string, std::string>& missing() const;  // server -> why
  // When a new catalog would say something else of outages; max() = when somebody says so.
  TimePoint outages_until() const;
  const EndpointView& view() const;
  std::uint64_t revision() const;
  const std::vector<Definition>& items(ItemKind kind) const;

  // Which list_changed notifications are due when `this` follows `before`.
  struct Changes {
    bool tools = false, prompts = false, resources = false;
    bool any() const { return tools || prompts || resources; }
  };
  Changes Since(const Catalog& before) const;

 private:
  struct Data;
  explicit Catalog(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

}  // namespace switchyard::catalog
