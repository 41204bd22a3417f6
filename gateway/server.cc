#include "server.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "admin/health.h"
#include "admin/metrics_endpoint.h"
#include "base/mailbox.h"
#include "catalog/hub.h"
#include "downstream/launcher.h"
#include "edge/stdio_server.h"
#include "home.h"
#include "policies/registry.h"
#include "server_config.h"
#include "telemetry/call_log.h"
#include "telemetry/metrics.h"
#include "worker.h"

namespace switchyard {
namespace {

constexpr std::size_t kMaxStdioLine = 16 * 1024 * 1024;

std::optional<edge::PlainAnswer> AnswerOf(admin::Page page) {
  return edge::PlainAnswer{.status = page.status,
                           .content_type = std::move(page.content_type),
                           .body = std::move(page.body)};
}

}  // namespace

struct Server::Impl {
  explicit Impl(Options given)
      : options(std::move(given)),
        session_sealer(Sealer::RandomKey()),
        tasks(*options.clock),
        launcher({.own_binary = options.own_binary,
                  .environment = downstream::Launcher::ProcessEnvironment()}),
        parking(ParkingLimitsOf(options.config)),
        control_work(net::make_work_guard(control)),
        control_timers(control, *options.clock),
        hub(control.get_executor(), control_timers,
            {.page_size = options.config.page_size, .cursor_key = Sealer::RandomKey()},
            [this](catalog::Catalogs published) { Publish(std::move(published)); }) {
    metrics.ReadParkedCallsFrom([this] { return parking.count(); });
    if (options.log == nullptr) return;
    call_log.emplace(options.log->lines(), options.log->format());
    metrics.ReadDroppedLinesFrom([&lines = options.log->lines()] { return lines.dropped(); });
  }

  void StartThreads();
  void OnControl(std::function<void()> function);
  void Configure();
  std::shared_ptr<const Setup> MakeSetup();
  Setup::Policies PoliciesOf(Stage stage, const std::string& name,
                             const config::PolicySettings& own);
  std::shared_ptr<Home> HomeOf(const config::Server& server);
  void Publish(catalog::Catalogs catalogs);
  void Announce();
  Result<void> Listen();
  void Drain(Duration grace);
  void CloseHomes();
  Task<std::optional<edge::PlainAnswer>> Plain(std::string path, Executor worker);

  Options options;
  telemetry::Metrics metrics;
  std::optional<telemetry::CallLog> call_log;
  const Sealer session_sealer;
  edge::TaskBoard tasks;  // of legacy clients
  downstream::Launcher launcher;
  downstream::Parking parking;
  net::io_context control{1};
  net::executor_work_guard<Executor> control_work;
  Timers control_timers;
  catalog::Hub hub;
  std::vector<std::unique_ptr<Worker>> workers;
  std::thread control_thread;
  std::shared_ptr<edge::StdioServer> stdio;  // used on the first worker's thread only

  std::mutex turns;                                    // Start, Reload, Stop
  std::map<std::string, std::shared_ptr<Home>> homes;  // guarded by turns
  std::uint16_t port = 0;
  bool started = false;

  std::condition_variable state_changed;
  std::mutex state_mutex;  // guards what follows
  bool settled = false;
  bool was_settled = false;
  catalog::Catalogs catalogs;
  std::map<std::string, ServerStatus> status;
  std::set<std::string> ever_up;
};

Server::Server(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() { Stop(); }

void Server::Impl::StartThreads() {
  const unsigned count = WorkersOf(options.config.listen, options.workers);
  const auto connections = std::max<std::size_t>(1, options.config.listen.max_connections / count);
  const edge::ConnectionLimits limits{.max_body = options.config.listen.max_body};
  const edge::Sessions::Options sessions = SessionsOf(options.config.sessions);
  for (unsigned i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(
        Worker::Options{.index = i,
                        .workers = count,
                        .clock = options.clock,
                        .session_sealer = &session_sealer,
                        .tasks = &tasks,
                        .metrics = &metrics,
                        .listener = {.max_connections = connections, .limits = limits},
                        .sessions = sessions,
                        .broadcast =
                            [this, i](std::function<void(edge::Sessions&)> run) {
                              for (const auto& other : workers) {
                                if (other == workers[i]) continue;
                                other->Post([&other, run] { run(other->sessions()); });
                              }
                            },
                        .plain =
                            [this, i](std::string path) {
                              return Plain(std::move(path), workers[i]->deps().executor());
                            }}));
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
      downstream::Surroundings{.launcher = &launcher, .parking = &parking},
      [this, name = server.name](std::shared_ptr<const std::atomic<bool>> current,
                                 std::shared_ptr<const catalog::Inventory> inventory,
                                 std::string reason) {
        hub.Report(name, std::move(inventory), std::move(reason), std::move(current));
      });
}

Setup::Policies Server::Impl::PoliciesOf(Stage stage, const std::string& name,
                                         const config::PolicySettings& own) {
  const bool lines = call_log.has_value() && options.config.log.calls;
  return policies::MakeChain(stage, policies::Effective(options.config.policies, own),
                             {.name = name,
                              .clock = *options.clock,
                              .metrics = metrics,
                              .call_log = lines ? &*call_log : nullptr});
}

std::shared_ptr<const Setup> Server::Impl::MakeSetup() {
  auto setup = std::make_shared<Setup>();
  setup->access = AccessOf(options.config.listen);
  for (const auto& [name, server] : options.config.servers) {
    if (!server.enabled) continue;
    setup->servers[name] = {.home = HomeOf(server),
                            .policies = PoliciesOf(Stage::kServer, name, server.policies)};
  }
  setup->endpoints[""] = {.policies = PoliciesOf(Stage::kCall, "", {})};
  for (const auto& [name, endpoint] : options.config.endpoints) {
    setup->endpoints[name] = {.policies = PoliciesOf(Stage::kCall, name, endpoint.policies)};
  }
  return setup;
}

void Server::Impl::Configure() {
  std::shared_ptr<const Setup> setup = MakeSetup();
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
  OnControl([&] {
    hub.Configure(NamingsOf(options.config), ViewsOf(options.config), options.config.page_size,
                  forgotten);
  });
  {
    const std::lock_guard lock(state_mutex);
    std::const_pointer_cast<Setup>(setup)->catalogs = catalogs;
  }
  for (const auto& worker : workers) {
    worker->Do([&] { worker->Configure(setup); });
  }
  Announce();
  homes = std::move(next);
  for (const auto& home : fresh) home->Run();
}

void Server::Impl::Publish(catalog::Catalogs fresh) {
  {
    const std::lock_guard lock(state_mutex);
    catalogs = fresh;
  }
  const auto behind = std::make_shared<std::atomic<std::size_t>>(workers.size());
  for (const auto& worker : workers) {
    worker->Post([this, &worker = *worker, fresh, behind] {
      worker.Publish(fresh);
      if (--*behind == 0) Announce();
    });
  }
  // Who waits for this then finds the workers' queues filled: a client that comes now is served
  // from the new catalogs.
  {
    const std::lock_guard lock(state_mutex);
    settled = hub.settled();
    was_settled |= settled;
    std::map<std::string, ServerStatus> before = std::exchange(status, {});
    for (const auto& [name, state] : hub.servers()) {
      const bool up = state.inventory != nullptr;
      metrics.SetServerUp(name, up);
      if (up && !before[name].up && !ever_up.insert(name).second) metrics.CountRestart(name);
      status[name] = {.up = up, .reason = state.missing_because};
    }
  }
  state_changed.notify_all();
}

void Server::Impl::Announce() {
  for (const auto& worker : workers) {
    worker->Post([&worker = *worker] { worker.Announce(); });
  }
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
  impl_->StartThreads();
  impl_->started = true;
  if (impl_->options.listen) {
    // Listening first: clients may queue up while the servers start.
    if (Result<void> listening = impl_->Listen(); !listening) return listening;
  }
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
  const config::Listen& before = impl_->options.config.listen;
  if (config.listen.host != before.host || config.listen.port != before.port ||
      config.listen.workers != before.workers) {
    spdlog::warn("reload: listen's address and workers change only with a restart");
  }
  impl_->options.config = std::move(config);
  impl_->parking.SetLimits(ParkingLimitsOf(impl_->options.config));
  impl_->Configure();
  spdlog::info("reloaded: {} servers, {} endpoints", impl_->options.config.servers.size(),
               impl_->options.config.endpoints.size() + 1);
  return {};
}

int Server::ServeStdio(int in, int out) {
  Worker& worker = *impl_->workers.front();
  const auto done = std::make_shared<std::promise<void>>();
  worker.Do([&] {
    impl_->stdio = std::make_shared<edge::StdioServer>(worker.deps().executor(), in, out,
                                                       *worker.FindEndpoint(""), worker.sessions(),
                                                       kMaxStdioLine);
    Spawn(worker.deps().executor(), "stdio server",
          [](Impl& impl, std::shared_ptr<Service> /*in use till the end*/,
             std::shared_ptr<std::promise<void>> over) -> Task<void> {
            co_await impl.stdio->Run();
            impl.stdio = nullptr;
            over->set_value();
          }(*impl_, worker.FindEndpoint(""), done));
  });
  done->get_future().wait();
  return 0;
}

// Open listens end with their result, connections after their answer; what is left when `grace` is
// over is cut off by the workers' stop.
void Server::Impl::Drain(Duration grace) {
  const auto until = std::chrono::steady_clock::now() + grace;
  for (const auto& worker : workers) worker->Do([&] { worker->BeginDrain(); });
  Worker& first = *workers.front();
  first.Do([&] {
    if (stdio != nullptr) stdio->EndInput();
  });
  for (;;) {
    std::size_t open = 0;
    for (const auto& worker : workers) {
      worker->Do([&] {
        worker->listener().Drain();
        open += worker->connections();
      });
    }
    first.Do([&] { open += stdio != nullptr ? 1 : 0; });
    if (open == 0) return;
    if (std::chrono::steady_clock::now() >= until) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  first.Do([&] {
    if (stdio != nullptr) stdio->Abort();
  });
}

void Server::Impl::CloseHomes() {
  std::vector<std::future<void>> closed;
  for (const auto& [name, home] : homes) {
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    home->Close([done] { done->set_value(); });
  }
  // Each is bounded by itself (stdin closed, TERM, KILL).
  for (std::future<void>& one : closed) one.wait_for(std::chrono::seconds(15));
  homes.clear();
}

void Server::Stop(Duration grace) {
  const std::lock_guard turn(impl_->turns);
  if (!std::exchange(impl_->started, false)) return;
  impl_->Drain(grace);
  impl_->CloseHomes();
  for (const auto& worker : impl_->workers) worker->Stop();
  impl_->control_work.reset();
  impl_->control.stop();
  impl_->control_thread.join();
  impl_->workers.clear();
}

bool Server::WaitUntilSettled(Duration timeout) {
  std::unique_lock lock(impl_->state_mutex);
  return impl_->state_changed.wait_for(lock, timeout, [this] { return impl_->settled; });
}

std::map<std::string, Server::ServerStatus> Server::Status() {
  const std::lock_guard lock(impl_->state_mutex);
  return impl_->status;
}

Task<std::optional<edge::PlainAnswer>> Server::Impl::Plain(std::string path, Executor worker) {
  if (path == "/healthz") co_return AnswerOf(admin::HealthPage());
  if (path == "/readyz") {
    const std::lock_guard lock(state_mutex);
    std::vector<admin::ServerHealth> servers;
    servers.reserve(status.size());
    for (const auto& [name, state] : status) servers.push_back({name, state.up, state.reason});
    co_return AnswerOf(admin::ReadyPage(was_settled, servers));
  }
  if (path != "/metrics") co_return std::nullopt;
  // Making the text takes milliseconds: on the control thread, never on a worker's.
  auto text = std::make_shared<Mailbox<std::string>>();
  net::post(control, [this, worker, text] {
    net::post(worker, [text, made = metrics.Serialize()]() mutable { text->Put(std::move(made)); });
  });
  std::string made = co_await text->Take();
  co_return AnswerOf(admin::MetricsPage(std::move(made)));
}

}  // namespace switchyard
