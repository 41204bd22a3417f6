#include "server.h"

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "approvals/desk.h"
#include "audit/log.h"
#include "catalog/hub.h"
#include "credential_keeper.h"
#include "downstream/launcher.h"
#include "home.h"
#include "orchestration_room.h"
#include "outside.h"
#include "own_fetches.h"
#include "pin_keeper.h"
#include "plain_pages.h"
#include "policies/lib/states.h"
#include "policies/registry.h"
#include "policy_store.h"
#include "policy_table.h"
#include "readiness.h"
#include "reload_record.h"
#include "server_config.h"
#include "stdio_face.h"
#include "task_key.h"
#include "telemetry/call_log.h"
#include "telemetry/metrics.h"
#include "worker.h"

namespace switchyard {
struct Server::Impl {
  explicit Impl(Options given)
      : options(std::move(given)),
        audit_log(*options.clock, metrics),
        desk(*options.clock, metrics, &audit_log),
        policy_store(options.config.state, *options.clock),
        orchestration(*options.clock, metrics, [this] { hub.SightsChanged(); }),
        session_sealer(Sealer::RandomKey()),
        tasks(*options.clock),
        launcher({.own_binary = options.own_binary,
                  .environment = downstream::Launcher::ProcessEnvironment()}),
        parking(ParkingLimitsOf(options.config)),
        control_work(net::make_work_guard(control)),
        control_timers(control, *options.clock),
        fetches(control.get_executor(), control_timers, metrics),
        credentials(control.get_executor(), *options.clock, metrics, &Fetcher(), &audit_log),
        pins(control.get_executor(), control_timers, metrics, &audit_log,
             [this] { hub.JudgeAgain(); }),
        hub(control.get_executor(), control_timers,
            {.page_size = options.config.page_size,
             .cursor_key = Sealer::RandomKey(),
             .outage = std::bind_front(policies::OutageOf, std::cref(policies)),
             .stand_in = std::bind_front(policies::StandsIn, std::cref(policies)),
             .judge = std::bind_front(&PinKeeper::Judge, &pins),
             .sights = std::bind_front(&AgentDirectory::wanted_version, &orchestration.agents())},
            [this](catalog::Catalogs published) { Publish(std::move(published)); }),
        connect(control.get_executor(), credentials),
        plain(control.get_executor(), metrics, readiness, desk, connect) {
    if (options.log != nullptr) call_log.emplace(options.log->lines(), options.log->format());
    policies = policies::MakePolicies({.clock = *options.clock,
                                       .metrics = metrics,
                                       .call_log = call_log ? &*call_log : nullptr,
                                       .store = &policy_store.store(),
                                       .states = &states,
                                       .sealer = &session_sealer,
                                       .audit = &audit_log,
                                       .fetcher = &fetches.fetcher(),
                                       .approvals = &desk,
                                       .agents = &orchestration.agents(),
                                       .accounts = &credentials.accounts(),
                                       .outages_changed = [this] { hub.OutagesChanged(); }});
    metrics.ReadParkedCallsFrom([this] { return parking.count(); });
    policy_store.ReportTo(metrics);
    if (options.log == nullptr) return;
    metrics.ReadDroppedLinesFrom([&lines = options.log->lines()] { return lines.dropped(); });
  }

  void StartThreads();
  void OnControl(std::function<void()> function);
  void Configure();
  std::shared_ptr<const Setup> MakeSetup(const PolicyTable& table);
  std::shared_ptr<Home> HomeOf(const config::Server& server);
  void Publish(catalog::Catalogs catalogs);
  void Announce(std::uint64_t published);
  Result<void> Listen();
  void Drain(Duration grace);
  // Of what is asked beside servers; tests have their own.
  fetch::Fetcher& Fetcher() { return options.fetcher ? *options.fetcher : fetches.fetcher(); }
  void KeepHouse(TimePoint now) {
    policy_store.Sweep(now);
    desk.Sweep();
    orchestration.Tick();
  }

  Options options;
  telemetry::Metrics metrics;
  std::optional<telemetry::CallLog> call_log;
  audit::Log audit_log;
  approvals::Desk desk;
  PolicyStore policy_store;
  OrchestrationRoom orchestration;
  policies::States states;
  policies::Policies policies;  // outlive every call
  const Sealer session_sealer;
  TaskKey task_key;
  edge::TaskBoard tasks;  // of legacy clients
  downstream::Launcher launcher;
  downstream::Parking parking;
  net::io_context control{1};
  net::executor_work_guard<Executor> control_work;
  Timers control_timers;
  OwnFetches fetches;
  CredentialKeeper credentials;
  PinKeeper pins;
  catalog::Hub hub;
  catalog::Catalogs catalogs;      // as published last; of the control thread
  std::uint64_t publications = 0;  // so far; of the control thread
  Readiness readiness;
  ConnectPages connect;
  PlainPages plain;
  std::shared_ptr<edge::Quota> connections;  // of all workers
  Outside outside;
  std::vector<std::unique_ptr<Worker>> workers;
  std::thread control_thread;
  StdioFace stdio;  // of the first worker

  std::mutex turns;                                    // Start, Reload, ServeStdio, Stop
  std::map<std::string, std::shared_ptr<Home>> homes;  // guarded by turns
  std::uint16_t port = 0;
  bool started = false;
};

Server::Server(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() { Stop(); }

void Server::Impl::StartThreads() {
  const unsigned count = WorkersOf(options.config.listen, options.workers);
  const edge::ConnectionLimits limits{.max_body = options.config.listen.max_body};
  const edge::Sessions::Options sessions = SessionsOf(options.config.sessions);
  connections = edge::Quota::Make({.total = options.config.listen.max_connections});
  for (unsigned i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(Worker::Options{
        .index = i,
        .workers = count,
        .peer = [this](unsigned other) -> Worker& { return *workers[other]; },
        .clock = options.clock,
        .session_sealer = &session_sealer,
        .task_sealer = &task_key.sealer(),
        .tasks = &tasks,
        .metrics = &metrics,
        .audit = &audit_log,
        .lent = &credentials.lent(),
        .listener = {.places = connections, .limits = limits},
        .sessions = sessions,
        .plain =
            [this, i](edge::PlainRequest request) {
              return plain.Answer(std::move(request), workers[i]->deps().executor());
            },
        .housekeeping =
            i != 0 ? std::function<void(TimePoint)>() : [this](TimePoint now) { KeepHouse(now); },
        .outage = std::bind_front(policies::OutageOf, std::cref(policies)),
        .state_within = std::bind_front(policies::StateWithin, std::cref(policies)),
        .sight = policies::SightsOf(policies),
        .watch_policies = policies::ChainOf(Stage::kWatch, policies),
        .call_policies = policies::ChainOf(Stage::kCall, policies),
        .server_policies = policies::ChainOf(Stage::kServer, policies)}));
  }
  for (const auto& worker : workers) worker->Start();
  control_thread = std::thread([this] { control.run(); });
}

void Server::Impl::OnControl(std::function<void()> function) {
  const auto done = std::make_shared<std::promise<void>>();  // outlives the waiter, see Worker::Do
  net::post(control, [&function, done] {
    function();
    done->set_value();
  });
  done->get_future().wait();
}

// A server that did not change keeps its process and connections.
std::shared_ptr<Home> Server::Impl::HomeOf(const config::Server& server) {
  const auto known = homes.find(server.name);
  if (known != homes.end() && known->second->Serves(server)) return known->second;
  const std::size_t home = std::hash<std::string>{}(server.name) % workers.size();
  return std::make_shared<Home>(
      server, workers[home]->deps(),
      downstream::Surroundings{
          .launcher = &launcher, .parking = &parking, .source = credentials.SourceFor(server)},
      [this, name = server.name, last = std::shared_ptr<const catalog::Inventory>()](
          std::shared_ptr<const std::atomic<bool>> current,
          std::shared_ptr<const catalog::Inventory> inventory, std::string reason) mutable {
        if (inventory != nullptr && (last == nullptr || !SameLists(*last, *inventory))) {
          last = inventory;
          for (const auto& policy : policies) policy->ServerListed(name);
        }
        hub.Report(name, std::move(inventory), std::move(reason), std::move(current));
      },
      orchestration.FaceOf(server));
}

std::shared_ptr<const Setup> Server::Impl::MakeSetup(const PolicyTable& table) {
  auto setup = std::make_shared<Setup>();
  setup->access = AccessOf(options.config, port);
  setup->access.gated = !outside.authenticators.empty();
  setup->access.trust = outside.tls == nullptr ? 0 : outside.tls->trust();
  setup->authenticators = outside.authenticators;
  setup->tls = outside.tls;
  for (const auto& [name, server] : options.config.servers) {
    if (!server.enabled) continue;
    setup->servers[name] = {.home = HomeOf(server),
                            .policies = table.For({.endpoint = "", .server = name}),
                            .counted = IsChosenByLoad(options.config, name)};
  }
  setup->endpoints.insert("");
  for (const auto& [name, endpoint] : options.config.endpoints) setup->endpoints.insert(name);
  return setup;
}

void Server::Impl::Configure() {
  // Bound while what the table before it gave out is still in use: gates and the like live on.
  desk.SetLimits(ApprovalLimitsOf(options.config));
  desk.BeginRules();
  const auto table =
      std::make_shared<const PolicyTable>(options.config, policies::PolicyKeys(), policies);
  desk.EndRules();
  plain.Configure(options.config);
  if (call_log) call_log->Switch(options.config.log.calls);
  std::shared_ptr<const Setup> setup = MakeSetup(*table);
  std::map<std::string, std::shared_ptr<Home>> next;
  std::vector<std::shared_ptr<Home>> fresh;
  std::vector<std::string> forgotten;  // what was heard of those names before
  for (const auto& [name, server] : setup->servers) {
    next[name] = server.home;
    const auto known = homes.find(name);
    if (known != homes.end() && known->second == server.home) continue;
    fresh.push_back(server.home);
    forgotten.push_back(name);
  }
  for (const auto& [name, home] : homes) {
    const auto kept = next.find(name);
    if (kept == next.end() || kept->second != home) home->Retire();
    if (kept == next.end()) metrics.ForgetServer(name);
  }
  std::uint64_t published = 0;
  OnControl([&] {
    fetches.Use(outside.fetch);
    credentials.login().Use(outside.logins);
    credentials.links().SetBase(options.listen ? BaseOf(options.config, port) : "");
    pins.Configure(options.config);
    hub.Configure(
        NamingsOf(options.config), ViewsOf(options.config), options.config.page_size, forgotten,
        [table](const PolicyPlace& place) { return table->For(place); },
        policies::ToolsOf(policies));
    std::const_pointer_cast<Setup>(setup)->catalogs = catalogs;
    published = publications;
  });
  for (const auto& worker : workers) worker->Do([&] { worker->Configure(setup); });
  OnControl([&] { Announce(published); });
  homes = std::move(next);
  for (const auto& home : fresh) home->Run();
  desk.SendBack();
}

void Server::Impl::Publish(catalog::Catalogs fresh) {
  catalogs = fresh;
  const auto behind = std::make_shared<std::atomic<std::size_t>>(workers.size());
  ++publications;
  for (const auto& worker : workers) {
    worker->Post([this, &worker = *worker, fresh, behind, mine = publications] {
      worker.Publish(fresh);
      if (--*behind == 0) net::post(control, [this, mine] { Announce(mine); });
    });
  }
  // After the posts: who waits for this finds all workers about to serve the new catalogs.
  readiness.Note(hub, metrics);
}

// Of what is on its way to the workers nobody may hear: who is told asks at once, and may ask one
// that has it not. A later publication tells of the earlier ones, too.
void Server::Impl::Announce(std::uint64_t published) {
  if (published != publications) return;
  for (const auto& worker : workers) worker->Post([&worker = *worker] { worker.Announce(); });
}

Result<void> Server::Impl::Listen() {
  const config::Listen& listen = options.config.listen;
  port = listen.port;
  for (const auto& worker : workers) {
    Result<std::uint16_t> bound;
    worker->Do([&] { bound = worker->Listen(listen.host, port); });
    if (!bound) return Failure(std::move(bound.error()));
    port = *bound;
  }
  return {};
}

Result<void> Server::Start() {
  const std::lock_guard turn(impl_->turns);
  if (Result<void> on = impl_->policy_store.Open(impl_->metrics, impl_->desk); !on) return on;
  const config::Config& config = impl_->options.config;
  if (Result<void> on = impl_->credentials.Open(config); !on) return on;
  if (Result<void> on = impl_->orchestration.Open(config, impl_->Fetcher()); !on) return on;
  if (Result<void> on = StartAudit(impl_->audit_log, *impl_->options.clock, config); !on) return on;
  if (Result<void> on = impl_->task_key.Open(impl_->options.config.state.dir); !on) return on;
  impl_->StartThreads();
  impl_->started = true;
  if (impl_->options.listen) {
    // Listening first: clients may queue up while the servers start.
    if (Result<void> listening = impl_->Listen(); !listening) return listening;
  }
  Result<Outside> outside = impl_->fetches.Read(impl_->options.config, impl_->port);
  if (!outside) return Failure(std::move(outside.error()));
  impl_->outside = std::move(*outside);
  impl_->Configure();
  if (!impl_->options.listen) return {};
  for (const auto& worker : impl_->workers) {
    worker->Do([&] { worker->listener().StartAccepting(); });
  }
  return {};
}

std::uint16_t Server::port() const { return impl_->port; }

Result<void> Server::Reload(config::Config config) {
  const std::lock_guard turn(impl_->turns);
  KeepWhatRuns(config, impl_->options.config);
  Result<Outside> outside = impl_->fetches.Read(config, impl_->port);
  if (!outside) return Failure(std::move(outside.error()));
  // Before anything changes, for this may fail.
  Result<void> on = impl_->orchestration.Open(config, impl_->Fetcher());
  if (!on) return on;
  impl_->OnControl([&] { on = impl_->credentials.Open(config); });
  const Clock& clock = *impl_->options.clock;
  if (on) on = SwitchAudit(impl_->audit_log, clock, impl_->options.config, config);
  if (!on) return on;
  impl_->outside = std::move(*outside);
  impl_->policy_store.Keep(config.state);
  impl_->orchestration.Configure(config, impl_->Fetcher());
  const config::Config before = std::exchange(impl_->options.config, std::move(config));
  impl_->parking.SetLimits(ParkingLimitsOf(impl_->options.config));
  impl_->Configure();
  TellReload(impl_->audit_log, clock, before, impl_->options.config);
  return {};
}

std::future<void> Server::ServeStdio(int in, int out) {
  const std::lock_guard turn(impl_->turns);  // a stop comes before this or finds it open
  if (!impl_->started) return StdioFace::Refuse(in, out);
  return impl_->stdio.Serve(*impl_->workers.front(), impl_->readiness, in, out);
}

// Listens end with their result, connections after their answer; the rest with the workers' stop.
void Server::Impl::Drain(Duration grace) {
  const auto until = std::chrono::steady_clock::now() + grace;
  for (const auto& worker : workers) worker->Do([&] { worker->BeginDrain(); });
  desk.LetGo();
  orchestration.EndWaits();
  Worker& first = *workers.front();
  stdio.End(first);
  for (;;) {
    for (const auto& worker : workers) worker->Do([&] { worker->listener().Drain(); });
    const bool held = connections->held() > 0;  // also by those on their way between workers
    if (!held && !stdio.IsOpen(first)) return;
    if (std::chrono::steady_clock::now() >= until) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stdio.Abort(first);
}

void Server::Stop(Duration grace) {
  const std::lock_guard turn(impl_->turns);
  if (!std::exchange(impl_->started, false)) return;
  impl_->Drain(grace);
  CloseAll(std::exchange(impl_->homes, {}));
  impl_->orchestration.Close();
  for (const auto& worker : impl_->workers) worker->Stop();
  impl_->OnControl([this] { impl_->pins.Close(); });
  impl_->control_work.reset();
  impl_->control.stop();
  impl_->control_thread.join();
  impl_->workers.clear();
  impl_->desk.Close();
  impl_->audit_log.Close();
  impl_->policy_store.Close();
}

bool Server::WaitUntilSettled(Duration timeout) {
  return impl_->readiness.WaitUntilSettled(timeout);
}

}  // namespace switchyard
