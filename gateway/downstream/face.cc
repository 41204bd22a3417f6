#include "downstream/face.h"

#include <algorithm>
#include <array>
#include <utility>

namespace switchyard::downstream {
namespace {

// RFC 5424.
constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                     "error", "critical", "alert",  "emergency"};

class NoReply final : public Reply {
 public:
  Task<Result<std::optional<mcp::Message>>> Next() override { co_return std::nullopt; }
};

}  // namespace

int LogRank(std::string_view level) {
  const auto found = std::ranges::find(kLevels, level);
  return found == kLevels.end() ? -1 : static_cast<int>(found - kLevels.begin());
}

bool WantsLog(std::string_view wanted_level, const mcp::Message& message) {
  const int wanted = LogRank(wanted_level);
  return wanted >= 0 && LogRank(message.GetString(mcp::Key::kLevel)) >= wanted;
}

ReplyPtr EmptyReply() { return std::make_unique<NoReply>(); }

// A request that is under way and may have been read: cancelled unless it comes to an answer.
class Face::Unanswered {
 public:
  Unanswered(Face& face, const Composed& composed) : face_(face), composed_(composed) {}
  Unanswered(const Unanswered&) = delete;
  ~Unanswered() {
    if (armed_ && face_.cancels_by_notification()) {
      Channel::Cancel(face_.channel_, composed_.id, composed_.headers);
    }
  }
  void Disarm() { armed_ = false; }

 private:
  Face& face_;
  const Composed& composed_;
  bool armed_ = true;
};

// The reply to one call on this hop.
class HopReply final : public Reply {
 public:
  HopReply(std::shared_ptr<Face> face, const Call& call, Composed composed, ReplyPtr inner)
      : face_(std::move(face)),
        call_(call),
        id_(std::move(composed.id)),
        headers_(std::move(composed.headers)),
        inner_(std::move(inner)) {}

  ~HopReply() override {
    inner_.reset();
    if (!over_ && face_->cancels_by_notification()) {
      Channel::Cancel(face_->shared_channel(), std::move(id_), std::move(headers_));
    }
  }

  // Gives `message`, which was the next one, again.
  void PutBack(mcp::Message message) { first_ = std::move(message); }

  Task<Result<std::optional<mcp::Message>>> Next() override {
    if (first_) co_return std::exchange(first_, std::nullopt);
    while (!over_) {
      Result<std::optional<mcp::Message>> next = co_await inner_->Next();
      if (!next) {
        // After a deadline the server still works on it.
        over_ = next.error().code != Code::kDeadline;
        co_return next;
      }
      if (!next->has_value()) {
        over_ = true;
        co_return face_->Broken(std::string(call_.method().name) + ": ended without a response");
      }
      mcp::Message message = std::move(**next);
      if (message.is_response()) {
        over_ = true;
        Result<mcp::Message> converted = face_->Convert(call_, std::move(message));
        if (!converted) co_return Failure(std::move(converted.error()));
        converted->SetId(std::string(call_.message.id()));
        co_return std::optional<mcp::Message>(std::move(*converted));
      }
      if (message.kind() == mcp::Kind::kRequest) {
        Channel::Answer(face_->shared_channel(), message, headers_);
      } else if (face_->Passes(call_, message)) {
        co_return std::optional<mcp::Message>(std::move(message));
      }
    }
    co_return std::nullopt;
  }

 private:
  const std::shared_ptr<Face> face_;
  const Call& call_;
  std::string id_;
  std::string headers_;
  ReplyPtr inner_;
  std::optional<mcp::Message> first_;
  bool over_ = false;
};

// What clients ask of these is answered from the catalog; only the refresher sends them.
static bool IsOurOwn(mcp::Route route) {
  return route == mcp::Route::kList || route == mcp::Route::kListen || route == mcp::Route::kLocal;
}

Task<Face::Outcome> Face::Send(Call& call, Composed composed, bool resumable) {
  mcp::Pieces pieces;
  composed.AppendTo(call, pieces);
  HttpFacts facts;
  Outgoing out{.body = pieces,
               .id = composed.id,
               .headers = composed.headers,
               .deadline = call.deadline,
               .facts = &facts,
               .resumable = resumable,
               .repeatable = IsOurOwn(call.method().route),
               .quiet = IsOurOwn(call.method().route),
               .lasting = call.method().route == mcp::Route::kListen,
               .caller = IsOurOwn(call.method().route) ? nullptr : &call.caller};
  Outcome outcome;
  {
    // Over HTTP most of the waiting is in here, so it is here that most calls are cancelled.
    Unanswered unanswered(*this, composed);
    outcome.reply = co_await channel_->transport().Request(out);
    if (!outcome.reply || facts.status >= 400) {
      outcome.link_is_stale = co_await IsStale(facts, outcome.reply);
    }
    const bool refused = facts.status == 400 && !outcome.link_is_stale;
    if (refused) outcome.refused_with = co_await PeekErrorCode(outcome.reply);
    const bool late = !outcome.reply && outcome.reply.error().code == Code::kDeadline &&
                      !outcome.reply.error().retryable;
    if (!late) unanswered.Disarm();
  }
  if (!outcome.reply || outcome.link_is_stale) co_return outcome;
  if (mcp::Message* whole = (*outcome.reply)->Whole()) {
    Result<mcp::Message> converted = Convert(call, std::move(*whole));
    if (!converted) co_return Outcome{.reply = Failure(std::move(converted.error()))};
    *whole = std::move(*converted);
    whole->SetId(std::string(call.message.id()));
    co_return outcome;
  }
  auto reply = std::make_unique<HopReply>(shared_from_this(), call, std::move(composed),
                                          std::move(*outcome.reply));
  // Over HTTP it is known by now whether this is a stream. Here the first message tells.
  if (!channel_->transport().wants_headers() && !IsOurOwn(call.method().route)) {
    Result<std::optional<mcp::Message>> first = co_await reply->Next();
    if (!first) co_return Outcome{.reply = Failure(std::move(first.error()))};
    if (*first && (**first).is_response()) {
      co_return Outcome{.reply = ReplyWith(std::move(**first))};
    }
    if (*first) reply->PutBack(std::move(**first));
  }
  outcome.reply = std::move(reply);
  co_return outcome;
}

Task<int> Face::PeekErrorCode(Result<ReplyPtr>& reply) {
  if (!reply) co_return 0;
  Result<std::optional<mcp::Message>> first = co_await (*reply)->Next();
  if (!first) {
    reply = Failure(std::move(first.error()));
    co_return 0;
  }
  if (!first->has_value()) co_return 0;
  const int code = (*first)->error_code();
  reply = ReplyWith(std::move(**first));
  co_return code;
}

std::unexpected<Error> Face::Broken(std::string text) const {
  return Failure(Code::kProtocol, Origin::kServer,
                 "server " + channel_->server() + ": " + std::move(text));
}

}  // namespace switchyard::downstream
