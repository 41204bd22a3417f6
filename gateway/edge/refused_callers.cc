#include "edge/refused_callers.h"

#include <algorithm>
#include <utility>

#include "auth/api_key.h"

namespace switchyard::edge {
namespace {

struct Shown {
  std::string_view kind;
  std::string prefix = {};
};

// The prefix of what has form and checksum of a key alone: of another text its beginning may be
// the secret.
Shown ShownBy(const auth::Evidence& evidence) {
  if (evidence.authorization) {
    const auto bearer = auth::BearerIn(*evidence.authorization);
    if (!bearer) return {"malformed"};
    if (!*bearer) return {"another_scheme"};
    if (auth::IsApiKey(**bearer)) return {"api_key", std::string(auth::PrefixOfKey(**bearer))};
    return {auth::LooksLikeApiKey(**bearer) ? "api_key" : "token"};
  }
  return {evidence.certificate != nullptr ? "certificate" : "none"};
}

}  // namespace

bool RefusedCallers::TakePlace() {
  const TimePoint now = clock_.Now();
  next_ = std::max(next_, now - kBurst * kPause);
  if (next_ > now - kPause) return false;
  next_ += kPause;
  return true;
}

audit::Event RefusedCallers::Begun() {
  audit::Event event;
  event.kind = audit::Event::Kind::kRefused;
  event.time = clock_.WallNow();
  event.outcome = "denied";
  event.left_out = std::exchange(left_out_, 0);
  return event;
}

void RefusedCallers::Note(const Refused& refused) {
  if (sink_ == nullptr || !sink_->on()) return;
  if (!TakePlace()) {
    ++left_out_;
    return;
  }
  const bool unknown = refused.refused.why != auth::Gate::Turned::kScopes;
  const Shown shown = ShownBy(refused.evidence);
  audit::Event event = Begun();
  event.endpoint = refused.endpoint;
  event.peer = refused.peer;
  event.method = refused.verb;
  event.credential = shown.kind;
  event.key_prefix = shown.prefix;
  event.code = unknown ? "unauthenticated" : "forbidden";
  event.reason = ToString(refused.refused.refusal.reason);
  if (refused.refused.why == auth::Gate::Turned::kMissing) event.reason = "missing";
  if (!unknown) event.reason = "scope";
  sink_->Note(std::move(event));
}

void RefusedCallers::Tick() {
  if (left_out_ == 0 || sink_ == nullptr || !sink_->on() || !TakePlace()) return;
  sink_->Note(Begun());
}

}  // namespace switchyard::edge
