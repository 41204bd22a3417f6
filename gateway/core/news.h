// What a listener is told beyond what its filter names: a legacy session subscribes by requests of
// their own, and hears of it on the stream that stands for its listen. Whoever serves the
// subscriptions/listen takes it. On the thread of the listener.
#pragma once

#include <functional>
#include <optional>

#include "mcp/message.h"

namespace switchyard {

class News {
 public:
  virtual ~News() = default;

  // The next notification; nullopt = there is none now.
  virtual std::optional<mcp::Message> Take() = 0;

  // `wake` is called from now on when there is something to take. Empty: nobody listens any more.
  virtual void OnNews(std::function<void()> wake) = 0;
};

}  // namespace switchyard
