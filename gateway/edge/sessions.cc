#include "edge/sessions.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/digest.h"
#include "base/token.h"
#include "edge/legacy_subscribe.h"
#include "edge/refusals.h"

namespace switchyard::edge {
namespace {

constexpr std::string_view kPurpose = "session";
// What a client says of itself is repeated in every request's header: long texts are not.
constexpr std::size_t kMaxCapabilities = 1024;
constexpr std::size_t kMaxInfo = 512;
// Sessions told of at once: the others look each of them up before they go on with their work.
constexpr std::size_t kMaxTold = 1000;

// What tells ids apart: 90 of the random bits with which a sealed token begins. Fits into a string
// without an allocation.
std::string_view Head(std::string_view id) { return id.substr(0, 15); }

// Not a hash that somebody who chooses a name could aim.
OwnerId NumberOf(std::string_view text) {
  const Sha256Digest digest = Sha256Bytes(text);
  OwnerId number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return std::max<OwnerId>(1, number);
}

std::int64_t Seconds(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.WallNow().time_since_epoch())
      .count();
}

}  // namespace

OwnerId OwnerOf(const Principal& caller) {
  if (caller.subject.empty()) return 0;
  return NumberOf(caller.issuer + '\n' + caller.subject + '\n' + caller.client);
}

Sessions::Sessions(const Sealer& sealer, const Clock& clock, Options options, Broadcast broadcast)
    : sealer_(sealer),
      clock_(clock),
      options_(options),
      broadcast_(std::move(broadcast)),
      events_(options_.worker, clock, options_.events) {}

std::shared_ptr<Session> Sessions::Open(Client client, std::string endpoint, OwnerId owner,
                                        Quota::Permit permit) {
  if (client.capabilities.size() > kMaxCapabilities) client.capabilities = "{}";
  if (client.info.size() > kMaxInfo) client.info.clear();
  const boost::json::array text = {static_cast<int>(client.version),
                                   Seconds(clock_),
                                   endpoint,
                                   client.capabilities,
                                   client.info,
                                   client.name,
                                   owner,
                                   options_.worker};
  client.session = sealer_.Seal(kPurpose, boost::json::serialize(text));
  auto session = std::make_shared<Session>();
  session->client = std::make_shared<const Client>(std::move(client));
  session->endpoint = std::move(endpoint);
  session->owner = owner;
  session->home = options_.worker;
  session->permit = std::move(permit);
  return Remember(std::move(session), Duration::zero());
}

std::shared_ptr<Session> Sessions::Find(std::string_view id, std::string_view endpoint) {
  if (const auto known = known_.find(id); known != known_.end()) {
    if (known->second->endpoint != endpoint || known->second->expires < clock_.Now())
      return nullptr;
    known->second->last_used = clock_.Now();
    known->second->used = true;
    return known->second;
  }
  if (ended_.contains(Head(id))) return nullptr;
  std::shared_ptr<Session> session = Unseal(id, endpoint);
  if (session != nullptr) session->used = true;
  return session;
}

std::shared_ptr<Session> Sessions::Known(std::string_view id) const {
  const auto known = known_.find(id);
  return known == known_.end() ? nullptr : known->second;
}

std::shared_ptr<Session> Sessions::Unseal(std::string_view id,
                                          std::optional<std::string_view> endpoint) {
  const std::optional<std::string> text = sealer_.Open(kPurpose, id);
  if (!text) return nullptr;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(*text, error);
  if (error) return nullptr;
  const boost::json::array& fields = value.as_array();  // we wrote it
  const auto age = std::chrono::seconds(Seconds(clock_) - fields[1].as_int64());
  if (age > options_.max_age) return nullptr;
  if (endpoint && fields[2].as_string() != *endpoint) return nullptr;
  Client client{.version = static_cast<mcp::Version>(fields[0].as_int64()),
                .capabilities = std::string(fields[3].as_string()),
                .info = std::string(fields[4].as_string()),
                .name = std::string(fields[5].as_string()),
                .session = std::string(id)};
  auto session = std::make_shared<Session>();
  session->client = std::make_shared<const Client>(std::move(client));
  session->endpoint = std::string(fields[2].as_string());
  session->owner = fields[6].to_number<OwnerId>();
  if (fields.size() > 7) session->home = fields[7].to_number<unsigned>();
  session->shared = true;
  return Remember(std::move(session), age);
}

std::shared_ptr<Session> Sessions::Remember(std::shared_ptr<Session> session, Duration age) {
  if (known_.size() >= options_.max_known) {
    Tick();
    MakeRoom();
  }
  session->last_used = clock_.Now();
  session->expires = clock_.Now() + options_.max_age - age;
  // The key is a part of the value, so an older value must not leave its key behind.
  known_.erase(session->client->session);
  known_.emplace(session->client->session, session);
  return session;
}

void Sessions::End(const std::string& id) {
  if (options_.tasks != nullptr) options_.tasks->Forget(id);
  EndHere(id);
  broadcast_([id](Sessions& other) { other.EndHere(id); });
}

void Sessions::EndHere(const std::string& id) {
  if (ended_.emplace(Head(id)).second) {
    ended_order_.emplace_back(clock_.Now() + options_.max_age, Head(id));
    if (ended_order_.size() > options_.max_ended) ForgetFirstEnded();
  }
  events_.ForgetSession(id);
  const auto known = known_.find(id);
  if (known == known_.end()) return;
  const std::shared_ptr<Session> session = std::move(known->second);
  known_.erase(known);
  session->ended = true;
  session->updates = nullptr;
  for (auto& [raw_id, cancel] : std::exchange(session->in_flight, {})) cancel();
  if (session->end_stream) std::exchange(session->end_stream, nullptr)();
}

void Sessions::SetLogLevel(const std::string& id, std::string level) {
  SetLogLevelHere(id, level);
  broadcast_([id, level](Sessions& other) { other.SetLogLevelHere(id, level); });
}

void Sessions::SetLogLevelHere(const std::string& id, const std::string& level) {
  std::shared_ptr<Session> session;
  if (const auto known = known_.find(id); known != known_.end()) {
    session = known->second;
  } else if (!ended_.contains(Head(id))) {
    // Not seen by this worker yet: remembered now, so that the level is there when it is.
    session = Unseal(id, std::nullopt);
  }
  if (session == nullptr) return;
  session->log_level = level;
  session->shared = true;
}

void Sessions::Cancel(const std::string& id, const std::string& raw_request_id) {
  CancelHere(id, raw_request_id);
  broadcast_([id, raw_request_id](Sessions& other) { other.CancelHere(id, raw_request_id); });
}

void Sessions::CancelHere(const std::string& id, const std::string& raw_request_id) {
  const auto known = known_.find(id);
  if (known == known_.end()) return;
  const std::shared_ptr<Session> session = known->second;
  const auto call = session->in_flight.find(raw_request_id);
  if (call == session->in_flight.end()) return;
  const std::function<void()> cancel = std::move(call->second);
  session->in_flight.erase(call);
  cancel();
}

void Sessions::TakeStream(const std::shared_ptr<Session>& session, const void* owner,
                          std::function<void()> end) {
  EndStreamHere(session->client->session);
  session->stream_owner = owner;
  session->end_stream = std::move(end);
  broadcast_([id = session->client->session](Sessions& other) { other.EndStreamHere(id); });
}

void Sessions::EndStreamHere(const std::string& id) {
  const auto known = known_.find(id);
  if (known == known_.end() || !known->second->end_stream) return;
  std::exchange(known->second->end_stream, nullptr)();
}

std::expected<Quota::Permit, Quota::Refusal> Sessions::Permit(Quota& quota, OwnerId owner,
                                                              std::string_view endpoint) const {
  if (owner != 0 || !some_are_known_) return quota.Take(owner);
  return quota.TakeInCrowd(NumberOf("without a credential at /" + std::string(endpoint)));
}

Result<Quota::Permit> Sessions::PermitSession(OwnerId owner, std::string_view endpoint) {
  if (options_.sessions == nullptr) return Quota::Permit();
  std::expected<Quota::Permit, Quota::Refusal> permit = Permit(*options_.sessions, owner, endpoint);
  if (permit) return std::move(*permit);
  return Failure(AtQuota(permit.error(), *options_.sessions, "sessions",
                         "end one with DELETE, or come back later"));
}

Result<Quota::Permit> Sessions::PermitStream(OwnerId owner, std::string_view endpoint) {
  if (options_.streams == nullptr) return Quota::Permit();
  std::expected<Quota::Permit, Quota::Refusal> permit = Permit(*options_.streams, owner, endpoint);
  if (permit) return std::move(*permit);
  return Failure(
      AtQuota(permit.error(), *options_.streams, "streams", "close one, or come back later"));
}

std::string Sessions::OpenChannel(std::string endpoint, OwnerId owner, Take take) {
  std::string id = std::to_string(options_.worker) + '-' + RandomToken();
  channels_[id] = {.endpoint = std::move(endpoint), .owner = owner, .take = std::move(take)};
  return id;
}

void Sessions::PostToChannel(const std::string& id, const std::string& endpoint, std::string text,
                             Caller caller, std::function<void(ChannelAnswer)> done) {
  unsigned worker = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), worker);
  const bool asked =
      error == std::errc() && OnWorker(worker, [id, endpoint, text = std::move(text),
                                                caller = std::move(caller), done](Sessions& home) {
        const auto channel = home.channels_.find(id);
        if (channel == home.channels_.end() || channel->second.endpoint != endpoint ||
            channel->second.owner != OwnerOf(*caller)) {
          return done(ChannelAnswer::kUnknown);
        }
        const Take take = channel->second.take;  // may close the channel
        done(take(text, caller));
      });
  if (!asked) done(ChannelAnswer::kUnknown);
}

std::string Sessions::Ask(const Session& session, Answered answered) {
  std::string raw_id =
      "\"sy-" + std::to_string(options_.worker) + "-" + std::to_string(++last_asked_) + "\"";
  asked_[raw_id] = {.session = session.client->session, .answered = std::move(answered)};
  return raw_id;
}

void Sessions::Deliver(const std::string& id, mcp::Message response) {
  if (DeliverHere(id, response)) return;
  const auto shared = std::make_shared<const mcp::Message>(std::move(response));
  broadcast_([id, shared](Sessions& other) {
    if (!other.asked_.contains(std::string(shared->id()))) return;
    mcp::Message own = shared->Clone();
    other.DeliverHere(id, own);
  });
}

bool Sessions::DeliverHere(const std::string& id, mcp::Message& response) {
  const auto asked = asked_.find(std::string(response.id()));
  if (asked == asked_.end() || asked->second.session != id) return false;
  const Answered answered = std::move(asked->second.answered);
  asked_.erase(asked);
  answered(std::move(response));
  return true;
}

Timers::Handle Sessions::WhenUnanswered(Timers::Callback give_up) {
  if (options_.timers == nullptr) return {};
  return options_.timers->At(InputDeadline().at(), std::move(give_up));
}

Task<void> Sessions::Sleep(Duration pause) {
  if (options_.timers == nullptr) co_return;
  co_await options_.timers->Sleep(pause);
}

void Sessions::Tell(const std::string& id, std::function<void(Session&)> what) {
  broadcast_([id, what = std::move(what)](Sessions& other) {
    const auto known = other.known_.find(id);
    if (known == other.known_.end()) return;
    const std::shared_ptr<Session> session = known->second;
    what(*session);
  });
}

std::shared_ptr<void> Sessions::PlaceForSubscription() const {
  if (static_cast<std::size_t>(places_.use_count()) > options_.max_subscriptions) return nullptr;
  return places_;
}

void Sessions::EndSubscriptions() {
  for (const auto& [id, session] : known_) session->updates = nullptr;
}

void Sessions::ForgetFirstEnded() {
  ended_.erase(ended_order_.front().second);
  ended_order_.pop_front();
}

bool Sessions::IsBusy(const Session& session) {
  return !session.in_flight.empty() || session.end_stream != nullptr ||
         (session.updates != nullptr && session.updates->wanted());
}

bool Sessions::OnWorker(unsigned worker, std::function<void(Sessions&)> run) {
  if (worker == options_.worker) {
    run(*this);
  } else if (worker < options_.workers) {
    broadcast_([worker, run = std::move(run)](Sessions& other) {
      if (other.options_.worker == worker) run(other);
    });
  } else {
    return false;
  }
  return true;
}

void Sessions::Tick() {
  events_.Tick();
  const TimePoint now = clock_.Now();
  while (!ended_order_.empty() && ended_order_.front().first <= now) ForgetFirstEnded();
  TellUse();
  std::erase_if(known_, [&](const auto& entry) {
    const Session& session = *entry.second;
    return !IsBusy(session) &&
           (now - session.last_used >= options_.forget_after || session.expires < now);
  });
}

// A client may be busy at one worker while what it has is at another: the permit, subscriptions.
void Sessions::TellUse() {
  std::vector<Ids> parts;
  for (const auto& [id, session] : known_) {
    const bool serving = !session->in_flight.empty() || session->end_stream != nullptr;
    const bool used = std::exchange(session->used, false) || serving;
    if (!used || !session->shared) continue;
    if (parts.empty() || parts.back().size() == kMaxTold) parts.emplace_back();
    parts.back().push_back(session->client);
  }
  for (Ids& part : parts) {
    broadcast_([part = std::make_shared<const Ids>(std::move(part))](Sessions& other) {
      other.UsedElsewhere(*part);
    });
  }
}

void Sessions::UsedElsewhere(const Ids& sessions) {
  for (const std::shared_ptr<const Client>& client : sessions) {
    const auto known = known_.find(client->session);
    if (known == known_.end()) continue;
    known->second->last_used = clock_.Now();
    known->second->shared = true;
  }
}

void Sessions::MakeRoom() {
  if (known_.size() < options_.max_known) return;
  std::vector<std::pair<TimePoint, std::string_view>> by_age;
  for (const auto& [id, session] : known_) {
    if (!IsBusy(*session)) by_age.emplace_back(session->last_used, id);
  }
  // Some more than one, so that it is not done for each that comes.
  const std::size_t drop = std::min(by_age.size(), options_.max_known / 10 + 1);
  const auto end = by_age.begin() + static_cast<std::ptrdiff_t>(drop);
  std::partial_sort(by_age.begin(), end, by_age.end());
  for (auto idle = by_age.begin(); idle != end; ++idle) known_.erase(known_.find(idle->second));
}

}  // namespace switchyard::edge
