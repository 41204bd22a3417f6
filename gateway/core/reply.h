// What comes back: notifications, then at most one response, then nothing. Pulled, never pushed, so
// back-pressure is free. Destroying a Reply before its end cancels the work behind it, down to the
// server.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/task.h"
#include "mcp/message.h"

namespace switchyard {

class Reply {
 public:
  virtual ~Reply() = default;
  // nullopt: the end. After a response, nullopt or an Error nobody calls it again. One caller at a
  // time, on the thread where it was made.
  virtual Task<Result<std::optional<mcp::Message>>> Next() = 0;

  // The response, when it is here already and nothing comes before it; null else. Most answers are
  // like that, and a stage that would wrap the reply to see its end need not: it looks at (and may
  // change) the message and passes the reply on. Borrowed from the reply.
  virtual mcp::Message* Whole() { return nullptr; }
};

using ReplyPtr = std::unique_ptr<Reply>;

// A reply that is just one message.
ReplyPtr ReplyWith(mcp::Message message);

// Keeps something (a permit, a timer, a span) until the last message went through or the reply is
// dropped, whichever is first.
template <class Token>
class HeldReply final : public Reply {
 public:
  HeldReply(ReplyPtr inner, Token token) : token_(std::move(token)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next || !next->has_value() || (*next)->is_response()) {
      inner_ = nullptr;  // not while a slow client reads the last message
      token_.reset();
    }
    co_return next;
  }

 private:
  std::optional<Token> token_;  // outlives inner_: released after the work behind it is cancelled
  ReplyPtr inner_;
};

template <class Token>
ReplyPtr HoldUntilEnd(ReplyPtr inner, Token token) {
  if (inner->Whole() != nullptr) return inner;
  return std::make_unique<HeldReply<Token>>(std::move(inner), std::move(token));
}

}  // namespace switchyard
