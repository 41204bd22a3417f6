#include "edge/answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mcp/error_map.h"
#include "mcp/meta.h"

namespace switchyard::edge {
namespace {

// RFC 5424 names, least severe first.
constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                     "error", "critical", "alert",  "emergency"};

bool AtLeast(std::string_view level, std::string_view wanted) {
  return std::ranges::find(kLevels, level) >= std::ranges::find(kLevels, wanted);
}

// False: not for this client. Otherwise the notification reads as the client expects it.
bool Adapt(const Call& call, mcp::Message& notification) {
  const bool modern = mcp::IsModern(call.client->version);
  switch (notification.method()) {
    case mcp::Method::kProgress:
      if (call.progress_token.empty() || !notification.Has(mcp::Key::kProgressToken)) return false;
      notification.edits().Replace(notification.member(mcp::Key::kProgressToken).value,
                                   call.progress_token);
      return true;
    case mcp::Method::kLogMessage:
      return !call.log_level.empty() &&
             AtLeast(notification.GetString(mcp::Key::kLevel), call.log_level);
    case mcp::Method::kAcknowledged:
      return modern;
    case mcp::Method::kToolsChanged:
    case mcp::Method::kPromptsChanged:
    case mcp::Method::kResourcesChanged:
    case mcp::Method::kResourceUpdated:
      // Only listen streams carry these; a legacy client knows no subscription ids.
      if (call.message.method() != mcp::Method::kListen) return false;
      if (!modern && notification.member(mcp::MetaKey::kSubscriptionId).present()) {
        notification.edits().RemoveMember(notification.bytes(),
                                          notification.member(mcp::MetaKey::kSubscriptionId));
      }
      return true;
    default:
      return false;
  }
}

Task<void> Fail(const Call& call, Sink& sink, const Error& error) {
  co_await sink.Finish(mcp::ErrorMessage(call.message.id(), error), &error);
}

}  // namespace

Task<void> Answer(Service& service, Call& call, Sink& sink) {
  Result<ReplyPtr> reply = co_await service.Handle(call);
  if (!reply) {
    co_await Fail(call, sink, reply.error());
    co_return;
  }
  for (;;) {
    Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
    if (!next) {
      co_await Fail(call, sink, next.error());
      co_return;
    }
    if (!next->has_value()) {
      const Error error{.code = Code::kProtocol,
                        .origin = Origin::kServer,
                        .message = "the server ended its answer without a response"};
      co_await Fail(call, sink, error);
      co_return;
    }
    mcp::Message& message = **next;
    if (message.is_response()) {
      message.SetId(std::string(call.message.id()));
      if (!mcp::IsModern(call.client->version)) mcp::StripModernResult(message, message.edits());
      co_await sink.Finish(std::move(message), nullptr);
      co_return;
    }
    if (!Adapt(call, message)) continue;
    const bool there = co_await sink.Notify(std::move(message));
    if (!there) co_return;
  }
}

}  // namespace switchyard::edge
