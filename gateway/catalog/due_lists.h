// The list changes that one listen has yet to tell, each kind once. One thread: the worker's.
#pragma once

#include <optional>
#include <utility>

#include "catalog/catalog.h"
#include "core/news.h"
#include "mcp/method.h"

namespace switchyard::catalog {

class DueLists {
 public:
  explicit DueLists(const Catalog::Changes& wanted) : wanted_(wanted) {}

  void Add(const Catalog::Changes& changes) {
    due_.tools |= changes.tools && wanted_.tools;
    due_.prompts |= changes.prompts && wanted_.prompts;
    due_.resources |= changes.resources && wanted_.resources;
  }

  // The next to tell; `now`: how far who hears of it may know the lists then.
  std::optional<mcp::Method> Take(const ListsKnown& now) {
    if (std::exchange(due_.tools, false)) {
      told_.tools = now.tools;
      return mcp::Method::kToolsChanged;
    }
    if (std::exchange(due_.prompts, false)) {
      told_.prompts = now.prompts;
      return mcp::Method::kPromptsChanged;
    }
    if (std::exchange(due_.resources, false)) {
      told_.resources = now.resources;
      return mcp::Method::kResourcesChanged;
    }
    return std::nullopt;
  }

  // What was taken since the last call.
  ListsKnown TakeTold() { return std::exchange(told_, {}); }

 private:
  const Catalog::Changes wanted_;
  Catalog::Changes due_;
  ListsKnown told_;
};

}  // namespace switchyard::catalog
