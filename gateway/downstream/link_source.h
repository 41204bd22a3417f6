// Makes the link on the server's home worker: one handshake at a time, however many ask for it.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "downstream/channel.h"
#include "downstream/link.h"
#include "downstream/probe.h"
#include "downstream/waiters.h"

namespace switchyard::downstream {

class LocalLinks final : public LinkSource, public std::enable_shared_from_this<LocalLinks> {
 public:
  LocalLinks(std::shared_ptr<Channel> channel, ProbeSettings settings);

  // A handshake that fails closes the transport: a process that cannot shake hands is of no use,
  // and the next try gets a fresh one.
  Task<Result<LinkPtr>> Get(std::uint64_t stale) override;
  Task<Result<LinkPtr>> Current() override;
  void ListsAreStale() override {
    if (on_stale_lists_) on_stale_lists_();
  }

  // Until Stop().
  void OnStaleLists(std::function<void()> handler) { on_stale_lists_ = std::move(handler); }
  // The transport went down: what is there is worth nothing.
  void Forget() { current_ = nullptr; }
  // Gives up a handshake under way; its askers are told.
  void Stop();

 private:
  std::unexpected<Error> None(std::string_view why) const;
  Task<void> Establish(std::shared_ptr<LocalLinks> self);

  const std::shared_ptr<Channel> channel_;
  Prober prober_;
  LinkPtr current_;
  std::uint64_t made_ = 0;
  bool running_ = false;  // a handshake
  bool stopped_ = false;
  Waiters<Result<LinkPtr>> waiters_;
  TaskHandle establishing_;
  std::function<void()> on_stale_lists_;
};

}  // namespace switchyard::downstream
