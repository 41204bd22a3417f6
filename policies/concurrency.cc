// concurrency: {max_in_flight: 64, queue: 256, queue_timeout: 5s}
//
// Caps the attempts in flight at one server, over all workers; set for some of its tools, or at an
// endpoint, at those tools or of that endpoint at each server. A slot is held until the last
// message of the reply. Who finds no slot waits in a bounded queue; who finds no place there, or
// waits too long, is told at once which server is busy and when to come back. Streams that are
// meant to last (subscriptions/listen) and notifications take no slot. max_in_flight 0 = no cap.
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/section.h"
#include "policies/lib/exempt.h"
#include "policies/lib/gate.h"
#include "policies/lib/settings.h"
#include "policies/lib/states.h"
#include "policies/registry.h"
#include "telemetry/gauge.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::concurrency {
namespace {

struct Config {
  std::size_t max_in_flight = 64;
  std::size_t queue = 256;
  Duration queue_timeout = std::chrono::seconds(5);
};

enum class Reason : std::uint8_t { kQueueFull, kTimedOut, kDeadline };
constexpr std::array<const char*, 3> kReasons = {"queue_full", "timed_out", "deadline"};

using GaugePtr = std::shared_ptr<switchyard::telemetry::Gauge>;

// Seen in a gauge for as long as it lives.
class Seen {
 public:
  explicit Seen(GaugePtr gauge) : gauge_(std::move(gauge)) { gauge_->Add(1); }
  Seen(Seen&&) noexcept = default;
  Seen& operator=(Seen&&) = delete;
  ~Seen() {
    if (gauge_ != nullptr) gauge_->Add(-1);
  }

 private:
  GaugePtr gauge_;
};

struct Slot {
  Gate::Permit permit;
  Seen seen;
};

// What the calls of one scope go by, and the gate that they share. No gate: no cap.
struct Capped {
  Config config;
  std::string whose = "";
  std::shared_ptr<Gate> gate = nullptr;
  GaugePtr in_flight = nullptr;  // with a gate
  GaugePtr queued = nullptr;
  std::array<switchyard::telemetry::Counter*, kReasons.size()> refused{};
};

// As a label: "" = all of the server.
std::string LabelOf(const PolicyScope& scope) {
  switch (scope.level) {
    case PolicyScope::Level::kTool: return std::string(scope.glob);
    case PolicyScope::Level::kEndpoint: return "/mcp/" + std::string(scope.endpoint);
    case PolicyScope::Level::kServer:
    case PolicyScope::Level::kGlobal: break;
  }
  return "";
}

Reason ReasonOf(Gate::Refusal refusal, bool out_of_time) {
  if (refusal == Gate::Refusal::kQueueFull) return Reason::kQueueFull;
  return out_of_time ? Reason::kDeadline : Reason::kTimedOut;
}

Error Refused(const Capped& capped, Reason reason) {
  const Config& config = capped.config;
  capped.refused[static_cast<std::size_t>(reason)]->Add();
  Error error{.code = Code::kRateLimited, .retryable = true, .message = {}};
  if (reason == Reason::kDeadline) {
    error.code = Code::kDeadline;
    error.message = fmt::format("{}: out of time while {} calls were in flight", capped.whose,
                                config.max_in_flight);
    return error;
  }
  const std::string retry = ShortDuration(config.queue_timeout);
  error.message = reason == Reason::kQueueFull
                      ? fmt::format("{}: busy with {} calls and {} waiting, try again in {}",
                                    capped.whose, config.max_in_flight, config.queue, retry)
                      : fmt::format("{}: busy with {} calls, no slot within {}, try again in {}",
                                    capped.whose, config.max_in_flight, retry, retry);
  error.data = fmt::format(
      R"({{"retryAfterMs":{}}})",
      std::chrono::duration_cast<std::chrono::milliseconds>(config.queue_timeout).count());
  return error;
}

class Concurrency final : public Policy {
 public:
  explicit Concurrency(const PolicyDeps& deps)
      : settings_(deps), clock_(deps.clock), metrics_(deps.metrics), states_(*deps.states) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    auto capped =
        std::make_shared<Capped>(Capped{.config = ValueOrDefault<Config>(settings.get())});
    const Config& config = capped->config;
    capped->whose = scope.Words();
    if (config.max_in_flight == 0 || scope.server.empty()) return capped;
    const std::string name =
        fmt::format("concurrency {} {} {}", scope.Key(PolicyScope::Counts::kPerServer),
                    config.max_in_flight, config.queue);
    const std::vector<std::string> labels = {std::string(scope.server), LabelOf(scope)};
    capped->gate = states_.Get<Gate>(
        name, [&config] { return std::make_shared<Gate>(config.max_in_flight, config.queue); });
    capped->in_flight = metrics_.GaugeOf("switchyard_concurrency_in_flight", labels);
    capped->queued = metrics_.GaugeOf("switchyard_concurrency_queued", labels);
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
      capped->refused[i] = &metrics_.CounterOf("switchyard_concurrency_refused_total",
                                               {labels[0], labels[1], kReasons[i]});
    }
    return capped;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Capped& capped = settings_(call);
    const bool exempt = IsExempt(call.method().route, call.forsaken);
    return capped.gate == nullptr || exempt ? next.Handle(call) : Counted(call, next, capped);
  }

  bool IsOff(const PolicySet& set) const override { return settings_(set).gate == nullptr; }

 private:
  // `capped` lives as long as the call's target.
  Task<Result<ReplyPtr>> Counted(Call& call, Service& next, const Capped& capped) const {
    std::optional<Gate::Permit> permit = Gate::TryEnter(capped.gate);
    if (!permit) {
      const TimePoint own = clock_.Now() + capped.config.queue_timeout;
      const TimePoint until = std::min(own, call.deadline.at());
      std::optional<Seen> waiting(capped.queued);
      std::expected<Gate::Permit, Gate::Refusal> entry =
          co_await Gate::Enter(capped.gate, until, clock_);
      waiting.reset();
      if (!entry) co_return Failure(Refused(capped, ReasonOf(entry.error(), until < own)));
      permit.emplace(std::move(*entry));
    }
    Slot slot{.permit = std::move(*permit), .seen = Seen(capped.in_flight)};
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) co_return reply;
    ReplyPtr held = HoldUntilEnd(std::move(*reply), std::move(slot));
    co_return held;
  }

  const SettingsOf<Capped> settings_;
  const Clock& clock_;
  switchyard::telemetry::Metrics& metrics_;
  States& states_;
};

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  constexpr std::int64_t kMost = 1'000'000;
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  section.Take("max_in_flight", config->max_in_flight, 0, kMost);
  const bool queue = section.Take("queue", config->queue, 0, kMost) && config->queue > 0;
  const bool queue_timeout = section.Take("queue_timeout", config->queue_timeout);
  if (config->max_in_flight == 0 && (queue || queue_timeout)) {
    section.Error(
        queue ? "queue" : "queue_timeout",
        "max_in_flight: 0 is no limit, so nobody ever waits: take it out, or set a limit");
  }
  section.IsOnUnsaid();
  if (config->max_in_flight == 0) section.IsOff("max_in_flight: 0");
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<Concurrency>(deps);
}

}  // namespace switchyard::policies::concurrency
