#include "catalog/hub.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace switchyard::catalog {

Hub::Hub(Executor executor, Timers& timers, Options options, Publish publish)
    : executor_(executor),
      timers_(timers),
      options_(std::move(options)),
      publish_(std::move(publish)) {}

Hub::~Hub() = default;

void Hub::Configure(std::vector<ServerNaming> servers, std::vector<EndpointView> endpoints,
                    std::size_t page_size, const std::vector<std::string>& fresh,
                    FindPolicySet policies, BuiltinTools builtins) {
  for (const std::string& name : fresh) servers_.erase(name);
  std::map<std::string, ServerState> next;
  for (ServerNaming& naming : servers) {
    ServerState state{
        .naming = naming, .inventory = nullptr, .missing_because = "starting", .starting = true};
    if (auto known = servers_.find(naming.server); known != servers_.end()) {
      state.inventory = known->second.inventory;
      state.missing_because = known->second.missing_because;
      state.up = known->second.up;
      state.starting = known->second.starting;
      state.last = known->second.last;
    }
    next.emplace(naming.server, std::move(state));
  }
  servers_ = std::move(next);
  std::erase_if(fading_, [this](const auto& one) {
    const auto kept = servers_.find(one.first);
    return kept == servers_.end() || kept->second.inventory == nullptr;
  });
  endpoints_ = std::move(endpoints);
  options_.page_size = page_size;
  policies_ = std::move(policies);
  builtins_ = std::move(builtins);
  Build();
}

void Hub::Report(std::string server, std::shared_ptr<const Inventory> inventory, std::string reason,
                 std::shared_ptr<const std::atomic<bool>> current) {
  net::post(executor_, [this, server = std::move(server), current = std::move(current),
                        inventory = std::move(inventory), reason = std::move(reason)]() mutable {
    if (current == nullptr || *current) Apply(server, std::move(inventory), std::move(reason));
  });
}

void Hub::OutagesChanged() {
  net::post(executor_, [this] {
    if (std::exchange(outages_changed_, true)) return;
    outages_due_ = timers_.In(options_.settle_outages, [this] { Build(); });
  });
}

void Hub::SightsChanged() {
  if (sights_changed_.exchange(true)) return;
  net::post(executor_, [this] {
    sights_due_ = timers_.In(options_.settle_sights, [this] {
      sights_changed_ = false;
      Build();
    });
  });
}

void Hub::JudgeAgain() {
  if (!pending_.armed()) pending_ = timers_.In(options_.settle, [this] { Build(); });
}

bool Hub::settled() const {
  return std::ranges::none_of(servers_, [](const auto& one) { return one.second.starting; });
}

void Hub::Apply(const std::string& server, std::shared_ptr<const Inventory> inventory,
                std::string reason) {
  const auto found = servers_.find(server);
  if (found == servers_.end()) return;  // reloaded away meanwhile
  ServerState& state = found->second;
  state.up = inventory != nullptr;
  state.starting = false;
  if (state.up && reason.empty()) {
    spdlog::info("server {} is up: {} tools, {} prompts, {} resources, {} templates, speaks {}",
                 server, inventory->tools.size(), inventory->prompts.size(),
                 inventory->resources.size(), inventory->templates.size(),
                 mcp::ToString(inventory->facts.version));
  }
  state.missing_because = !state.up && reason.empty() ? "not up" : std::move(reason);
  if (state.up) {
    state.inventory = std::move(inventory);
    state.last = nullptr;
    fading_.erase(server);
  } else if (state.inventory != nullptr && !fading_.contains(server)) {
    fading_[server] = timers_.In(options_.keep_lists, [this, server] { Forget(server); });
  }
  JudgeAgain();
}

void Hub::Forget(const std::string& server) {
  ServerState& state = servers_.at(server);
  state.last = std::exchange(state.inventory, nullptr);
  spdlog::warn("server {} is down for longer than {} s: what it offers is off the lists", server,
               std::chrono::duration_cast<std::chrono::seconds>(options_.keep_lists).count());
  Build();
  fading_.erase(server);
}

void Hub::Build() {
  pending_.Cancel();
  outages_changed_ = false;
  TimePoint outages_until = TimePoint::max();
  std::vector<ServerState> states;
  states.reserve(servers_.size());
  for (const auto& [name, state] : servers_) states.push_back(state);
  if (options_.judge) options_.judge(states);
  ++revision_;
  Catalogs catalogs;
  std::set<std::string> told;
  for (const EndpointView& view : endpoints_) {
    catalogs[view.name] = Catalog::Build(
        {.view = view,
         .page_size = options_.page_size,
         .cursor_key = std::string(options_.cursor_key.begin(), options_.cursor_key.end()),
         .instructions_header = {},
         .policies = policies_,
         .outage = options_.outage,
         .stand_in = options_.stand_in,
         .builtins = builtins_,
         .sights = options_.sights ? options_.sights() : 0},
        states, revision_);
    outages_until = std::min(outages_until, catalogs[view.name]->outages_until());
    const std::string where = "endpoint /mcp" + (view.name.empty() ? "" : "/" + view.name) + ": ";
    for (const Collision& collision : catalogs[view.name]->collisions()) {
      told.insert(where + collision.first_owner + " and " + collision.second_owner +
                  " both offer " + collision.exposed +
                  "; neither is served: set another prefix or exclude one");
    }
    for (const std::string& problem : catalogs[view.name]->problems()) told.insert(where + problem);
  }
  for (const std::string& problem : told) {
    if (!told_.contains(problem)) spdlog::error("{}", problem);
  }
  told_ = std::move(told);
  outages_due_ = timers_.At(outages_until, [this] { Build(); });
  publish_(std::move(catalogs));
}

}  // namespace switchyard::catalog
