#include "worker.h"

#include <pthread.h>
#include <utility>

#include <boost/asio/post.hpp>

#include "telemetry/metrics.h"

namespace switchyard {
namespace {

constexpr Duration kTick = std::chrono::seconds(1);
constexpr unsigned kTicksToForget = 60;  // idle sessions are looked at once a minute

}  // namespace

// The way to one server: policies of stage server around the downstream. Calls in flight hold it
// across a reload.
struct Worker::ServerRoute final : Service {
  ServerRoute(const Setup::ServerSetup& setup, const Deps& deps)
      : home(setup.home), downstream(home->ServiceFor(deps)), chain(setup.policies, *downstream) {}
  Task<Result<ReplyPtr>> Handle(Call& call) override { return chain.Handle(call); }

  std::shared_ptr<Home> home;
  std::shared_ptr<Service> downstream;
  Chain chain;
};

// One endpoint: the target is found first, so that every policy can see it; then the policies of
// stage call; then the router.
class Worker::EndpointService final : public Service {
 public:
  EndpointService(const Setup::EndpointSetup& setup, std::shared_ptr<catalog::Router> router)
      : router_(std::move(router)), chain_(setup.policies, *router_) {}

  Task<Result<ReplyPtr>> Handle(Call& call) override {
    router_->Resolve(call);
    return chain_.Handle(call);
  }

  const std::shared_ptr<catalog::Router>& router() const { return router_; }

 private:
  std::shared_ptr<catalog::Router> router_;
  Chain chain_;
};

Worker::Worker(Options options)
    : options_(std::move(options)),
      work_(net::make_work_guard(context_)),
      timers_(context_, *options_.clock),
      deps_{.context = context_,
            .timers = timers_,
            .clock = *options_.clock,
            .worker = options_.index,
            .workers = options_.workers},
      sessions_(*options_.session_sealer, *options_.clock, SessionOptions(), options_.broadcast),
      endpoint_(
          {}, [this](std::string_view name) { return FindEndpoint(name); }, options_.plain,
          sessions_),
      listener_(deps_, options_.listener,
                [this](edge::Exchange& exchange, edge::Connection& connection) {
                  return endpoint_.Serve(exchange, connection);
                }) {}

edge::Sessions::Options Worker::SessionOptions() {
  edge::Sessions::Options options = options_.sessions;
  options.tasks = options_.tasks;
  options.timers = &timers_;
  options.worker = options_.index;
  options.workers = options_.workers;
  return options;
}

Worker::~Worker() { Stop(); }

void Worker::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), ("worker " + std::to_string(options_.index)).c_str());
    Tick();
    context_.run();
    ended_.set_value();
  });
}

void Worker::Tick() {
  listener_.Tick();
  Count();
  if (++ticks_ % kTicksToForget == 0) sessions_.Tick();
  tick_ = timers_.In(kTick, [this] { Tick(); });
}

void Worker::Count() {
  const auto update = [](std::int64_t& counted, std::size_t now) {
    return static_cast<std::int64_t>(now) - std::exchange(counted, static_cast<std::int64_t>(now));
  };
  options_.metrics->AddSessions(update(counted_sessions_, sessions_.size()));
  options_.metrics->AddStreams(update(counted_streams_, listener_.streams()));
}

void Worker::Post(std::function<void()> function) { net::post(context_, std::move(function)); }

void Worker::Do(std::function<void()> function) {
  // Shared: set_value() may still be at work when the waiter is through.
  const auto done = std::make_shared<std::promise<void>>();
  Post([&function, done] {
    function();
    done->set_value();
  });
  done->get_future().wait();
}

void Worker::Configure(std::shared_ptr<const Setup> setup) {
  setup_ = std::move(setup);
  endpoint_.SetAccess(setup_->access);
  const std::set<std::string, std::less<>> replaced = ReplacedServers();
  servers_.clear();
  for (const auto& [name, server] : setup_->servers) {
    servers_[name] = std::make_shared<ServerRoute>(server, deps_);
  }
  std::map<std::string, std::shared_ptr<EndpointService>, std::less<>> endpoints;
  const auto find_server = [this](std::string_view server) -> std::shared_ptr<Service> {
    const auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : found->second;
  };
  for (const auto& [name, endpoint] : setup_->endpoints) {
    // A router that stays keeps its listeners; what changed is told to them by Publish().
    std::shared_ptr<catalog::Router> router;
    if (const auto known = endpoints_.find(name); known != endpoints_.end()) {
      router = known->second->router();
    } else {
      router = std::make_shared<catalog::Router>(
          setup_->catalogs.at(name), find_server, deps_,
          std::make_unique<catalog::TaskRoutes>(*options_.session_sealer, deps_, find_server));
    }
    endpoints[name] = std::make_shared<EndpointService>(endpoint, std::move(router));
  }
  for (const auto& [name, endpoint] : endpoints_) {
    if (!endpoints.contains(name)) endpoint->router()->EndListens();
  }
  endpoints_ = std::move(endpoints);
  for (const auto& [name, endpoint] : endpoints_) endpoint->router()->Replaced(replaced);
  Publish(setup_->catalogs);
}

// What the new setup has no longer, or has under the same name as another server.
std::set<std::string, std::less<>> Worker::ReplacedServers() const {
  std::set<std::string, std::less<>> replaced;
  for (const auto& [name, route] : servers_) {
    const auto now = setup_->servers.find(name);
    if (now == setup_->servers.end() || now->second.home != route->home) replaced.insert(name);
  }
  return replaced;
}

void Worker::Publish(const catalog::Catalogs& catalogs) {
  for (const auto& [name, endpoint] : endpoints_) {
    const auto found = catalogs.find(name);
    // A setup may carry an older snapshot than what was published while it was made.
    const bool newer = found != catalogs.end() &&
                       found->second->revision() > endpoint->router()->catalog()->revision();
    if (!newer) continue;
    endpoint->router()->Update(found->second);
  }
}

void Worker::Announce() {
  for (const auto& [name, endpoint] : endpoints_) endpoint->router()->Announce();
}

Result<std::uint16_t> Worker::Listen(const std::string& host, std::uint16_t port) {
  return listener_.Listen(host, port);
}

std::shared_ptr<Service> Worker::FindEndpoint(std::string_view name) const {
  const auto found = endpoints_.find(name);
  return found == endpoints_.end() ? nullptr : found->second;
}

void Worker::BeginDrain() {
  listener_.StopAccepting();
  for (const auto& [name, endpoint] : endpoints_) endpoint->router()->EndListens();
}

void Worker::Stop() {
  if (!thread_.joinable()) return;
  Post([this] {
    tick_.Cancel();
    listener_.StopAccepting();
    listener_.Abort();
    sessions_.EndSubscriptions();
    endpoints_.clear();
    servers_.clear();
    setup_ = nullptr;
    work_.reset();
    net::post(context_, [this] { timers_.Disarm(); });
  });
  // What was cancelled unwinds and the loop runs dry; it ends even if something hangs.
  if (ended_.get_future().wait_for(kUnwind) != std::future_status::ready) context_.stop();
  thread_.join();
}

}  // namespace switchyard
