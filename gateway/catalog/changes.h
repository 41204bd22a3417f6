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
    // None at all: Wake() was called. nullopt: the feed has ended.
    Task<std::optional<Catalog::Changes>> Next() {
      if (!pending_.any() && !feed_.ended_) co_await wake_.Take();
      if (feed_.ended_) co_return std::nullopt;
      std::optional<Catalog::Changes> changes = std::exchange(pending_, {});
      co_return changes;
    }

    // What was staged before it came, and it has to be told of.
    void Expect(const Catalog::Changes& changes) { Merge(changes, staged_); }

    // For who waits for other things, too: ends the wait of Next().
    void Wake() {
      if (wake_.empty()) wake_.Put(true);
    }

   private:
    friend class ChangeFeed;
    static void Merge(const Catalog::Changes& changes, Catalog::Changes& into) {
      into.tools |= changes.tools;
      into.prompts |= changes.prompts;
      into.resources |= changes.resources;
    }

    ChangeFeed& feed_;
    Catalog::Changes staged_, pending_;
    Mailbox<bool> wake_;
  };

  // Who listens now will be told by Release(): not before every worker serves what changed, for who
  // is told asks at once. Who comes between the two sees the change anyway.
  void Stage(const Catalog::Changes& changes) {
    for (Subscription* subscription : open_) Subscription::Merge(changes, subscription->staged_);
  }
  void Release() {
    for (Subscription* subscription : open_) {
      const Catalog::Changes staged = std::exchange(subscription->staged_, {});
      if (!staged.any()) continue;
      Subscription::Merge(staged, subscription->pending_);
      subscription->Wake();
    }
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
