#include "cli/serve.h"

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <spdlog/spdlog.h>

#include "cli/events.h"
#include "cli/exit.h"
#include "cli/find_config.h"
#include "cli/greeting.h"
#include "config/load.h"
#include "config/open.h"
#include "config/rules.h"
#include "policies/registry.h"
#include "server.h"
#include "server_config.h"
#include "telemetry/log.h"

namespace switchyard::cli {
namespace {

// Every connection is a descriptor; the soft limit of most systems is 1,024.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

telemetry::LogFormat FormatOf(const config::Log& log) {
  return log.format == config::LogFormat::kJson ? telemetry::LogFormat::kJson
                                                : telemetry::LogFormat::kText;
}

class Serving {
 public:
  Serving(const ServeOptions& options, std::optional<config::Address> address, std::string path)
      : options_(options), address_(std::move(address)), path_(std::move(path)) {}

  int Run() {
    Events events;  // from here on no signal is lost
    std::optional<config::Loaded> loaded = LoadWhole(path_, std::cerr);
    if (!loaded) return kFailed;
    config::Config* const config = &loaded->config;
    Override(*config);
    if (const auto open = config::OpenProblem(*config)) {
      std::cerr << loaded->expanded->Hide(*open) << "\n";
      return kFailed;
    }
    log_.emplace(std::string(config::ToString(config->log.level)), FormatOf(config->log));
    events.WatchFile(path_);
    WatchFiles(events, *config);
    RaiseDescriptorLimit();
    const bool listen = !options_.stdio || address_.has_value();
    server_ = std::make_unique<Server>(Server::Options{
        .config = *config, .workers = options_.workers, .listen = listen, .log = &*log_});
    if (Result<void> started = server_->Start(); !started) {
      std::cerr << loaded->expanded->Hide(started.error().message) << "\n";
      if (started.error().code == Code::kUnavailable) {
        std::cerr << "choose another address with --listen HOST:PORT, port 0 for any free one\n";
      }
      return kFailed;
    }
    if (listen) {
      const std::string url = UrlOf(config->listen, server_->port());
      std::cerr << Greeting(*config, url, options_.program) << std::flush;
      spdlog::info("listening on {}", url);
      WarnOfOpenDoors(*config);
    }
    std::thread stdio;
    if (options_.stdio) {
      stdio = std::thread([&events, client = server_->ServeStdio(STDIN_FILENO, STDOUT_FILENO)] {
        client.wait();
        events.Wake();
      });
    }
    WaitForTheEnd(events);
    Stop(events);
    if (stdio.joinable()) stdio.join();
    return kOk;
  }

 private:
  void Override(config::Config& config) const {
    if (!address_) return;
    config.listen.host = address_->host;
    config.listen.port = address_->port;
  }

  void WaitForTheEnd(Events& events) {
    while (events.Next() == Event::kReload) Reload(events);
  }

  static void WarnOfOpenDoors(const config::Config& config) {
    for (const std::string& open : config::OpenWarnings(config)) spdlog::warn("auth: {}", open);
    if (const std::string here = config::OpenHere(config); !here.empty()) {
      spdlog::warn("auth: {}", here);
    }
    for (const std::string& note : config::ApprovalNotes(config)) {
      spdlog::warn("approval: {}", note);
    }
  }

  // A certificate or a key that is renewed is taken like a new configuration.
  static void WatchFiles(Events& events, const config::Config& config) {
    for (const std::string& file : AuthFilesOf(config)) events.WatchFile(file);
    if (!config.listen.tls) return;
    const config::Tls& tls = *config.listen.tls;
    for (const std::string& file : {tls.certificate, tls.key, tls.client_ca}) {
      if (!file.empty()) events.WatchFile(file);
    }
  }

  void Reload(Events& events) {
    config::LoadResult loaded =
        config::Load(path_, policies::PolicyKeys(), config::ProcessEnvironment());
    const std::vector<config::Problem>& problems = loaded ? loaded->warnings : loaded.error();
    for (const config::Problem& problem : problems) {
      const bool error = problem.severity == config::Severity::kError;
      spdlog::log(error ? spdlog::level::err : spdlog::level::warn, "{}", problem.ToString());
    }
    if (!loaded) {
      spdlog::error("reload: {} is refused, the configuration before it stays", path_);
      return;
    }
    Override(loaded->config);
    WatchFiles(events, loaded->config);
    WarnOfOpenDoors(loaded->config);
    const std::string level(config::ToString(loaded->config.log.level));
    Result<void> reloaded = server_->Reload(std::move(loaded->config));
    if (!reloaded) {
      spdlog::error("reload: {}; the configuration before it stays",
                    loaded->expanded->Hide(reloaded.error().message));
      return;
    }
    log_->SetLevel(level);
  }

  void Stop(Events& events) {
    spdlog::info("stopping");
    std::atomic<bool> stopped = false;
    std::thread stopper([&] {
      server_->Stop();
      stopped = true;
      events.Wake();
    });
    while (!stopped) {
      if (events.Next() != Event::kStop) continue;
      spdlog::warn("stopped at once");
      spdlog::default_logger()->flush();
      std::_Exit(kFailed);  // the guardian ends the children
    }
    stopper.join();
  }

  const ServeOptions& options_;
  const std::optional<config::Address> address_;
  const std::string path_;
  std::optional<telemetry::Log> log_;
  std::unique_ptr<Server> server_;
};

}  // namespace

int RunServe(const ServeOptions& options) {
  const std::optional<std::string> path = FindConfig(options.config);
  if (!path) {
    std::cerr << ConfigLesson();
    return kUsage;
  }
  std::optional<config::Address> address;
  if (!options.listen.empty()) {
    auto parsed = config::ParseAddress(config::Secret(options.listen, options.listen));
    if (!parsed) {
      std::cerr << "--listen: " << parsed.error() << "\n";
      return kUsage;
    }
    address = std::move(*parsed);
  }
  Serving serving(options, std::move(address), *path);
  return serving.Run();
}

}  // namespace switchyard::cli
