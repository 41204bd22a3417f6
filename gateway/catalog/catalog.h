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
#include "core/definition.h"
#include "mcp/method.h"
#include "mcp/version.h"

namespace switchyard::catalog {

struct EndpointView {
  std::string name;                  // "" = /mcp
  std::vector<std::string> servers;  // empty = all
  std::vector<std::string> include;  // globs over exposed tool names; empty = all
  std::vector<std::string> exclude;
  bool transparent = false;  // one server, nothing renamed, nothing rewritten
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
};

class Catalog {
 public:
  struct Options {
    EndpointView view;
    std::size_t page_size = 0;        // items a page, 0 = all on one
    std::string cursor_key;           // 32 bytes: cursors are sealed with it
    std::string instructions_header;  // "" = none
  };

  static std::shared_ptr<const Catalog> Build(Options options, std::vector<ServerState> servers,
                                              std::uint64_t revision);
  ~Catalog();

  std::optional<Destination> FindTool(std::string_view exposed) const;
  std::optional<Destination> FindPrompt(std::string_view exposed) const;
  // Exact URIs first, then the exact original of a rewritten one (its first owner), then the
  // rewritten form (names.h) of any URI of a server that is up, then templates, then the only
  // server that has resources at all.
  std::optional<Destination> FindResource(std::string_view uri) const;

  // The JSON of the list result for a method of Route::kList, for clients of `version`. `cursor`
  // nullopt or "" = first page. A cursor that is not ours, or of another list, is kInvalid; one of
  // an older catalog goes on at its place. Built at the first call for a method and version.
  Result<std::shared_ptr<const std::string>> List(mcp::Method method, mcp::Version version,
                                                  std::optional<std::string_view> cursor) const;

  // JSON of the merged ServerCapabilities for the era of `version`; only what some server has.
  // While a server is missing it may have tools, prompts and resources.
  const std::string& Capabilities(mcp::Version version) const;
  bool Offers(std::string_view capability) const;  // "tools", "prompts", "resources", ...
  const std::string& Instructions() const;         // plain text, "" = none

  // How a URI in a result of `server` reads for clients. Verbatim wherever FindResource() of it
  // leads back to the server, and for http(s), which clients fetch themselves; else rewritten
  // (names.h).
  std::string ExposedUri(std::string_view server, std::string_view uri) const;
  // False: ExposedUri() of this server is always verbatim.
  bool RewritesUrisOf(std::string_view server) const;

  const std::vector<Collision>& collisions() const;
  // Why items of servers are not offered, one sentence each, for the log.
  const std::vector<std::string>& problems() const;
  const std::map<std::string, std::string>& missing() const;  // server -> why
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
