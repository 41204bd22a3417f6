// Since which revision of its catalog each kind of list of an endpoint is as it is: what one who
// listens anew is compared with. The same at every worker, since all see the same catalogs. Not a
// hash: a list that changed and changed back may have been read between. One thread: the worker's.
#pragma once

#include <cstdint>

#include "catalog/catalog.h"
#include "core/news.h"

namespace switchyard::catalog {

class Revisions {
 public:
  explicit Revisions(std::uint64_t first)
      : told_{.tools = first, .prompts = first, .resources = first}, staged_(told_) {}

  // As of ChangeFeed: what changed is told when every worker serves it.
  void Stage(const Catalog::Changes& changes, std::uint64_t revision) {
    if (changes.tools) staged_.tools = revision;
    if (changes.prompts) staged_.prompts = revision;
    if (changes.resources) staged_.resources = revision;
  }
  void Release() { told_ = staged_; }

  // How far who is told now knows the lists, and who is given them by this worker.
  const ListsKnown& told() const { return told_; }
  const ListsKnown& served() const { return staged_; }

  // What was told to others since `known`. Of a kind that is not known: whether it is there at all.
  Catalog::Changes Missed(const ListsKnown& known, const Catalog& catalog,
                          const Sight* sight) const {
    const auto missed = [&](std::uint64_t before, std::uint64_t now, std::string_view kind) {
      return before < now && (before != 0 || catalog.Offers(kind, sight));
    };
    return {.tools = missed(known.tools, told_.tools, "tools"),
            .prompts = missed(known.prompts, told_.prompts, "prompts"),
            .resources = missed(known.resources, told_.resources, "resources")};
  }

  // What is about to be told, and `known` does not have.
  Catalog::Changes Due(const ListsKnown& known) const {
    const auto due = [](std::uint64_t before, std::uint64_t now, std::uint64_t next) {
      return before < next && now < next;
    };
    return {.tools = due(known.tools, told_.tools, staged_.tools),
            .prompts = due(known.prompts, told_.prompts, staged_.prompts),
            .resources = due(known.resources, told_.resources, staged_.resources)};
  }

 private:
  ListsKnown told_, staged_;
};

}  // namespace switchyard::catalog
