// What is left of an endpoint's content for a caller that may not know of all of it (core/sight.h):
// as if the rest did not exist.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/content.h"
#include "catalog/facts.h"
#include "core/sight.h"

namespace switchyard::catalog {

// One list. Borrows the items.
struct Seen {
  std::vector<const Definition*> items;
  std::map<std::string, std::string> missing, outages;  // as of Content

  friend bool operator==(const Seen&, const Seen&) = default;
};

// Pure, all of them.
Seen See(const Content& content, const EndpointView& view, ItemKind kind, const Sight& sight);
// How long the list may be kept: not long, for what a caller may do changes, and by nobody else.
ListHint HintSeen(const Content& content, ItemKind kind, const Seen& seen);
Offer OfferSeen(const Content& content, const EndpointView& view, const Sight& sight);
// Anything of a server, or of any member of a group.
bool ShowsServer(const Content& content, const EndpointView& view, std::string_view name,
                 const Sight& sight);
// What the gateway brings itself is there for the tools that ask for it.
bool IsAskedFor(const Definition& builtin, const Content& content, const Sight& sight);
std::string InstructionsSeen(const Content& content, const Catalog::Options& options,
                             const Sight& sight);

// The pages of lists as some callers see them: of those alike once, and of the few that were asked
// for last. Thread-safe.
class SeenPages {
 public:
  using Pages = std::vector<std::shared_ptr<const std::string>>;
  static constexpr std::size_t kMost = 16;

  // Null: it is not kept.
  std::shared_ptr<const Pages> Find(ItemKind kind, mcp::Version version, const Seen& seen) const;
  void Keep(ItemKind kind, mcp::Version version, Seen seen, std::shared_ptr<const Pages> pages);

 private:
  struct Entry {
    ItemKind kind;
    mcp::Version version;
    Seen seen;
    std::shared_ptr<const Pages> pages;
  };

  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // guarded by mutex_; the newest first
};

}  // namespace switchyard::catalog
