#include "core/reply.h"

namespace switchyard {
namespace {

class SingleReply final : public Reply {
 public:
  explicit SingleReply(mcp::Message message) : message_(std::move(message)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    std::optional<mcp::Message> next = std::exchange(message_, std::nullopt);
    co_return next;
  }
  mcp::Message* Whole() override {
    return message_ && message_->is_response() ? &*message_ : nullptr;
  }

 private:
  std::optional<mcp::Message> message_;
};

}  // namespace

ReplyPtr ReplyWith(mcp::Message message) {
  return std::make_unique<SingleReply>(std::move(message));
}

}  // namespace switchyard
