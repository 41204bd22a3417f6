#include "edge/answer.h"

#include <utility>

#include <boost/json.hpp>

#include "core/for_agent.h"
#include "edge/asks.h"
#include "edge/client_words.h"
#include "edge/content.h"
#include "mcp/error_map.h"
#include "mcp/meta.h"

namespace switchyard::edge {
namespace {

bool AtLeast(std::string_view level, std::string_view wanted) {
  const std::optional<int> rank = LogRank(level);
  return rank && *rank >= LogRank(wanted).value_or(0);
}

// The same error under another code. What it says and its data stay; without data of its own,
// `data` tells the server's code.
mcp::Message WithCode(std::string_view raw_id, const mcp::Message& error, int code) {
  boost::system::error_code broken;
  const boost::json::value value = boost::json::parse(error.error(), broken);
  std::string message = "the server answered with an error";
  std::string data = R"({"serverCode":)" + std::to_string(error.error_code()) + "}";
  if (!broken && value.is_object()) {
    const boost::json::value* own = value.get_object().if_contains("message");
    if (own != nullptr && own->is_string()) message = own->get_string();
    own = value.get_object().if_contains("data");
    if (own != nullptr) data = boost::json::serialize(*own);
  }
  return mcp::Message::MakeError(raw_id, code, message, data);
}

// False: not for this client. Otherwise the notification reads as the client expects it.
bool Adapt(const Call& call, mcp::Message& notification) {
  const bool modern = mcp::IsModern(call.client->version);
  switch (notification.method()) {
    case mcp::Method::kProgress:
      if (call.progress_token.empty() || !notification.Has(mcp::Key::kProgressToken)) return false;
      notification.edits().Replace(notification.member(mcp::Key::kProgressToken).value,
                                   call.progress_token);
      ProgressForLegacy(notification, call.client->version);
      break;
    case mcp::Method::kLogMessage:
      if (call.log_level.empty() ||
          !AtLeast(notification.GetString(mcp::Key::kLevel), call.log_level)) {
        return false;
      }
      break;
    case mcp::Method::kAcknowledged: return modern;
    case mcp::Method::kToolsChanged:
    case mcp::Method::kPromptsChanged:
    case mcp::Method::kResourcesChanged:
    case mcp::Method::kResourceUpdated:
      // Only listen streams carry these.
      if (call.message.method() != mcp::Method::kListen) return false;
      break;
    case mcp::Method::kTaskChanged:
      if (!modern || call.message.method() != mcp::Method::kListen) return false;
      break;
    default: return false;
  }
  // A legacy client knows no subscription ids.
  if (!modern) mcp::StripModernMeta(notification, notification.edits());
  return true;
}

// What a legacy server would have said: there is no code for it in that era.
mcp::Message LacksCapability(const Call& call, const mcp::Message& error) {
  boost::system::error_code broken;
  const boost::json::value value = boost::json::parse(error.error(), broken);
  std::string text = "the server needs a capability that this client did not declare";
  const auto* data = broken ? nullptr : value.find_pointer("/data/requiredCapabilities", broken);
  if (data != nullptr) text += ": " + boost::json::serialize(*data);
  return mcp::Message::FromResult(call.message.id(), ToolError(text));
}

// A response of a server as this client may read it: its id, its era, its codes.
mcp::Message ForClient(const Call& call, mcp::Message response) {
  const mcp::Version version = call.client->version;
  if (response.kind() == mcp::Kind::kError) {
    if (!mcp::IsModern(version) && response.error_code() == mcp::kMissingCapability &&
        call.message.method() == mcp::Method::kToolsCall) {
      return LacksCapability(call, response);
    }
    const int code = mcp::CodeForClient(response.error_code(), call.message.method(), version);
    if (code != response.error_code()) response = WithCode(call.message.id(), response, code);
  } else if (!mcp::IsModern(version)) {
    ContentForLegacy(response, version);
    mcp::StripModernResult(response, response.edits());
  }
  response.SetId(std::string(call.message.id()));
  return response;
}

Task<void> Fail(const Call& call, Sink& sink, const Error& error) {
  if (IsForAgent(call, error)) {
    mcp::Message told = ForClient(call, mcp::ToolErrorMessage(call.message.id(), error));
    co_await sink.Finish(std::move(told), nullptr);
    co_return;
  }
  mcp::Message message = mcp::ErrorMessage(call.message.id(), error);
  const bool differs = error.rpc_code == mcp::kMissingCapability || error.code == Code::kNotFound;
  if (differs) message = ForClient(call, std::move(message));  // by era
  const bool failed = message.kind() == mcp::Kind::kError;
  co_await sink.Finish(std::move(message), failed ? &error : nullptr);
}

}  // namespace

Task<void> Answer(Service& service, Call& call, Sink& sink, Asks* asks) {
  Result<ReplyPtr> reply = co_await service.Handle(call);
  for (;;) {
    if (!reply) {
      co_await Fail(call, sink, reply.error());
      co_return;
    }
    Result<std::optional<mcp::Message>> next;
    if (mcp::Message* whole = (*reply)->Whole()) {
      next = std::move(*whole);
    } else {
      next = co_await (*reply)->Next();
    }
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
      if (asks != nullptr && Asks::IsWanted(message)) {
        reply->reset();  // a person may take long: whatever the reply holds is free meanwhile
        std::optional<mcp::Message> end = co_await asks->Round(call, std::move(message), sink);
        if (end) {
          co_await sink.Finish(std::move(*end), nullptr);
          co_return;
        }
        call.target = {};  // whoever serves the retry finds it anew
        reply = co_await service.Handle(call);
        continue;
      }
      if (asks != nullptr && message.kind() == mcp::Kind::kResult) {
        for (mcp::Message& complete : asks->Completions()) {
          co_await sink.Notify(std::move(complete));
        }
      }
      mcp::Message response = ForClient(call, std::move(message));
      co_await sink.Finish(std::move(response), nullptr);
      co_return;
    }
    if (asks != nullptr && message.method() == mcp::Method::kProgress && !asks->Rises(message)) {
      continue;
    }
    if (!Adapt(call, message)) continue;
    const bool there = co_await sink.Notify(std::move(message));
    if (!there) co_return;
  }
}

}  // namespace switchyard::edge
