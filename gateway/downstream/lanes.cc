#include "downstream/lanes.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "base/random.h"
#include "downstream/parking.h"
#include "downstream/server_downstream.h"

namespace switchyard::downstream {
namespace {

Task<void> CloseServer(std::shared_ptr<ServerDownstream> server, Mailbox<bool>* ended) {
  co_await server->Close();
  if (ended != nullptr) ended->Put(true);
}

std::string AllBusy(const std::string& server, std::size_t most) {
  const std::string which =
      most == 1 ? "its process is" : "all " + std::to_string(most) + " processes of it are";
  return "server " + server + ": " + which +
         " busy with calls that may ask their client something (servers." + server +
         ".lanes allows more)";
}

}  // namespace

// Holds a place in a lane from the choice of it until the call has its turn there; over HTTP, where
// there are no turns, until its reply ends.
class Lanes::Entering {
 public:
  Entering(LanePtr lane, News news, const Clock& clock)
      : lane_(std::move(lane)), news_(std::move(news)), clock_(clock) {
    ++lane_->entering;
  }
  Entering(const Entering&) = delete;
  ~Entering() {
    --lane_->entering;
    lane_->used = clock_.Now();
    Tell(news_);
  }

 private:
  const LanePtr lane_;
  const News news_;
  const Clock& clock_;
};

Lanes::Lanes(std::string server, const Deps& deps, Make make, View view, std::optional<First> first)
    : server_(std::move(server)),
      deps_(deps),
      make_(std::move(make)),
      view_(std::move(view)),
      first_(std::move(first)),
      first_lane_(first_ ? std::make_shared<Lane>(Lane{.turns = first_->turns}) : nullptr),
      entrance_(first_ ? std::make_shared<Turnstile>(AllBusy(server_, first_->most), deps_.timers)
                       : nullptr) {
  if (first_) first_->turns->OnFree([news = news_] { Tell(news); });
}

Lanes::~Lanes() { Clear(); }

void Lanes::Tell(const News& news) {
  if (news->empty()) news->Put(true);
}

bool Lanes::Busy(const Lane& lane) {
  return lane.entering > 0 || lane.server->dialogues() > 0 ||
         (lane.turns != nullptr && !lane.turns->free());
}

Lanes::LanePtr Lanes::Add(Askable declared, std::string key, const Caller* caller) {
  auto lane = std::make_shared<Lane>(Lane{.declared = declared,
                                          .caller = std::move(key),
                                          .server = make_(declared, caller),
                                          .used = deps_.clock.Now()});
  lane->turns = lane->server->turns();
  if (lane->turns != nullptr) lane->turns->OnFree([news = news_] { Tell(news); });
  lanes_.push_back(lane);
  if (!sweep_.armed()) sweep_ = deps_.timers.In(kSweep, [this] { Sweep(); });
  return lane;
}

// The one that was not used for longest; tasks that nobody asks for go only where all have some.
Lanes::LanePtr Lanes::Replaceable(const std::string* caller) const {
  LanePtr idlest;
  bool costs = false;
  for (const LanePtr& lane : lanes_) {
    if (Busy(*lane) || (caller != nullptr && lane->caller != *caller)) continue;
    const bool holds = lane->server->HoldsTasks();
    if (idlest != nullptr && std::pair(holds, lane->used) >= std::pair(costs, idlest->used)) {
      continue;
    }
    idlest = lane;
    costs = holds;
  }
  return idlest;
}

// Who has many loses an own one, and does not get all. Callers without a name are not one of them.
Result<void> Lanes::MakeRoom(const std::string& caller) {
  const auto own = static_cast<std::size_t>(
      std::ranges::count(lanes_, caller, [](const LanePtr& lane) { return lane->caller; }));
  const bool many = own >= kMaxOfCaller && caller != CallerKey(*Nobody());
  if (!many && lanes_.size() < kMax) return {};
  const LanePtr idlest = Replaceable(many ? &caller : nullptr);
  if (idlest == nullptr) {
    return Failure(Error{.code = Code::kRateLimited,
                         .retryable = true,
                         .message = "server " + server_ + ": busy with the calls of " +
                                    std::to_string(many ? kMaxOfCaller : kMax) +
                                    " kinds of clients" + (many ? " of this caller" : "")});
  }
  Retire(std::move(idlest->server));
  std::erase(lanes_, idlest);
  return {};
}

Result<Lanes::LanePtr> Lanes::ForClient(const Call& call) {
  const Askable declared = Askable::Of(call);
  std::string caller = CallerKey(*call.caller);
  std::string view = view_ ? view_(*call.caller) : "";
  const auto fits = [&](const LanePtr& lane) {
    return lane->declared == declared && lane->caller == caller && lane->view == view;
  };
  if (const auto found = std::ranges::find_if(lanes_, fits); found != lanes_.end()) return *found;
  if (Result<void> room = MakeRoom(caller); !room) return Failure(std::move(room.error()));
  LanePtr lane = Add(declared, std::move(caller), &call.caller);
  lane->view = std::move(view);
  return lane;
}

// The first free one, so that the last ones become idle.
Lanes::LanePtr Lanes::Free() {
  if (IsFree(*first_lane_)) return first_lane_;
  const auto found =
      std::ranges::find_if(lanes_, [](const LanePtr& lane) { return IsFree(*lane); });
  if (found != lanes_.end()) return *found;
  if (lanes_.size() + 1 >= first_->most || deps_.clock.Now() < not_before_) return nullptr;
  return Add({}, {}, nullptr);
}

// The caller makes it Entering at once.
Task<Result<Lanes::LanePtr>> Lanes::Find(const Call& call) {
  if (!first_) co_return ForClient(call);
  const std::shared_ptr<Turnstile> entrance = entrance_;
  const News news = news_;
  Result<Turnstile::Turn> next = co_await entrance->Enter(call.deadline);
  if (!next) co_return Failure(std::move(next.error()));
  const Timers::Handle timer = deps_.timers.At(call.deadline.at(), [news] { Tell(news); });
  for (;;) {
    if (closed_) {
      co_return Failure(Error{.code = Code::kUnavailable,
                              .origin = Origin::kServer,
                              .retryable = true,
                              .message = "server " + server_ + ": stopped by the gateway"});
    }
    if (LanePtr lane = Free()) co_return lane;
    if (call.deadline.Passed(deps_.clock.Now())) co_return entrance->NoTurnInTime();
    co_await news->Take();
  }
}

Task<Result<ReplyPtr>> Lanes::Handle(Call& call) {
  for (;;) {
    Result<LanePtr> found = co_await Find(call);
    if (!found) co_return Failure(std::move(found.error()));
    const LanePtr lane = *found;
    auto entering = std::make_unique<Entering>(lane, news_, deps_.clock);
    if (lane == first_lane_) {
      Result<ReplyPtr> reply = co_await first_->serve(call);
      co_return reply;
    }
    const std::shared_ptr<ServerDownstream> server = lane->server;
    if (!server->up()) {
      Result<ServerFacts> connected = co_await server->Connect();
      if (!connected && !first_) {
        if (!lane->was_up) std::erase(lanes_, lane);  // or a server that is down would fill them
        co_return Failure(std::move(connected.error()));
      }
      if (!connected) {
        GiveUp(lane, connected.error());
        continue;
      }
      lane->was_up = true;
      backoff_ = Backoff(Backoff::Config{});
    }
    const bool http = !first_;
    Result<ReplyPtr> reply = co_await server->Handle(call);
    if (reply && http) reply = HoldUntilEnd(std::move(*reply), std::move(entering));
    co_return reply;
  }
}

// Some programs own what there can be one of (a port, a lock): then calls take turns in the
// processes that there are.
void Lanes::GiveUp(const LanePtr& lane, const Error& why) {
  if (std::erase(lanes_, lane) == 0) return;
  const Duration pause = backoff_.Next(ThreadRandom().NextUnit());
  not_before_ = deps_.clock.Now() + pause;
  again_ = deps_.timers.In(pause, [news = news_] { Tell(news); });
  spdlog::warn(
      "server {}: one more process of it could not be started, its calls that may ask their client "
      "something wait for each other: {} (servers.{}.lanes: 1 starts none)",
      server_, why.message, server_);
}

void Lanes::Sweep() {
  const TimePoint before = deps_.clock.Now() - kIdle;
  std::erase_if(closing_, [](const TaskHandle& one) { return !one.running(); });
  std::erase_if(lanes_, [&](const LanePtr& lane) {
    if (Busy(*lane)) lane->used = deps_.clock.Now();
    if (lane->used > before || lane->server->HoldsTasks()) return false;
    Retire(std::move(lane->server));
    return true;
  });
  if (!lanes_.empty()) sweep_ = deps_.timers.In(kSweep, [this] { Sweep(); });
}

void Lanes::Retire(std::shared_ptr<ServerDownstream> server) {
  spdlog::debug("server {}: an idle session ends", server_);
  TaskHandle closing(deps_.executor(), "close session", CloseServer(std::move(server), nullptr));
  closing_.push_back(std::move(closing));
}

// A reply that still comes holds its lane, which is no reason for its session to live on.
void Lanes::Clear() {
  for (const LanePtr& lane : std::exchange(lanes_, {})) lane->server = nullptr;
}

void Lanes::Close() {
  closed_ = true;
  Tell(news_);
  for (const LanePtr& lane : std::exchange(lanes_, {})) {
    ++ending_;
    TaskHandle closing(deps_.executor(), "close session",
                       CloseServer(std::move(lane->server), &ended_));
    closing_.push_back(std::move(closing));
  }
}

Task<void> Lanes::Closed() {
  for (; ending_ > 0; --ending_) co_await ended_.Take();
}

}  // namespace switchyard::downstream
