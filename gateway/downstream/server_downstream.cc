#include "downstream/server_downstream.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/legacy_adapter.h"
#include "downstream/modern.h"

namespace switchyard::downstream {
namespace {

constexpr int kMaxRelinks = 3;

}  // namespace

ServerDownstream::ServerDownstream(std::string name, std::unique_ptr<Transport> transport,
                                   const Deps& deps, ProbeSettings settings)
    : channel_(std::make_shared<Channel>(std::move(name), std::move(transport), deps)),
      local_(std::make_shared<LocalLinks>(channel_, settings)),
      links_(local_) {
  Attach();
}

ServerDownstream::ServerDownstream(std::string name, std::unique_ptr<Transport> transport,
                                   const Deps& deps, Elsewhere elsewhere)
    : channel_(std::make_shared<Channel>(std::move(name), std::move(transport), deps)),
      links_(std::move(elsewhere.links)),
      home_(std::move(elsewhere.home)) {
  Attach();
}

ServerDownstream::~ServerDownstream() {
  // The transport may live on in replies and in a handshake: it must not call us any more.
  channel_->transport().OnUnsolicited(nullptr);
  channel_->transport().OnDown(nullptr);
  if (local_ != nullptr) local_->Stop();
  Drop(Down().error());
  channel_->EndBackground();
}

void ServerDownstream::Attach() {
  channel_->transport().OnUnsolicited([this](mcp::Message message) {
    if (face_ != nullptr) {
      face_->Unsolicited(std::move(message));
    } else if (message.kind() == mcp::Kind::kRequest) {
      Channel::Answer(channel_, message, {});  // a ping during the handshake
    }
  });
  channel_->transport().OnDown([this](Error error) {
    if (local_ != nullptr) local_->Forget();
    const bool was_up = face_ != nullptr;
    Drop(error);
    if (was_up && on_down_) on_down_(std::move(error));
  });
}

std::unexpected<Error> ServerDownstream::Down() const {
  return Failure(Error{.code = Code::kUnavailable,
                       .origin = Origin::kServer,
                       .retryable = true,
                       .message = "server " + channel_->server() + ": " + down_because_});
}

void ServerDownstream::Drop(const Error& why) {
  down_because_ = "down";
  if (const std::shared_ptr<Face> face = std::exchange(face_, nullptr)) face->Retire(why);
}

void ServerDownstream::Adopt(const LinkPtr& link) {
  if (face_ != nullptr && face_->link().generation == link->generation) return;
  if (face_ != nullptr) {
    // Not down: who listened listens again.
    Drop(Error{.code = Code::kCancelled,
               .origin = Origin::kServer,
               .message = "server " + channel_->server() + ": its session was made anew"});
  }
  if (link->modern()) {
    face_ = std::make_shared<Modern>(channel_, link);
  } else {
    face_ = std::make_shared<LegacyAdapter>(channel_, link);
  }
  spdlog::debug("server {}: speaks {}", channel_->server(), mcp::ToString(link->facts.version));
}

Task<Result<ServerFacts>> ServerDownstream::Connect() {
  if (local_ == nullptr) {
    Result<void> taken = co_await TakeOver();
    if (!taken) co_return Failure(std::move(taken.error()));
    co_return face_->link().facts;
  }
  // A remote server tells nobody that it went down or was replaced: at home the handshake is made
  // anew. A child's exit is noticed, and what still runs has shaken hands.
  const bool anew = local_ != nullptr && face_ != nullptr && channel_->transport().wants_headers();
  Result<LinkPtr> link = co_await links_->Get(anew ? face_->link().generation : 0);
  if (!link) co_return Failure(std::move(link.error()));
  Adopt(*link);
  co_return (*link)->facts;
}

// Here is not the home: no handshake, just what the home has.
Task<Result<void>> ServerDownstream::TakeOver() {
  Result<void> started = co_await channel_->transport().Start();
  if (!started) co_return started;
  Result<LinkPtr> link = co_await links_->Current();
  if (!link) co_return Failure(std::move(link.error()));
  Adopt(*link);
  co_return Result<void>();
}

Task<Result<ReplyPtr>> ServerDownstream::Handle(Call& call) {
  if (face_ == nullptr && home_ != nullptr) {
    Result<void> taken = co_await TakeOver();
    if (!taken) co_return Failure(std::move(taken.error()));
  }
  if (face_ == nullptr) co_return Down();
  if (home_ != nullptr && face_->link().home_only) {
    Result<ReplyPtr> reply = co_await home_->Handle(call);
    co_return reply;
  }
  std::shared_ptr<Face> face = face_;
  const bool listens = call.message.method() == mcp::Method::kListen;
  if (listens && home_ != nullptr && !face->link().modern()) {
    Result<ReplyPtr> reply = co_await home_->Handle(call);
    co_return reply;
  }
  Face::Outcome outcome = co_await face->Handle(call);
  // Other workers may be some generations behind, and each call finds out one.
  for (int tries = 0; outcome.link_is_stale && tries < kMaxRelinks; ++tries) {
    spdlog::info("server {}: the session or the era is no longer valid, connecting anew",
                 channel_->server());
    Result<LinkPtr> link = co_await links_->Get(face->link().generation);
    if (!link) co_return NoLink(face->link().generation, std::move(link.error()));
    Adopt(*link);
    face = face_;
    if (home_ != nullptr && face->link().home_only) {
      Result<ReplyPtr> reply = co_await home_->Handle(call);
      co_return reply;
    }
    outcome = co_await face->Handle(call);
  }
  co_return std::move(outcome.reply);
}

// A handshake that fails at home has closed the transport, so there is nothing left to speak over.
std::unexpected<Error> ServerDownstream::NoLink(std::uint64_t stale, Error why) {
  if (local_ != nullptr && face_ != nullptr && face_->link().generation == stale) {
    Drop(why);
    if (on_down_) on_down_(why);
  }
  return Failure(std::move(why));
}

Task<void> ServerDownstream::Close() {
  const std::shared_ptr<Face> face = face_;
  if (local_ != nullptr) local_->Stop();
  Drop(Down().error());
  down_because_ = "stopped by the gateway";
  if (face != nullptr && home_ == nullptr) co_await face->Close();
  co_await channel_->transport().Close();
  channel_->EndBackground();
}

}  // namespace switchyard::downstream
