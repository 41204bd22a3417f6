#include "downstream/channel.h"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace switchyard::downstream {
namespace {

constexpr Duration kBackgroundTime = std::chrono::seconds(5);

// What is asked so soon after a cancellation may have crossed it.
constexpr Duration kCancelledLately = std::chrono::milliseconds(500);

Task<void> SendAll(std::shared_ptr<Channel> channel, std::vector<mcp::Message> messages,
                   std::string headers) {
  for (mcp::Message& message : messages) {
    const std::string name(message.method_name());
    Result<void> sent = co_await Channel::Put(channel, std::move(message), headers);
    if (!sent) {
      spdlog::debug("server {}: {}: {}", channel->server(), name, sent.error().message);
    }
  }
}

}  // namespace

std::string_view GatewayInfo() {
  return R"({"name":"switchyard","version":")" SWITCHYARD_VERSION R"("})";
}

std::string VersionHeader(mcp::Version version) {
  return "MCP-Protocol-Version: " + std::string(mcp::ToString(version)) + "\r\n";
}

Channel::Channel(std::string server, std::unique_ptr<Transport> transport, const Deps& deps)
    : server_(std::move(server)),
      deps_(deps),
      transport_(std::move(transport)),
      next_id_(deps.worker + 1) {}

std::string Channel::NextId() {
  const std::uint64_t id = next_id_;
  next_id_ += deps_.workers;
  return std::to_string(id);
}

Task<Result<mcp::Message>> Channel::Ask(Question question) {
  const std::string id = NextId();
  const mcp::Message request = mcp::Message::Make(id, question.method, question.params);
  mcp::Pieces pieces;
  request.AppendTo(pieces);
  Outgoing out{.body = pieces,
               .id = id,
               .headers = question.headers,
               .deadline = question.deadline,
               .facts = question.facts,
               .repeatable = true,
               .quiet = true};
  Result<ReplyPtr> reply = co_await transport_->Request(out);
  if (!reply) co_return Failure(std::move(reply.error()));
  for (;;) {
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    if (!next) co_return Failure(std::move(next.error()));
    if (!next->has_value()) {
      co_return Failure(Code::kProtocol, Origin::kServer,
                        "server " + server_ + ": no response to " + std::string(question.method));
    }
    mcp::Message message = std::move(**next);
    if (message.is_response()) co_return message;
    if (message.kind() != mcp::Kind::kRequest) continue;
    const mcp::Message answer = server_requests_.Answer(message);
    mcp::Pieces answer_pieces;
    answer.AppendTo(answer_pieces);
    Outgoing back{.body = answer_pieces,
                  .id = {},
                  .headers = question.headers,
                  .deadline = question.deadline};
    Result<void> sent = co_await transport_->Notify(back);
    if (!sent) co_return Failure(std::move(sent.error()));
  }
}

Task<Result<void>> Channel::Tell(std::string_view method, std::string_view params,
                                 std::string_view headers, Deadline deadline, HttpFacts* facts) {
  const mcp::Message message = mcp::Message::Make("", method, params);
  mcp::Pieces pieces;
  message.AppendTo(pieces);
  Outgoing out{.body = pieces, .id = {}, .headers = headers, .deadline = deadline, .facts = facts};
  Result<void> sent = co_await transport_->Notify(out);
  co_return sent;
}

void Channel::InBackground(std::string_view name, Task<void> task) {
  std::erase_if(background_, [](const TaskHandle& one) { return !one.running(); });
  TaskHandle running(deps_.executor(), name, std::move(task));  // it starts in here
  background_.push_back(std::move(running));
}

void Channel::Post(const std::shared_ptr<Channel>& channel, std::string_view name,
                   std::vector<mcp::Message> messages, std::string headers) {
  channel->InBackground(name, SendAll(channel, std::move(messages), std::move(headers)));
}

Task<Result<void>> Channel::Put(std::shared_ptr<Channel> channel, mcp::Message message,
                                std::string headers) {
  mcp::Pieces pieces;
  message.AppendTo(pieces);
  const Deadline deadline = Deadline::In(channel->deps().clock, kBackgroundTime);
  Outgoing out{.body = pieces, .id = {}, .headers = headers, .deadline = deadline};
  Result<void> sent = co_await channel->transport().Notify(out);
  co_return sent;
}

bool Channel::JustCancelled() const {
  return cancelled_at_ && deps_.clock.Now() - *cancelled_at_ < kCancelledLately;
}

void Channel::Cancel(const std::shared_ptr<Channel>& channel, std::string id, std::string headers) {
  channel->cancelled_at_ = channel->deps().clock.Now();
  std::vector<mcp::Message> messages;
  messages.push_back(Cancellation(id));
  Post(channel, "cancel at " + channel->server(), std::move(messages), std::move(headers));
}

mcp::Message Channel::Cancellation(std::string_view id) {
  return mcp::Message::Make(
      "", mcp::Info(mcp::Method::kCancelled).name,
      R"({"requestId":)" + std::string(id) + R"(,"reason":"the caller went away"})");
}

void Channel::Respond(const std::shared_ptr<Channel>& channel, mcp::Message answer,
                      std::string headers) {
  std::vector<mcp::Message> messages;
  messages.push_back(std::move(answer));
  Post(channel, "answer to " + channel->server(), std::move(messages), std::move(headers));
}

void Channel::Answer(const std::shared_ptr<Channel>& channel, const mcp::Message& request,
                     std::string headers) {
  spdlog::debug("server {}: asks {}", channel->server(), request.method_name());
  Respond(channel, channel->server_requests_.Answer(request), std::move(headers));
}

}  // namespace switchyard::downstream
