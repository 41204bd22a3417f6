#include "orchestration_room.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "orchestration/schema.h"
#include "orchestration/service.h"
#include "store/sqlite_database.h"
#include "telemetry/metrics.h"

namespace switchyard {
namespace {

constexpr const char* kFile = "/orchestration.db";

orchestration::Settings SettingsOf(const config::Orchestration& config) {
  const auto milliseconds = [](Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  };
  return {.lease_ms = milliseconds(config.lease),
          .retain_ms = milliseconds(config.retain),
          .away_ms = milliseconds(config.away_after),
          .force_release = config.force_release};
}

}  // namespace

OrchestrationRoom::OrchestrationRoom(const Clock& clock, telemetry::Metrics& metrics)
    : clock_(clock), metrics_(metrics) {}

OrchestrationRoom::~OrchestrationRoom() { Close(); }

std::shared_ptr<orchestration::Desk> OrchestrationRoom::desk() const {
  const std::lock_guard lock(mutex_);
  return desk_;
}

Result<void> OrchestrationRoom::Configure(const config::Config& config) {
  if (!config.orchestration.enabled) return {};
  const orchestration::Settings settings = SettingsOf(config.orchestration);
  if (const auto known = desk()) {
    known->Change(settings);
    return {};
  }
  store::SqliteDatabase::Options options;
  if (config.state.dir.empty()) {
    spdlog::warn(
        "orchestration: tasks and agents are in memory only and gone with this process; set "
        "state.dir to keep them");
  } else {
    options.path = config.state.dir + kFile;
  }
  options.on_commit = [&transactions =
                           metrics_.CounterOf("switchyard_orchestration_transactions_total", {}),
                       &commits = metrics_.CounterOf("switchyard_orchestration_commits_total", {})](
                          std::size_t in_commit) {
    transactions.Add(in_commit);
    commits.Add();
  };
  auto database = store::SqliteDatabase::Open(std::move(options), orchestration::Schema());
  if (!database) {
    Error error = std::move(database.error()).In("orchestration");
    error.code = Code::kInvalid;
    return Failure(std::move(error));
  }
  database_ = std::move(*database);
  const std::lock_guard lock(mutex_);
  desk_ = std::make_shared<orchestration::Desk>(*database_, clock_, metrics_, settings);
  return {};
}

void OrchestrationRoom::EndWaits() const {
  if (const auto known = desk()) known->EndWaits();
}

void OrchestrationRoom::Close() {
  if (database_ != nullptr) database_->Close();
}

OrchestrationRoom::Face OrchestrationRoom::FaceOf(const config::Server& server) const {
  if (!server.builtin) return nullptr;
  return
      [this](const Deps& deps) { return std::make_shared<orchestration::Service>(desk(), deps); };
}

void OrchestrationRoom::Tick() const {
  if (const auto known = desk()) known->Tick();
}

std::optional<config::Problem> OrchestrationProblem(const config::Config& config) {
  const std::string file = config.state.dir + kFile;
  std::error_code ignored;
  if (!config.orchestration.enabled || config.state.dir.empty() ||
      !std::filesystem::exists(file, ignored)) {
    return std::nullopt;
  }
  Result<void> usable = store::SqliteDatabase::Inspect(file, orchestration::Schema());
  if (usable) return std::nullopt;
  return config::Problem{
      .file = {}, .at = {}, .path = "orchestration", .message = std::move(usable.error().message)};
}

}  // namespace switchyard
