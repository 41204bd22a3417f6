#include "worker.h"

#include <pthread.h>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "base/worker_timers.h"
#include "catalog/hiding.h"
#include "config/endpoint_path.h"
#include "policies/lib/exempt.h"
#include "telemetry/metrics.h"

namespace switchyard {
namespace {

constexpr Duration kTick = std::chrono::seconds(1);
constexpr Duration kSweep = std::chrono::minutes(1);  // of idle sessions

}  // namespace

// The way to one server: policies of stage server around the downstream. Calls in flight hold it
// across a reload.
struct Worker::ServerRoute final : Service {
  // `before`: the route under the same name so far; null = there is none.
  ServerRoute(const Setup::ServerSetup& setup, const ServerRoute* before, const Options& options,
              const Deps& deps)
      : home(setup.home),
        counted(setup.counted),
        policies(setup.policies),
        downstream(before != nullptr && before->home == home ? before->downstream
                                                             : home->ServiceFor(deps)),
        chain(options.server_policies, *downstream) {}
  Task<Result<ReplyPtr>> Handle(Call& call) override {
    // A call of the gateway's own, such as a listen: it holds this route until it is over.
    if (call.target.policies == nullptr) call.target.policies = policies.get();
    const bool counts = counted && !policies::IsExempt(call.method().route, call.forsaken);
    return counts ? Counted(call) : chain.Handle(call);
  }
  Task<Result<ReplyPtr>> Counted(Call& call) {
    Home::InFlight in_flight(home);
    Result<ReplyPtr> reply = co_await chain.Handle(call);
    if (!reply) co_return reply;
    ReplyPtr held = HoldUntilEnd(std::move(*reply), std::move(in_flight));
    co_return held;
  }

  std::shared_ptr<Home> home;
  bool counted;
  std::shared_ptr<const PolicySet> policies;
  std::shared_ptr<Service> downstream;  // as long as the home stays, with its connections and ids
  Chain chain;
};

// One endpoint: the target is found first, so that every policy can see it; then the policies of
// stage watch; then the target is as its caller sees it; then the policies of stage call; then the
// router. Stays the same across reloads, for channels that hold it.
class Worker::EndpointService final : public Service {
 public:
  EndpointService(const Options& options, std::shared_ptr<catalog::Router> router)
      : router_(std::move(router)),
        calls_(options.call_policies, *router_),
        hiding_(*router_, calls_),
        watchers_(options.watch_policies, hiding_) {}

  Task<Result<ReplyPtr>> Handle(Call& call) override {
    router_->Resolve(call);
    return watchers_.Handle(call);
  }

  const std::shared_ptr<catalog::Router>& router() const { return router_; }

 private:
  std::shared_ptr<catalog::Router> router_;
  Chain calls_;
  catalog::Hiding hiding_;
  Chain watchers_;
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
      sessions_(*options_.session_sealer, *options_.clock, SessionOptions(),
                [this](std::function<void(edge::Sessions&)> run) { Broadcast(run); }),
      refusals_(*options_.metrics),
      endpoint_(
          {}, [this](std::string_view name) { return FindEndpoint(name); }, options_.plain,
          sessions_, [this](std::string_view name) { return FindGate(name); }, options_.audit,
          options_.lent),
      listener_(deps_, options_.listener,
                {.serve =
                     [this](edge::Exchange& exchange, edge::Connection& connection) {
                       return endpoint_.Serve(exchange, connection);
                     },
                 .move = [this](unsigned to, edge::Handover at) { Move(to, std::move(at)); },
                 .before_body =
                     [this](edge::Exchange& exchange) { return endpoint_.BeforeBody(exchange); },
                 .refusals = &refusals_}) {}

edge::Sessions::Options Worker::SessionOptions() {
  edge::Sessions::Options options = options_.sessions;
  options.tasks = options_.tasks;
  options.timers = &timers_;
  options.worker = options_.index;
  options.workers = options_.workers;
  return options;
}

void Worker::Broadcast(const std::function<void(edge::Sessions&)>& run) {
  for (unsigned i = 0; i < options_.workers; ++i) {
    if (i == options_.index) continue;
    Worker& other = options_.peer(i);
    other.Post([&other, run] { run(other.sessions()); });
  }
}

void Worker::Move(unsigned to, edge::Handover connection) {
  Worker& other = options_.peer(to);
  net::post(other.context_, [&other, moved = std::move(connection)]() mutable {
    other.listener_.Adopt(std::move(moved));
  });
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
  endpoint_.Tick();
  Count();
  if (options_.housekeeping) options_.housekeeping(options_.clock->Now());
  if (const TimePoint now = options_.clock->Now(); now - swept_ >= kSweep) {
    swept_ = now;
    sessions_.Tick();
  }
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
  SetGates();
  listener_.SetTls(setup_->tls);
  const std::set<std::string, std::less<>> replaced = ReplacedServers();
  const auto before = std::exchange(servers_, {});
  for (const auto& [name, server] : setup_->servers) {
    const auto known = before.find(name);
    servers_[name] = std::make_shared<ServerRoute>(
        server, known != before.end() ? known->second.get() : nullptr, options_, deps_);
  }
  std::map<std::string, std::shared_ptr<EndpointService>, std::less<>> endpoints;
  const auto find_server = [this](std::string_view server) -> std::shared_ptr<Service> {
    const auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : found->second;
  };
  for (const std::string& name : setup_->endpoints) {
    // One that stays keeps its listeners; what changed is told to them by Publish().
    if (const auto known = endpoints_.find(name); known != endpoints_.end()) {
      endpoints[name] = known->second;
      continue;
    }
    endpoints[name] = std::make_shared<EndpointService>(
        options_,
        std::make_shared<catalog::Router>(
            setup_->catalogs.at(name), find_server, deps_,
            std::make_unique<catalog::TaskRoutes>(*options_.task_sealer, deps_, find_server),
            catalog::Choosing{.load = [this](std::string_view server) -> std::size_t {
                                const auto found = servers_.find(server);
                                return found == servers_.end() ? 0 : found->second->home->calls();
                              },
                              .outage = options_.outage,
                              .sealer = options_.session_sealer,
                              .state_within = options_.state_within},
            options_.sight));
  }
  for (const auto& [name, endpoint] : endpoints_) {
    if (!endpoints.contains(name)) endpoint->router()->EndListens();
  }
  endpoints_ = std::move(endpoints);
  for (const auto& [name, endpoint] : endpoints_) endpoint->router()->Replaced(replaced);
  Publish(setup_->catalogs);
}

// What was proved is forgotten with what proved it.
void Worker::SetGates() {
  gates_.clear();
  for (const auto& [name, authenticator] : setup_->authenticators) {
    const std::string path = config::PathOfEndpoint(name);
    gates_.emplace(name, std::make_shared<auth::Gate>(authenticator, path, *options_.metrics));
  }
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

std::shared_ptr<auth::Gate> Worker::FindGate(std::string_view name) const {
  const auto found = gates_.find(name);
  return found == gates_.end() ? nullptr : found->second;
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
    net::post(context_, [this] {
      timers_.Disarm();
      DisarmTimersOf(context_.get_executor());
    });
  });
  // What was cancelled unwinds and the loop runs dry; it ends even if something hangs.
  if (ended_.get_future().wait_for(kUnwind) != std::future_status::ready) {
    spdlog::warn("worker {}: something did not end in time and is cut off", options_.index);
    context_.stop();
  }
  thread_.join();
}

}  // namespace switchyard
