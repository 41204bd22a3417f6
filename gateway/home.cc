#include "home.h"

#include <chrono>
#include <future>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "downstream/consent.h"
#include "downstream/remote.h"
#include "downstream/server_downstream.h"

namespace switchyard {

struct Home::Inner {
  std::shared_ptr<Downstream> downstream;
  std::shared_ptr<downstream::ServerDownstream> reached;  // the same; null: it is built in
  std::unique_ptr<catalog::Refresher> refresher;
  TaskHandle running;
};

namespace {

// The refresher unwinds first, for its calls use the downstream.
Task<void> CloseDownstream(std::shared_ptr<Downstream> downstream, catalog::Refresher* refresher,
                           std::shared_ptr<void> keep, std::function<void()> done) {
  co_await refresher->Unwound();
  co_await downstream->Close();
  keep = nullptr;
  if (done) done();
}

}  // namespace

Home::Home(config::Server server, const Deps& home_deps, downstream::Surroundings surroundings,
           Report report, BuiltIn built_in)
    : server_(std::move(server)),
      deps_(home_deps),
      surroundings_(surroundings),
      built_in_(std::move(built_in)),
      inner_(std::make_shared<Inner>()) {
  if (built_in_) {
    inner_->downstream = built_in_(deps_);
  } else {
    Reach();
  }
  inner_->refresher = std::make_unique<catalog::Refresher>(
      *inner_->downstream, catalog::Refresher::Options{.list_timeout = server_.list_timeout}, deps_,
      [report = std::move(report), current = current_](
          std::shared_ptr<const catalog::Inventory> inventory, std::string reason) {
        report(current, std::move(inventory), std::move(reason));
      });
  if (inner_->reached == nullptr) return;
  inner_->reached->OnDown([refresher = inner_->refresher.get()](const Error& error) {
    refresher->NoteDown(error.message);
  });
  inner_->reached->OnStaleLists([refresher = inner_->refresher.get()] { refresher->NoteStale(); });
}

void Home::Reach() {
  downstream::ProbeSettings settings{.era = server_.era, .start_timeout = server_.start_timeout};
  downstream::Asking asking{.parking = surroundings_.parking};
  asking.another = [server = server_, deps = deps_,
                    surroundings = surroundings_](const Caller* caller) {
    const auto bound = caller == nullptr ? std::optional<Caller>() : std::optional(*caller);
    return downstream::MakeTransport(server, deps, surroundings, bound);
  };
  asking.personal = surroundings_.source != nullptr && surroundings_.source->personal();
  if (asking.personal) {
    asking.view = [source = surroundings_.source](const Principal& caller) {
      return source->ViewOf(caller);
    };
    asking.admits = [source = surroundings_.source](const Caller& caller) -> Result<void> {
      Result<credentials::GrantPtr> found = source->Find(&caller);
      if (!found) return Failure(std::move(found.error()));
      return {};
    };
  }
  asking.processes = server_.lanes;
  if (downstream::PlacementOf(server_) == downstream::Placement::kOneWorker &&
      asking.parking != nullptr) {
    // A child's session is for all clients: it is told what any of them may offer, and what this
    // one does not is refused when it asks.
    settings.declares = Askable::All();
  }
  inner_->reached = std::make_shared<downstream::ServerDownstream>(
      server_.name, downstream::MakeTransport(server_, deps_, surroundings_), deps_, settings,
      std::move(asking));
  inner_->downstream = inner_->reached;
}

Home::~Home() { Close(nullptr); }

void Home::Run() {
  net::post(deps_.executor(), [inner = inner_, executor = deps_.executor()] {
    if (inner == nullptr || inner->refresher == nullptr) return;
    inner->running = TaskHandle(executor, "refresher", inner->refresher->Run());
  });
}

std::shared_ptr<Service> Home::ServiceFor(const Deps& deps) {
  const credentials::SourcePtr& source = surroundings_.source;
  if (source == nullptr || !source->connects()) return WayFor(deps);
  return std::make_shared<downstream::Consent>(WayFor(deps), source, deps);
}

std::shared_ptr<Service> Home::WayFor(const Deps& deps) {
  if (deps.worker == deps_.worker) return inner_->downstream;
  if (built_in_) return built_in_(deps);
  const auto remote = std::make_shared<downstream::RemoteService>(
      deps_.executor(), deps_.worker, deps.executor(), inner_->downstream);
  if (downstream::PlacementOf(server_) == downstream::Placement::kOneWorker) return remote;
  const auto links = std::make_shared<downstream::RemoteLinks>(deps_.executor(), deps.executor(),
                                                               inner_->reached->links());
  return std::make_shared<downstream::ServerDownstream>(
      server_.name, downstream::MakeTransport(server_, deps, surroundings_), deps,
      downstream::ServerDownstream::Elsewhere{
          .links = links,
          .home = remote,
          .parking = surroundings_.parking,
          .personal = surroundings_.source != nullptr && surroundings_.source->personal()});
}

void Home::Close(std::function<void()> done) {
  if (inner_ == nullptr) {
    if (done) net::post(deps_.executor(), std::move(done));
    return;
  }
  net::post(deps_.executor(), [inner = std::move(inner_), executor = deps_.executor(),
                               done = std::move(done)]() mutable {
    inner->running.Cancel();
    std::shared_ptr<Downstream> downstream = inner->downstream;
    Spawn(executor, "close server",
          CloseDownstream(std::move(downstream), inner->refresher.get(), inner, std::move(done)));
  });
  inner_ = nullptr;
}

bool Home::Serves(const config::Server& other) const {
  const auto identity = [](const config::Server& server) {
    return std::tie(server.builtin, server.command, server.args, server.env, server.cwd,
                    server.lanes, server.url, server.headers, server.credentials, server.tls_ca,
                    server.tls_pin, server.transport, server.era, server.start_timeout,
                    server.list_timeout);
  };
  return identity(server_) == identity(other);
}

void CloseAll(const std::map<std::string, std::shared_ptr<Home>>& homes) {
  std::vector<std::future<void>> closed;
  for (const auto& [name, home] : homes) {
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    home->Close([done] { done->set_value(); });
  }
  for (auto& one : closed) one.wait_for(std::chrono::seconds(15));
}

}  // namespace switchyard
