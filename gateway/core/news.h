// What a listener is told beyond what its filter names: a legacy session subscribes by requests of
// their own, and hears of it on the stream that stands for its listen. Whoever serves the
// subscriptions/listen takes it. On the thread of the listener.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

#include "mcp/message.h"

namespace switchyard {

// How far somebody knows the lists of an endpoint: for each kind a revision of its catalog since
// when all changes were told, or seen. 0 = that is not known.
struct ListsKnown {
  std::uint64_t tools = 0, prompts = 0, resources = 0;

  bool any() const { return tools != 0 || prompts != 0 || resources != 0; }
  void Merge(const ListsKnown& other) {
    tools = std::max(tools, other.tools);
    prompts = std::max(prompts, other.prompts);
    resources = std::max(resources, other.resources);
  }
};

class News {
 public:
  virtual ~News() = default;

  // The next notification; nullopt = there is none now.
  virtual std::optional<mcp::Message> Take() = 0;

  // `wake` is called from now on when there is something to take. Empty: nobody listens any more.
  virtual void OnNews(std::function<void()> wake) = 0;

  // How far the listener knew the lists when it began; nullopt: it only hears of what changes from
  // then on.
  virtual std::optional<ListsKnown> Lists() const { return std::nullopt; }
  // It knows them up to here now; kinds that are 0 stay as they are. Also said of who is told at
  // once what there is (server/discover).
  virtual void Knows(const ListsKnown& /*lists*/) {}
};

}  // namespace switchyard
