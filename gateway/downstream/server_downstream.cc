#include "downstream/server_downstream.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "downstream/legacy_adapter.h"
#include "downstream/modern.h"
#include "mcp/raw_object.h"

namespace switchyard::downstream {
namespace {

// In a link that was made for this very call the server answers as it did in the old one.
Error StillStale(Error error) {
  error.code = Code::kUnavailable;
  error.message += "; its session was made anew, which did not help";
  if (error.data.empty()) return error;
  mcp::RawObject data = mcp::RawObject::Parse(error.data);
  data.SetString("code", ToString(error.code));
  error.data = data.ToText();
  return error;
}

std::shared_ptr<Parks> ParksFor(const std::string& server, const Deps& deps, const Asking& asking) {
  if (asking.parks != nullptr || asking.parking == nullptr) return asking.parks;
  return std::make_shared<Parks>(server, deps, *asking.parking);
}

// Where a question does not say which call it belongs to, there is one such call at a time. What a
// transport at a URL is, it may know only once it has started.
std::shared_ptr<Turnstile> TurnsFor(Channel& channel, const ProbeSettings& settings,
                                    const Asking& asking) {
  if (asking.parking == nullptr || !settings.declares.any()) return nullptr;
  if (channel.transport().wants_headers()) return nullptr;
  return std::make_shared<Turnstile>(
      "server " + channel.server() + ": busy with a call that may ask its client something",
      channel.deps().timers);
}

}  // namespace

ServerDownstream::ServerDownstream(std::string name, std::unique_ptr<Transport> transport,
                                   const Deps& deps, ProbeSettings settings, Asking asking)
    : channel_(std::make_shared<Channel>(std::move(name), std::move(transport), deps)),
      local_(std::make_shared<LocalLinks>(channel_, settings)),
      links_(local_),
      settings_(settings),
      asking_(std::move(asking)),
      parks_(ParksFor(channel_->server(), deps, asking_)),
      turns_(TurnsFor(*channel_, settings_, asking_)),
      lanes_(MakeLanes()) {
  channel_->Declare(settings_.declares);
  Attach();
}

ServerDownstream::ServerDownstream(std::string name, std::unique_ptr<Transport> transport,
                                   const Deps& deps, Elsewhere elsewhere)
    : channel_(std::make_shared<Channel>(std::move(name), std::move(transport), deps)),
      links_(std::move(elsewhere.links)),
      home_(std::move(elsewhere.home)),
      asking_{.parking = elsewhere.parking, .personal = elsewhere.personal} {
  Attach();
}

ServerDownstream::~ServerDownstream() {
  // The transport may live on in replies and in a handshake: it must not call us any more.
  channel_->transport().OnUnsolicited(nullptr);
  channel_->transport().OnDown(nullptr);
  if (local_ != nullptr) local_->Stop();
  Drop(Down().error());
  if (parks_ != nullptr && asking_.parks == nullptr) parks_->Clear();
  channel_->EndBackground();
}

std::unique_ptr<Lanes> ServerDownstream::MakeLanes() {
  if (asking_.parking == nullptr || !asking_.another) return nullptr;
  if (turns_ == nullptr) {
    return std::make_unique<Lanes>(
        channel_->server(), channel_->deps(),
        [this](Askable declared, const Caller* caller) { return MakeLane(declared, caller); },
        asking_.view);
  }
  return std::make_unique<Lanes>(
      channel_->server(), channel_->deps(),
      [this](Askable, const Caller*) { return MakeLane(settings_.declares, nullptr); }, nullptr,
      Lanes::First{.turns = turns_,
                   .serve = [this](Call& call) { return OnFace(call); },
                   .most = asking_.processes});
}

// One more session, whose server is told what these clients offer.
std::shared_ptr<ServerDownstream> ServerDownstream::MakeLane(Askable declared,
                                                             const Caller* caller) const {
  ProbeSettings settings = settings_;
  settings.era = config::Era::kLegacy;
  settings.declares = declared;
  return std::make_shared<ServerDownstream>(channel_->server(), asking_.another(caller),
                                            channel_->deps(), settings,
                                            Asking{.parking = asking_.parking, .parks = parks_});
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
    if (lanes_ != nullptr) lanes_->Clear();
    face_ = std::make_shared<Modern>(channel_, link, asking_.parking);
  } else {
    std::shared_ptr<Turnstile> turns = turns_;
    if (turns == nullptr) turns = TurnsFor(*channel_, settings_, asking_);
    face_ = std::make_shared<LegacyAdapter>(channel_, link, parks_, settings_.declares,
                                            std::move(turns));
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

// Here is not the home: no handshake, just what the home has. A session that is a connection of the
// home's is reached there, and one of our own would be nobody's.
Task<Result<void>> ServerDownstream::TakeOver() {
  Result<LinkPtr> link = co_await links_->Current();
  if (!link) co_return Failure(std::move(link.error()));
  if (!(*link)->home_only) {
    Result<void> started = co_await channel_->transport().Start();
    if (!started) co_return started;
  }
  Adopt(*link);
  co_return Result<void>();
}

// No coroutine of its own: plain calls go the short way.
Task<Result<ReplyPtr>> ServerDownstream::Handle(Call& call) {
  const bool plain = face_ != nullptr && (face_->link().modern() || !NeedsMore(call));
  return plain ? OnFace(call) : OffFace(call);
}

// What the gateway asks itself, and what it listens to, goes by the first session.
bool ServerDownstream::NeedsOwnSession(const Call& call) const {
  return asking_.personal && call.method().IsForServer();
}

bool ServerDownstream::NeedsMore(const Call& call) const {
  if (NeedsOwnSession(call)) return true;
  if (home_ != nullptr && face_->link().home_only) return true;
  // A legacy server's streams, and what it asks on them, are at home.
  if (call.message.method() == mcp::Method::kListen) return home_ != nullptr;
  // A task belongs to the session of its call.
  if (call.method().route == mcp::Route::kTask) {
    return home_ != nullptr || (lanes_ != nullptr && turns_ == nullptr);
  }
  return asking_.parking != nullptr && IsInteractive(call);
}

Task<Result<ReplyPtr>> ServerDownstream::OffFace(Call& call) {
  if (face_ == nullptr && home_ != nullptr) {
    Result<void> taken = co_await TakeOver();
    if (!taken) co_return Failure(std::move(taken.error()));
  }
  if (face_ == nullptr) co_return Down();
  if (!face_->link().modern() && NeedsMore(call)) {
    if (home_ != nullptr) {
      Result<ReplyPtr> reply = co_await home_->Handle(call);
      co_return reply;
    }
    const bool own = NeedsOwnSession(call);
    if (own && lanes_ == nullptr) {
      co_return Failure(Code::kForbidden, Origin::kGateway,
                        "server " + channel_->server() +
                            ": has no session for each caller, and is not asked without");
    }
    if (call.forsaken) co_return parks_->Forsake(call);
    if (own && asking_.admits) {
      if (Result<void> may = asking_.admits(call.caller); !may) {
        co_return Failure(std::move(may.error()));
      }
    }
    if (call.message.Has(mcp::Key::kRequestState)) co_return parks_->Resume(call);
    // A task lives in the process that took it, and what asks about it goes to the first one.
    const bool stays = turns_ != nullptr && BecomesTask(call);
    if (lanes_ != nullptr && (own || (Askable::Of(call).any() && !stays))) {
      Result<ReplyPtr> reply = co_await lanes_->Handle(call);
      co_return reply;
    }
  }
  Result<ReplyPtr> reply = co_await OnFace(call);
  co_return reply;
}

Task<Result<ReplyPtr>> ServerDownstream::OnFace(Call& call) {
  std::shared_ptr<Face> face = face_;
  if (face == nullptr) co_return Down();
  if (call.forsaken) co_return EmptyReply();
  Face::Outcome outcome = co_await face->Handle(call);
  // A worker may be behind, and what it then gets may be stale as well. A link that was made only
  // now is not made once more: it would cost the server a handshake for each of many calls.
  bool anew = false;
  while (outcome.link_is_stale && !anew) {
    const TimePoint now = channel_->deps().clock.Now();
    spdlog::info("server {}: the session or the era is no longer valid, connecting anew",
                 channel_->server());
    Result<LinkPtr> link = co_await links_->Get(face->link().generation);
    if (!link) co_return NoLink(face->link().generation, std::move(link.error()));
    anew = (*link)->made_at >= now;
    Adopt(*link);
    face = face_;
    // It was modern a moment ago: what serves everybody's requests there is nobody's session here.
    if (!face->link().modern() && NeedsOwnSession(call)) {
      Result<ReplyPtr> reply = co_await OffFace(call);
      co_return reply;
    }
    if (home_ != nullptr && face->link().home_only) {
      Result<ReplyPtr> reply = co_await home_->Handle(call);
      co_return reply;
    }
    outcome = co_await face->Handle(call);
  }
  if (outcome.link_is_stale && !outcome.reply) {
    co_return Failure(StillStale(std::move(outcome.reply.error())));
  }
  if (outcome.lists_are_stale) links_->ListsAreStale();
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
  if (parks_ != nullptr && asking_.parks == nullptr) parks_->Clear();
  if (lanes_ != nullptr) lanes_->Close();
  if (face != nullptr && home_ == nullptr) co_await face->Close();
  co_await channel_->transport().Close();
  if (lanes_ != nullptr) co_await lanes_->Closed();
  channel_->EndBackground();
}

}  // namespace switchyard::downstream
