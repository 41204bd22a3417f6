// A configured server as the core sees it, on one worker: transport, handshake and face put
// together.
//
// On the server's home worker it makes the link itself; on other workers it gets the link from
// there
// (`links`) and sends there what only the home can do (`home`: listening to a legacy server).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/downstream.h"
#include "downstream/channel.h"
#include "downstream/face.h"
#include "downstream/link_source.h"
#include "downstream/probe.h"

namespace switchyard::downstream {

class ServerDownstream final : public Downstream {
 public:
  struct Elsewhere {
    std::shared_ptr<LinkSource> links;
    std::shared_ptr<Service> home;  // runs calls on the home worker (remote.h)
  };

  // The home's.
  ServerDownstream(std::string name, std::unique_ptr<Transport> transport, const Deps& deps,
                   ProbeSettings settings);
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

  // The source for other workers' Elsewhere; home only. May be read on any thread; what it gives is
  // used and released on this worker's.
  std::shared_ptr<LinkSource> links() const { return local_; }

 private:
  void Attach();
  Task<Result<void>> TakeOver();
  void Adopt(const LinkPtr& link);
  void Drop(const Error& why);
  std::unexpected<Error> NoLink(std::uint64_t stale, Error why);
  std::unexpected<Error> Down() const;

  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<LocalLinks> local_;  // null: not the home
  const std::shared_ptr<LinkSource> links_;
  const std::shared_ptr<Service> home_;  // null: this is it
  std::shared_ptr<Face> face_;           // null: not up
  std::function<void(Error)> on_down_;
  std::string down_because_ = "not connected yet";
};

}  // namespace switchyard::downstream
