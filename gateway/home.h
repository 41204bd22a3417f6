// A configured server for as long as it is configured: the downstream on its home worker and the
// refresher that keeps it up. Shared by the routes of all workers; when the last of them lets go
// (removed by a reload, the last call finished), the server is closed on its home's thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "catalog/refresher.h"
#include "config/config.h"
#include "core/deps.h"
#include "core/downstream.h"
#include "core/service.h"
#include "downstream/transports.h"

namespace switchyard {

class Home : public std::enable_shared_from_this<Home> {
 public:
  // What the refresher publishes, with the flag that says whether it still counts.
  using Report =
      std::function<void(std::shared_ptr<const std::atomic<bool>> current,
                         std::shared_ptr<const catalog::Inventory> inventory, std::string reason)>;

  // The face of a server that is a part of the gateway, on one worker.
  using BuiltIn = std::function<std::shared_ptr<Downstream>(const Deps&)>;

  // `home_deps` are those of the worker where it lives. Nothing starts before Run(). `built_in`: of
  // such a server, and of no other.
  Home(config::Server server, const Deps& home_deps, downstream::Surroundings surroundings,
       Report report, BuiltIn built_in = nullptr);
  ~Home();

  // Starts to keep the server up. Any thread.
  void Run();

  // The way to the server from another worker, or from its home. On the thread of `deps`.
  std::shared_ptr<Service> ServiceFor(const Deps& deps);

  // A newer one takes its place, or none: from now on nothing is reported. Any thread.
  void Retire() { *current_ = false; }
  const std::shared_ptr<std::atomic<bool>>& current() const { return current_; }

  // Ends the server gracefully; `done` runs on the home's thread. Any thread; once.
  void Close(std::function<void()> done);

  // Calls that are under way there, of all workers, where somebody counts them. Any thread.
  std::size_t calls() const { return calls_.load(std::memory_order_relaxed); }
  // One of them, for as long as it lives.
  class InFlight {
   public:
    explicit InFlight(std::shared_ptr<Home> home) : home_(std::move(home)) { ++home_->calls_; }
    InFlight(InFlight&&) noexcept = default;
    InFlight& operator=(InFlight&&) = delete;
    ~InFlight() {
      if (home_ != nullptr) --home_->calls_;
    }

   private:
    std::shared_ptr<Home> home_;
  };

  const config::Server& server() const { return server_; }
  // The same process or connection would serve `other`, too: a reload keeps it.
  bool Serves(const config::Server& other) const;

 private:
  struct Inner;
  std::shared_ptr<Service> WayFor(const Deps& deps);
  void Reach();  // a server of others: by its transport
  const config::Server server_;
  const Deps deps_;
  const downstream::Surroundings surroundings_;
  const BuiltIn built_in_;
  const std::shared_ptr<std::atomic<bool>> current_ = std::make_shared<std::atomic<bool>>(true);
  std::atomic<std::size_t> calls_{0};
  std::shared_ptr<Inner> inner_;  // used on the home's thread only
};

// Ends all at once, and waits: servers end by TERM and KILL long before its 15 seconds are over.
// Not on the thread of a home.
void CloseAll(const std::map<std::string, std::shared_ptr<Home>>& homes);

}  // namespace switchyard
