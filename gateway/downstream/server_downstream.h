// A configured server as the core sees it, on one worker: transport, handshake and face put
// together.
//
// On the server's home worker it makes the link itself; on other workers it gets the link from
// there (`links`) and sends there what only the home can do (`home`): listening to a legacy server,
// and calls that such a server may interrupt with questions.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/downstream.h"
#include "downstream/channel.h"
#include "downstream/face.h"
#include "downstream/lanes.h"
#include "downstream/link_source.h"
#include "downstream/parks.h"
#include "downstream/probe.h"

namespace switchyard::downstream {

// What it takes for a server to ask clients something in the middle of their calls.
struct Asking {
  Parking* parking = nullptr;  // null: it may ask nothing. Outlives the server
  // A transport for one more session with it; empty: there is one only.
  // `caller` is whose it will be; null = nobody's alone.
  std::function<std::unique_ptr<Transport>(const Caller* caller)> another = {};
  // Of a child process, how many there may be, the first one included (lanes.h).
  std::size_t processes = 1;
  // It is shown who calls: a legacy session is one caller's alone, then (protocol 6.1-4).
  bool personal = false;
  // Whether there is anything to show it for this caller: whoever has nothing gets no session. Any
  // thread; empty = for everybody.
  std::function<Result<void>(const Caller&)> admits = {};
  // What tells this caller as it is shown now from what it was shown before; empty = nothing.
  std::function<std::string(const Principal&)> view = {};
  std::shared_ptr<Parks> parks = {};  // of the server, for such sessions; empty: makes its own
};

class ServerDownstream final : public Downstream {
 public:
  struct Elsewhere {
    std::shared_ptr<LinkSource> links;
    std::shared_ptr<Service> home;  // runs calls on the home worker (remote.h)
    Parking* parking = nullptr;     // as in Asking
    bool personal = false;          // the same
  };

  // The home's.
  ServerDownstream(std::string name, std::unique_ptr<Transport> transport, const Deps& deps,
                   ProbeSettings settings, Asking asking = {});
  // Another worker's.
  ServerDownstream(std::string name, std::unique_ptr<Transport> transport, const Deps& deps,
                   Elsewhere elsewhere);
  ~ServerDownstream() override;

  std::string_view name() const override { return channel_->server(); }

  // Other workers need no Connect(): their first call takes the home's link over.
  Task<Result<ServerFacts>> Connect() override;
  Task<Result<ReplyPtr>> Handle(Call& call) override;
  Task<void> Close() override;

  // Called each time the server goes down by itself after a Connect(): it exited, was cut off.
  void OnDown(std::function<void(Error)> handler) { on_down_ = std::move(handler); }

  // Called when a call met a list of the server that is newer than the catalog's. Home only; until
  // Close().
  void OnStaleLists(std::function<void()> handler) { local_->OnStaleLists(std::move(handler)); }

  bool up() const { return face_ != nullptr; }
  // Calls of clients that may be asked something, under way or parked; of this session.
  std::size_t dialogues() const { return face_ == nullptr ? 0 : face_->dialogues(); }
  bool HoldsTasks() const { return face_ != nullptr && face_->HoldsTasks(); }
  // Of the calls counted by dialogues(), where they share a channel; else null.
  const std::shared_ptr<Turnstile>& turns() const { return turns_; }

  // The source for other workers' Elsewhere; home only. May be read on any thread; what it gives is
  // used and released on this worker's.
  std::shared_ptr<LinkSource> links() const { return local_; }

 private:
  void Attach();
  bool NeedsMore(const Call& call) const;  // than to be sent, at a legacy server
  bool NeedsOwnSession(const Call& call) const;
  Task<Result<ReplyPtr>> OffFace(Call& call);
  Task<Result<ReplyPtr>> OnFace(Call& call);
  std::unique_ptr<Lanes> MakeLanes();
  std::shared_ptr<ServerDownstream> MakeLane(Askable declared, const Caller* caller) const;
  Task<Result<void>> TakeOver();
  void Adopt(const LinkPtr& link);
  void Drop(const Error& why);
  std::unexpected<Error> NoLink(std::uint64_t stale, Error why);
  std::unexpected<Error> Down() const;

  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<LocalLinks> local_;  // null: not the home
  const std::shared_ptr<LinkSource> links_;
  const std::shared_ptr<Service> home_;  // null: this is it
  const ProbeSettings settings_;
  const Asking asking_;
  const std::shared_ptr<Parks> parks_;  // null: nobody is asked anything, or not here
  const std::shared_ptr<Turnstile> turns_;
  const std::unique_ptr<Lanes> lanes_;  // null: one session
  std::shared_ptr<Face> face_;          // null: not up
  std::function<void(Error)> on_down_;
  std::string down_because_ = "not connected yet";
};

}  // namespace switchyard::downstream
