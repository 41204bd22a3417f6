// Tells open listeners of one worker and endpoint that lists changed. One thread: the worker's.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "base/mailbox.h"
#include "catalog/catalog.h"

namespace switchyard::catalog {

class ChangeFeed {
 public:
  // Unsubscribes when destroyed. The feed outlives it.
  class Subscription {
   public:
    explicit Subscription(ChangeFeed& feed) : feed_(feed) { feed_.open_.insert(this); }
    Subscription(const Subscription&) = delete;
    ~Subscription() { feed_.open_.erase(this); }

    // The changes since the last call, all kinds merged: a slow listener never makes a queue grow.
    // nullopt: the feed has ended.
    Task<std::optional<Catalog::Changes>> Next() {
      if (!pending_.any() && !feed_.ended_) co_await wake_.Take();
      if (feed_.ended_) co_return std::nullopt;
      std::optional<Catalog::Changes> changes = std::exchange(pending_, {});
      co_return changes;
    }

   private:
    friend class ChangeFeed;
    void Add(const Catalog::Changes& changes) {
      pending_.tools |= changes.tools;
      pending_.prompts |= changes.prompts;
      pending_.resources |= changes.resources;
      Wake();
    }
    void Wake() {
      if (wake_.empty()) wake_.Put(true);
    }

    ChangeFeed& feed_;
    Catalog::Changes pending_;
    Mailbox<bool> wake_;
  };

  void Publish(const Catalog::Changes& changes) {
    if (!changes.any()) return;
    for (Subscription* subscription : open_) subscription->Add(changes);
  }

  // Graceful shutdown: every listener gets its end, also those that come later.
  void End() {
    ended_ = true;
    for (Subscription* subscription : open_) subscription->Wake();
  }

  std::size_t listeners() const { return open_.size(); }

 private:
  std::set<Subscription*> open_;
  bool ended_ = false;
};

}  // namespace switchyard::catalog
