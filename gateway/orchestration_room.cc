#include "orchestration_room.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <string>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/key_ring.h"
#include "orchestration/planning/chat.h"
#include "orchestration/planning/sampling.h"
#include "orchestration/schema.h"
#include "orchestration/service.h"
#include "orchestration/size.h"
#include "store/sqlite_database.h"
#include "telemetry/metrics.h"

namespace switchyard {
namespace {

constexpr const char* kFile = "/orchestration.db";

std::int64_t Thousandths(double share) { return std::llround(share * 1000); }

std::shared_ptr<const orchestration::Roles> RolesOf(const config::Orchestration& config) {
  using orchestration::Right;
  if (config.roles.empty()) return nullptr;
  auto roles = std::make_shared<orchestration::Roles>();
  for (std::size_t right = 0; right < orchestration::kRights; ++right) {
    const auto said = config.roles.find(std::string(ToString(static_cast<Right>(right))));
    if (said != config.roles.end()) roles->of[right] = said->second;
  }
  return roles;
}

// Of confidential messages; null where there are none.
Result<std::shared_ptr<const KeyRing>> KeysOf(const config::Orchestration& config) {
  if (config.keys.empty()) return nullptr;
  Result<KeyRing> keys = KeyRing::Read("orchestration.keys", config.keys);
  if (!keys) return Failure(std::move(keys.error()));
  return std::make_shared<const KeyRing>(std::move(*keys));
}

// Null where no model is asked.
std::shared_ptr<const orchestration::Planners> PlannersOf(
    const config::Orchestration::Planner& config, fetch::Fetcher& fetcher, const Clock& clock,
    telemetry::Metrics& metrics) {
  if (!config.on()) return nullptr;
  orchestration::Planners::Options options{
      .timeout = config.timeout, .max_parts = config.max_parts, .concurrency = config.concurrency};
  if (config.sampling) {
    options.planners.push_back(std::make_unique<const orchestration::SamplingPlanner>());
  }
  if (!config.url.empty()) {
    options.planners.push_back(std::make_unique<const orchestration::ChatPlanner>(
        orchestration::ChatPlanner::Options{
            .url = config.url, .model = config.model, .key = config.key},
        fetcher, clock, metrics));
  }
  return std::make_shared<const orchestration::Planners>(std::move(options), clock, metrics);
}

// Rules that go by what agents can do know it before there is the first call: what the desk asked
// of the database is answered by then. Where no rule does, nobody waits for the file to be checked.
Result<void> WaitForWhatRulesGoBy(const config::Orchestration& config, Database& database) {
  if (!config.roles.contains(std::string(ToString(orchestration::Right::kVouch)))) return {};
  const auto done = std::make_shared<std::promise<Result<void>>>();
  database.Submit([](Database::Transaction&) { return Result<void>(); },
                  [done](Result<void> kept) { done->set_value(std::move(kept)); });
  return done->get_future().get();
}

Error Refusal(Error why) {
  Error error = std::move(why).In("orchestration");
  error.code = Code::kInvalid;
  return error;
}

}  // namespace

Result<orchestration::Settings> OrchestrationRoom::SettingsOf(const config::Orchestration& config,
                                                              fetch::Fetcher& fetcher) const {
  Result<std::shared_ptr<const KeyRing>> keys = KeysOf(config);
  if (!keys) return Failure(std::move(keys.error()));
  const auto milliseconds = [](Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  };
  const config::Orchestration::Health& health = config.health;
  return orchestration::Settings{
      .lease_ms = milliseconds(config.lease),
      .retain_ms = milliseconds(config.retain),
      .away_ms = milliseconds(config.away_after),
      .max_tasks = config.max_tasks,
      .max_bytes = static_cast<std::int64_t>(config.max_bytes),
      .health = {.least_success = Thousandths(health.least_success),
                 .most_active = health.most_active,
                 .least_agent_success = Thousandths(health.least_agent_success),
                 .least_routed = Thousandths(health.least_routed)},
      .roles = RolesOf(config),
      .responsive_ms = milliseconds(config.responsive_within),
      .most_messages = static_cast<std::int64_t>(config.messages.limit),
      .message_window_ms = milliseconds(config.messages.window),
      .retain_messages_ms = milliseconds(config.messages.retain),
      .max_message_bytes = static_cast<std::int64_t>(config.messages.max_bytes),
      .keys = std::move(*keys),
      .planners = PlannersOf(config.planner, fetcher, clock_, metrics_)};
}

OrchestrationRoom::OrchestrationRoom(const Clock& clock, telemetry::Metrics& metrics,
                                     std::function<void()> agents_changed)
    : clock_(clock), metrics_(metrics), agents_(std::move(agents_changed)) {}

OrchestrationRoom::~OrchestrationRoom() { Close(); }

std::shared_ptr<orchestration::Desk> OrchestrationRoom::desk() const {
  const std::lock_guard lock(mutex_);
  return desk_;
}

void OrchestrationRoom::Configure(const config::Config& config, fetch::Fetcher& fetcher) const {
  if (!config.orchestration.enabled) {
    agents_.Trust({});
    return;
  }
  const auto known = desk();
  Result<orchestration::Settings> settings = SettingsOf(config.orchestration, fetcher);
  if (known == nullptr || !settings) return;
  database_->Bound(orchestration::HardBound(settings->max_bytes));
  known->Change(std::move(*settings));
}

Result<void> OrchestrationRoom::Open(const config::Config& config, fetch::Fetcher& fetcher) {
  if (!config.orchestration.enabled) return {};
  Result<orchestration::Settings> settings = SettingsOf(config.orchestration, fetcher);
  if (!settings) return Failure(std::move(settings.error()));
  if (desk() != nullptr) {
    Result<void> known = WaitForWhatRulesGoBy(config.orchestration, *database_);
    return known ? Result<void>() : Failure(Refusal(std::move(known.error())));
  }
  store::SqliteDatabase::Options options{
      .most_bytes = orchestration::HardBound(settings->max_bytes), .checks_beside = true};
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
  options.on_failing = [failing = metrics_.GaugeOf("switchyard_orchestration_failing", {})](
                           bool now) { failing->Set(now ? 1 : 0); };
  auto database = store::SqliteDatabase::Open(std::move(options), orchestration::Schema());
  if (!database) return Failure(Refusal(std::move(database.error())));
  database_ = std::move(*database);
  const auto desk = std::make_shared<orchestration::Desk>(*database_, clock_, metrics_,
                                                          std::move(*settings), &agents_);
  if (Result<void> known = WaitForWhatRulesGoBy(config.orchestration, *database_); !known) {
    return Failure(Refusal(std::move(known.error())));
  }
  const std::lock_guard lock(mutex_);
  desk_ = desk;
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
  const auto known = desk();
  if (known == nullptr || !database_->ready()) return;
  known->Tick();
  database_->TryAgain();
}

std::optional<config::Problem> OrchestrationProblem(const config::Config& config) {
  if (config.orchestration.enabled) {
    if (const auto keys = KeysOf(config.orchestration); !keys) {
      return config::Problem{
          .file = {}, .at = {}, .path = "orchestration", .message = keys.error().message};
    }
  }
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
