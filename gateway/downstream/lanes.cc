#include "downstream/lanes.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "downstream/parking.h"
#include "downstream/server_downstream.h"

namespace switchyard::downstream {
namespace {

Task<void> CloseServer(std::shared_ptr<ServerDownstream> server) { co_await server->Close(); }

}  // namespace

Lanes::Lanes(std::string server, const Deps& deps, Make make)
    : server_(std::move(server)), deps_(deps), make_(std::move(make)) {}

Lanes::~Lanes() = default;

bool Lanes::Busy(const Lane& lane) { return lane.entering > 0 || lane.server->dialogues() > 0; }

Result<std::shared_ptr<Lanes::Lane>> Lanes::Find(const Call& call) {
  const Key key{Askable::Of(call), CallerKey(call.caller)};
  if (const auto found = lanes_.find(key); found != lanes_.end()) return found->second;
  if (lanes_.size() >= kMax) {
    auto idlest = lanes_.end();
    for (auto one = lanes_.begin(); one != lanes_.end(); ++one) {
      const bool older = idlest == lanes_.end() || one->second->used < idlest->second->used;
      if (older && !Busy(*one->second)) idlest = one;
    }
    if (idlest == lanes_.end()) {
      return Failure(Error{.code = Code::kRateLimited,
                           .retryable = true,
                           .message = "server " + server_ + ": busy with the calls of " +
                                      std::to_string(kMax) + " kinds of clients"});
    }
    Retire(std::move(idlest->second->server));
    lanes_.erase(idlest);
  }
  auto lane = std::make_shared<Lane>();
  lane->server = make_(key.first);
  lanes_[key] = lane;
  if (!sweep_.armed()) sweep_ = deps_.timers.In(kSweep, [this] { Sweep(); });
  return lane;
}

Task<Result<ReplyPtr>> Lanes::Handle(Call& call) {
  Result<std::shared_ptr<Lane>> found = Find(call);
  if (!found) co_return Failure(std::move(found.error()));
  struct Entering {
    explicit Entering(std::shared_ptr<Lane> entered) : lane(std::move(entered)) {
      ++lane->entering;
    }
    Entering(const Entering&) = delete;
    ~Entering() { --lane->entering; }
    std::shared_ptr<Lane> lane;
  };
  const Entering entering(*found);
  ServerDownstream& server = *entering.lane->server;
  if (!server.up()) {
    Result<ServerFacts> connected = co_await server.Connect();
    if (!connected) co_return Failure(std::move(connected.error()));
  }
  Result<ReplyPtr> reply = co_await server.Handle(call);
  entering.lane->used = deps_.clock.Now();
  co_return reply;
}

void Lanes::Sweep() {
  const TimePoint before = deps_.clock.Now() - kIdle;
  std::erase_if(closing_, [](const TaskHandle& one) { return !one.running(); });
  for (auto one = lanes_.begin(); one != lanes_.end();) {
    Lane& lane = *one->second;
    if (Busy(lane)) lane.used = deps_.clock.Now();
    if (lane.used > before) {
      ++one;
      continue;
    }
    Retire(std::move(lane.server));
    one = lanes_.erase(one);
  }
  if (!lanes_.empty()) sweep_ = deps_.timers.In(kSweep, [this] { Sweep(); });
}

void Lanes::Retire(std::shared_ptr<ServerDownstream> server) {
  spdlog::debug("server {}: an idle session ends", server_);
  TaskHandle closing(deps_.executor(), "close session", CloseServer(std::move(server)));
  closing_.push_back(std::move(closing));
}

void Lanes::Clear() { lanes_.clear(); }

Task<void> Lanes::Close() {
  const auto lanes = std::exchange(lanes_, {});
  for (const auto& [key, lane] : lanes) co_await lane->server->Close();
}

}  // namespace switchyard::downstream
