// Where all servers' inventories meet: builds the catalog of each endpoint and publishes it to the
// workers. Reports that come together are merged once. Building happens on the control thread,
// never on a worker's.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/seal.h"
#include "base/timers.h"
#include "catalog/catalog.h"

namespace switchyard::catalog {

using Catalogs = std::map<std::string, std::shared_ptr<const Catalog>, std::less<>>;  // by endpoint

class Hub {
 public:
  struct Options {
    std::size_t page_size = 0;
    Sealer::Key cursor_key{};
    Duration settle = std::chrono::milliseconds(10);  // wait for more reports before building
    Duration settle_outages = std::chrono::milliseconds(100);
    FindOutage outage = nullptr;  // null = there is none
    // What a server offered stays in the catalogs for so long after it went down: a restart is
    // nobody's business, and a call is told that the server is down and not that it knows no such
    // tool.
    Duration keep_lists = std::chrono::seconds(30);
    HasStandIn stand_in = nullptr;
    // Takes out of the servers' lists what is not to be offered; null = nothing. On the control
    // thread, before each build, so it is quick when it saw these lists before.
    std::function<void(std::vector<ServerState>&)> judge = nullptr;
    // Another number when callers may see something else of the same lists; null = always the same.
    std::function<std::uint64_t()> sights = nullptr;
    // They are told of that at most so often: it may be others' doing, and all ask anew.
    Duration settle_sights = std::chrono::seconds(1);
  };
  // Called on the control thread with all endpoints' catalogs.
  using Publish = std::function<void(Catalogs)>;

  // `executor` and `timers` are those of the control thread.
  Hub(Executor executor, Timers& timers, Options options, Publish publish);
  ~Hub();

  // What exists from now on: at start and at each reload. Known inventories of servers that stay
  // are kept, those of `fresh` ones are not. Control thread only. Publishes at once.
  void Configure(std::vector<ServerNaming> servers, std::vector<EndpointView> endpoints,
                 std::size_t page_size, const std::vector<std::string>& fresh,
                 FindPolicySet policies = nullptr, BuiltinTools builtins = {});

  // From any thread. `inventory` null = down, with the reason; with an inventory, a reason says
  // that it is the last that could be read of a server that is up. `current`, where given, becomes
  // false when a reload replaces the server; what its predecessor still says is then ignored.
  void Report(std::string server, std::shared_ptr<const Inventory> inventory, std::string reason,
              std::shared_ptr<const std::atomic<bool>> current = nullptr);

  // From any thread: there are other outages than before.
  void OutagesChanged();

  // From any thread: `sights` gives another number.
  void SightsChanged();

  // Another judgement than the last is to be expected. Control thread only.
  void JudgeAgain();

  // Servers that were heard of at least once since they were configured. Control thread only.
  bool settled() const;
  const std::map<std::string, ServerState>& servers() const { return servers_; }

 private:
  void Apply(const std::string& server, std::shared_ptr<const Inventory> inventory,
             std::string reason);
  void Forget(const std::string& server);
  void Build();

  Executor executor_;
  Timers& timers_;
  Options options_;
  Publish publish_;
  std::map<std::string, ServerState> servers_;
  std::vector<EndpointView> endpoints_;
  FindPolicySet policies_;
  BuiltinTools builtins_;
  std::map<std::string, Timers::Handle> fading_;  // by server: when its inventory is too old
  Timers::Handle pending_;
  Timers::Handle outages_due_;  // for outages alone
  Timers::Handle sights_due_;   // for those alone
  bool outages_changed_ = false;
  std::atomic<bool> sights_changed_ = false;
  std::uint64_t revision_ = 0;
  std::set<std::string> told_;  // what is not offered and why: the log has it already
};

}  // namespace switchyard::catalog
