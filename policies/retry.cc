// retry: {attempts: 3, backoff: exponential, base: 100ms, cap: 10s, jitter: 0.5, within: 0s,
//         on: [unavailable, deadline, rate_limited], idempotent: [get_*], never: [send_*],
//         trust_hints: true, trust_keys: true, budget: 0.2, budget_min: 10, budget_window: 10s}
//
// Repeats attempts at a server that failed, while nothing of the answer was delivered: those of
// which it is known that nothing ran, and the others only where a second run does no harm. Else the
// error says that the outcome is unknown. Streams that are meant to last, notifications, and calls
// that answer a server's questions (their state serves once) are never repeated.
#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/random.h"
#include "base/worker_timers.h"
#include "config/section.h"
#include "policies/lib/attempts_note.h"
#include "policies/lib/exempt.h"
#include "policies/lib/failure_data.h"
#include "policies/lib/retry_budget.h"
#include "policies/lib/retry_schedule.h"
#include "policies/lib/settings.h"
#include "policies/lib/states.h"
#include "policies/lib/tool_glob.h"
#include "policies/lib/twice.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::retry {
namespace {

constexpr std::array kClasses = {Code::kUnavailable, Code::kDeadline, Code::kRateLimited,
                                 Code::kProtocol, Code::kInternal};
constexpr std::array<std::string_view, 3> kGrowths = {"immediate", "linear", "exponential"};

struct Config {
  unsigned attempts = 3;
  RetrySchedule schedule = {};
  Duration within{};
  std::vector<std::string> on = {"unavailable", "deadline", "rate_limited"};
  TwiceRules twice = {};
  double budget = 0.2;
  std::uint64_t budget_min = 10;
  Duration budget_window = std::chrono::seconds(10);
};

// What becomes of a failed attempt; a label.
enum class Outcome : std::uint8_t {
  kRepeated,
  kRecovered,  // of a call: an answer came after a repetition
  kExhausted,
  kUnsafe,
  kNoTime,
  kNoBudget,
};
constexpr std::array<const char*, 6> kOutcomes = {"repeated", "recovered", "exhausted",
                                                  "unsafe",   "no_time",   "no_budget"};

// What the calls of one scope go by. No budget: nothing is repeated.
struct Plan {
  Config config{.attempts = 0};
  std::bitset<16> on = {};  // by Code
  std::string server = "";
  std::shared_ptr<RetryBudget> budget = nullptr;
  std::array<switchyard::telemetry::Counter*, kOutcomes.size()> counters{};

  bool Covers(Code code) const { return on[static_cast<std::size_t>(code)]; }
  void Count(Outcome outcome) const { counters[static_cast<std::size_t>(outcome)]->Add(); }

  std::string WhyNot(const Call& call) const {
    const Definition* tool = call.target.definition;
    return WhyNotTwice(config.twice, {.method = call.message.method(),
                                      .tool = call.target.name,
                                      .hinted = tool != nullptr && (tool->annotations.read_only ||
                                                                    tool->annotations.idempotent),
                                      .meta = call.message.OtherMeta()});
  }
};

// The attempts of one call. What it borrows lives as long as the call.
class Attempts {
 public:
  Attempts(const Plan& plan, const Clock& clock, const std::function<double()>& random, Call& call,
           Service& next)
      : plan_(&plan),
        clock_(&clock),
        random_(&random),
        call_(&call),
        next_(&next),
        begin_(clock.Now()) {
    plan.budget->CountCall(begin_);
  }

  // After a failure: whatever the next attempts come to.
  Task<Result<ReplyPtr>> GoOnAfter(Error error) {
    for (;;) {
      const std::optional<Duration> wait = Judge(error);
      if (!wait) co_return Failure(std::move(error));
      if (*wait > Duration::zero()) {
        const Executor executor = co_await net::this_coro::executor;
        co_await TimersOf(executor, *clock_).Sleep(*wait);
      }
      call_->attempts = ++count_;
      Result<ReplyPtr> reply = co_await next_->Handle(*call_);
      if (reply) co_return reply;
      error = std::move(reply.error());
    }
  }

  // The answer came.
  void Note(mcp::Message& answer) const {
    if (count_ == 1) return;
    plan_->Count(Outcome::kRecovered);
    NoteAttempts(answer, count_);
  }
  // A part of the answer was delivered, so nothing can be repeated.
  void NoteBroken(Error& error) {
    const bool covered = plan_->Covers(error.code);
    if (!covered && count_ == 1) return;
    ran_ = true;
    if (!covered) return static_cast<void>(Refuse(error));
    GiveUp(error, Outcome::kUnsafe,
           "whether it ran is unknown, so it was not repeated: a part of its answer had come");
  }

 private:
  // How long to wait before the next attempt; nullopt: there is none, and the error says why.
  std::optional<Duration> Judge(Error& error) {
    const Advice advice = Advice::Of(error);
    const bool opened = error.for_agent;  // a breaker, so that calls fail at once
    if (opened || !plan_->Covers(error.code) || !advice.may_help()) {
      ran_ |= count_ > 1 && !NothingRan(error);
      return Refuse(error);
    }
    if (!NothingRan(error)) {
      ran_ = true;
      const std::string why = plan_->WhyNot(*call_);
      if (!why.empty()) {
        return GiveUp(error, Outcome::kUnsafe,
                      "whether it ran is unknown, so it was not repeated: " + why);
      }
    }
    const Config& config = plan_->config;
    if (count_ >= config.attempts) {
      return GiveUp(error, Outcome::kExhausted, fmt::format("gave up after {} attempts", count_));
    }
    if (advice.retry_after > config.schedule.cap) {
      return GiveUp(
          error, Outcome::kNoTime,
          fmt::format("not repeated: it is to be left alone for {}, retry.cap is {}",
                      ShortDuration(advice.retry_after), ShortDuration(config.schedule.cap)));
    }
    const Duration wait = std::max(config.schedule.Wait(count_, (*random_)()), advice.retry_after);
    const TimePoint now = clock_->Now();
    const bool late = config.within > Duration::zero() && now + wait >= begin_ + config.within;
    if (late || call_->deadline.Passed(now + wait)) {
      return GiveUp(error, Outcome::kNoTime, "not repeated: no time is left for it");
    }
    if (!plan_->budget->Take(now, config.budget, config.budget_min)) {
      return GiveUp(
          error, Outcome::kNoBudget,
          fmt::format("not repeated: the retry budget of the server is used up ({:.4g}% "
                      "of its calls and {} more in {})",
                      config.budget * 100, config.budget_min, ShortDuration(config.budget_window)));
    }
    plan_->Count(Outcome::kRepeated);
    const bool named = call_->method().key == mcp::TargetKey::kName;  // a URI may say too much
    spdlog::info("server {}: {} {}: attempt {} of {} in {} after: {}", plan_->server,
                 call_->message.method_name(), named ? call_->target.name : "", count_ + 1,
                 config.attempts, ShortDuration(wait), error.message);
    return wait;
  }

  std::nullopt_t GiveUp(Error& error, Outcome outcome, const std::string& why) {
    plan_->Count(outcome);
    error.message.append("; ").append(why);
    return Refuse(error, outcome == Outcome::kUnsafe);
  }
  // `told`: the message says already that nobody knows whether it ran.
  std::nullopt_t Refuse(Error& error, bool told = false) const {
    if (ran_) error.retryable = false;  // of all attempts, the last one included
    if (ran_ && !told) error.message.append("; whether an attempt ran is unknown");
    if (count_ > 1 || ran_) AddFailureData(error, count_, ran_);
    return std::nullopt;
  }

  const Plan* plan_;
  const Clock* clock_;
  const std::function<double()>* random_;
  Call* call_;
  Service* next_;
  TimePoint begin_;
  unsigned count_ = 1;
  bool ran_ = false;  // an attempt may have run
};

// A reply that is not here yet: until its first message it may be had anew.
class RetriedReply final : public Reply {
 public:
  RetriedReply(ReplyPtr inner, Attempts attempts)
      : attempts_(std::move(attempts)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    for (;;) {
      Result<std::optional<mcp::Message>> next = co_await inner_->Next();
      if (next) {
        delivered_ = true;
        if (*next && (**next).is_response()) attempts_.Note(**next);
        co_return next;
      }
      if (delivered_) {
        attempts_.NoteBroken(next.error());
        co_return next;
      }
      inner_ = nullptr;  // its slot and its deadline
      Result<ReplyPtr> again = co_await attempts_.GoOnAfter(std::move(next.error()));
      if (!again) co_return Failure(std::move(again.error()));
      inner_ = std::move(*again);
    }
  }

 private:
  Attempts attempts_;
  ReplyPtr inner_;
  bool delivered_ = false;
};

class Retry final : public Policy {
 public:
  explicit Retry(const PolicyDeps& deps)
      : settings_(deps),
        clock_(deps.clock),
        random_(deps.random ? deps.random : [] { return ThreadRandom().NextUnit(); }),
        metrics_(deps.metrics),
        states_(*deps.states) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    auto plan = std::make_shared<Plan>();
    if (settings == nullptr || scope.server.empty()) return plan;
    plan->config = *static_cast<const Config*>(settings.get());
    if (plan->config.attempts == 0) return plan;
    for (const Code code : kClasses) {
      plan->on[static_cast<std::size_t>(code)] =
          std::ranges::find(plan->config.on, ToString(code)) != plan->config.on.end();
    }
    plan->server = scope.server;
    for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
      plan->counters[i] =
          &metrics_.CounterOf("switchyard_retries_total", {plan->server, kOutcomes[i]});
    }
    // Of the server whatever the level: it is the server that is to be spared.
    const Duration window = plan->config.budget_window;
    plan->budget =
        states_.Get<RetryBudget>(fmt::format("retry server {} {}", scope.server, window.count()),
                                 [window] { return std::make_shared<RetryBudget>(window); });
    return plan;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Plan& plan = settings_(call);
    return plan.budget == nullptr || !MayRepeat(call) ? next.Handle(call) : Tried(call, next, plan);
  }

  bool IsOff(const PolicySet& set) const override { return settings_(set).budget == nullptr; }

 private:
  static bool MayRepeat(const Call& call) {
    const bool answers =
        call.message.Has(mcp::Key::kInputResponses) || call.message.Has(mcp::Key::kRequestState);
    return call.message.kind() == mcp::Kind::kRequest && !answers &&
           !IsExempt(call.method().route, call.forsaken);
  }

  // `plan` lives as long as the call's target.
  Task<Result<ReplyPtr>> Tried(Call& call, Service& next, const Plan& plan) const {
    Attempts attempts(plan, clock_, random_, call, next);
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      Error error = std::move(reply.error());
      reply = co_await attempts.GoOnAfter(std::move(error));
    }
    if (!reply) co_return reply;
    if (mcp::Message* whole = (*reply)->Whole()) {
      attempts.Note(*whole);
      co_return reply;
    }
    ReplyPtr retried = std::make_unique<RetriedReply>(std::move(*reply), std::move(attempts));
    co_return retried;
  }

  const SettingsOf<Plan> settings_;
  const Clock& clock_;
  const std::function<double()> random_;
  switchyard::telemetry::Metrics& metrics_;
  States& states_;
};

// ---- configuration

void TakeGrowth(config::Section& section, RetrySchedule::Growth& into) {
  if (const auto word = section.Enum("backoff", {kGrowths[0], kGrowths[1], kGrowths[2]})) {
    into =
        static_cast<RetrySchedule::Growth>(std::ranges::find(kGrowths, *word) - kGrowths.begin());
  }
  section.Shows("backoff", std::string(kGrowths.at(static_cast<std::size_t>(into))));
}

void CheckClasses(config::Section& section, const Config& config) {
  if (config.on.empty()) {
    section.Error("on",
                  "names no class of errors, so nothing would be repeated; attempts: 0 "
                  "switches retry off");
  }
  for (const std::string& word : config.on) {
    if (std::ranges::any_of(kClasses, [&](Code code) { return ToString(code) == word; })) continue;
    section.Error("on",
                  "must be unavailable, deadline, rate_limited, protocol or internal, got " + word);
  }
}

void CheckTimes(config::Section& section, const Config& config, bool times_given) {
  const RetrySchedule& schedule = config.schedule;
  if (schedule.growth == RetrySchedule::Growth::kImmediate) {
    if (times_given) {
      section.Error("backoff",
                    "immediate waits for nothing, so base and jitter say nothing: take "
                    "them out, or choose linear or exponential");
    }
    return;
  }
  if (schedule.base > schedule.cap) {
    section.Error("base", fmt::format("is longer than cap, the longest wait: {} > {}",
                                      ShortDuration(schedule.base), ShortDuration(schedule.cap)));
  }
  if (config.within > Duration::zero() && config.within <= schedule.base) {
    section.Error("within", fmt::format("must be longer than base, the first wait ({}), or nothing "
                                        "would ever be repeated",
                                        ShortDuration(schedule.base)));
  }
}

void CheckTools(config::Section& section, const Config& config) {
  for (const std::string& why : ContradictionsIn(config.twice)) section.Error("idempotent", why);
  const std::string_view glob = ToolGlobOf(section.path(), "retry");
  const std::string why = WhyNeverRepeated(config.twice, config.on, glob);
  if (config.attempts != 0 && !why.empty()) section.Error("on", why);
}

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  section.Take("attempts", config->attempts, 0, 100);
  if (config->attempts == 0) section.IsOff("attempts: 0");
  TakeGrowth(section, config->schedule.growth);
  const bool base = section.Take("base", config->schedule.base, std::chrono::milliseconds(1));
  section.Take("cap", config->schedule.cap, std::chrono::milliseconds(1));
  const bool jitter = section.Take("jitter", config->schedule.jitter, 0, 1);
  section.Take("within", config->within);
  section.Take("on", config->on);
  section.Take("idempotent", config->twice.idempotent);
  section.Take("never", config->twice.never);
  section.Take("trust_hints", config->twice.trust_hints);
  section.Take("trust_keys", config->twice.trust_keys);
  section.Take("budget", config->budget, 0, 1);
  section.Take("budget_min", config->budget_min, 0, 1'000'000);
  section.Take("budget_window", config->budget_window, std::chrono::seconds(1),
               std::chrono::hours(1));
  if (config->attempts == 1) {
    section.Error("attempts",
                  "the first attempt counts, so 1 repeats nothing: say 2 or more, or 0 "
                  "to switch retry off");
  }
  CheckClasses(section, *config);
  CheckTimes(section, *config, base || jitter);
  CheckTools(section, *config);
  if (config->budget == 0 && config->budget_min == 0) {
    section.Error("budget",
                  "with budget_min: 0 nothing would ever be repeated; attempts: 0 "
                  "switches retry off");
  }
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) { return std::make_shared<Retry>(deps); }

}  // namespace switchyard::policies::retry
