// breaker: {enabled: true, per: [server], consecutive_failures: 5, failure_rate: 0, slow_rate: 0,
//           slow_call: 10s, window: 30s, min_calls: 20, open_for: 5s, max_open_for: 5m, probes: 1,
//           failures: [unavailable, deadline, protocol], hide: false}
//
// Circuit breakers: who keeps failing is left alone for a while and then probed. One for a server,
// one for each of its tools, or both; set for some of its tools or at an endpoint, one for these
// alone. A call that is refused reaches no server; it is told which breaker, since when, and when
// to come again. The time that a call waits for a slot of `concurrency` is part of what it took.
// Streams meant to last (subscriptions/listen), notifications and what gives up a call pass.
#include <array>
#include <chrono>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "config/section.h"
#include "policies/lib/breaker_verdict.h"
#include "policies/lib/breaker_words.h"
#include "policies/lib/exempt.h"
#include "policies/lib/name_table.h"
#include "policies/lib/settings.h"
#include "policies/lib/shared_breaker.h"
#include "policies/lib/states.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::breaker {
namespace {

namespace tel = switchyard::telemetry;
using State = Breaker::State;
using Verdict = Breaker::Verdict;

struct Config {
  bool enabled = true;
  bool per_server = true;
  bool per_tool = false;
  Breaker::Settings settings = {};
  Failings failings = DefaultFailings();
  bool hide = false;
};

// Beyond so many tools of one scope, the further ones share a breaker.
constexpr std::size_t kMaxTools = 1000;

// What all breakers use. Outlives them.
struct Shared {
  const Clock& clock;
  tel::Metrics& metrics;
  std::function<void()> outages_changed;
};

struct Labels {
  std::string server;
  std::string scope;  // "" = all of the server, else the glob or the endpoint
  std::string tool = {};
};

// One breaker and its name.
class Guard {
 public:
  Guard(std::string words, Labels labels, const Shared& shared)
      : words_(std::move(words)),
        labels_(std::move(labels)),
        shared_(shared),
        breaker_([this](const SharedBreaker::Facts& facts) { Changed(facts); }) {
    if (labels_.tool.empty()) ShowState(State::kClosed);
  }

  SharedBreaker& breaker() { return breaker_; }
  const SharedBreaker& breaker() const { return breaker_; }
  const std::string& words() const { return words_; }

 private:
  // Under the breaker's lock.
  void Changed(const SharedBreaker::Facts& facts) {
    ShowState(facts.state);
    shared_.metrics
        .CounterOf("switchyard_breaker_transitions_total",
                   {labels_.server, labels_.scope, std::string(ToString(facts.state))})
        .Add();
    if (facts.state == State::kOpen) {
      spdlog::warn("{}: circuit breaker open for {}: {}{}{}", words_,
                   ShortDuration(facts.retry_after), facts.why,
                   facts.last.empty() ? "" : ", last: ", facts.last);
    } else if (facts.state == State::kClosed) {
      spdlog::info("{}: circuit breaker closed", words_);
    }
    if (shared_.outages_changed) shared_.outages_changed();
  }

  void ShowState(State state) {
    if (gauge_ == nullptr) {
      gauge_ = shared_.metrics.GaugeOf("switchyard_breaker_state",
                                       {labels_.server, labels_.scope, labels_.tool});
    }
    gauge_->Set(state == State::kOpen ? 2 : state == State::kHalfOpen ? 1 : 0);
  }

  const std::string words_;
  const Labels labels_;
  const Shared& shared_;
  std::shared_ptr<tel::Gauge> gauge_;  // of a tool's once it opened; under the breaker's lock
  SharedBreaker breaker_;
};

// The breakers of one scope. Lives on across reloads.
class Scope {
 public:
  Scope(const PolicyScope& of, const Shared& shared)
      : words_(of.Words()),
        labels_({.server = std::string(of.server), .scope = LabelOf(of)}),
        shared_(shared),
        refused_(shared.metrics.CounterOf("switchyard_breaker_refused_total",
                                          {labels_.server, labels_.scope})),
        all_(words_, labels_, shared),
        tools_(kMaxTools) {}

  Guard& all() { return all_; }
  const Guard& all() const { return all_; }
  Guard& OfTool(const std::string& tool) {
    return *tools_.At(tool, [this](std::string_view name) {
      Labels labels = labels_;
      labels.tool = name.empty() ? "other" : std::string(name);
      return std::make_unique<Guard>(fmt::format("{} {} of {}", name.empty() ? "other" : "tool",
                                                 name.empty() ? "tools" : name, words_),
                                     std::move(labels), shared_);
    });
  }
  const Guard* FindTool(std::string_view tool) const {
    const std::unique_ptr<Guard>* found = tools_.Find(tool);
    return found == nullptr ? nullptr : found->get();
  }
  void CountRefusal() { refused_.Add(); }

 private:
  static std::string LabelOf(const PolicyScope& of) {
    if (of.level == PolicyScope::Level::kTool) return std::string(of.glob);
    if (of.level == PolicyScope::Level::kEndpoint) return "/mcp/" + std::string(of.endpoint);
    return "";
  }

  const std::string words_;
  const Labels labels_;
  const Shared& shared_;
  tel::Counter& refused_;
  Guard all_;
  NameTable<std::unique_ptr<Guard>> tools_;
};

// What the calls of one scope go by. No scope: no breaker.
struct Guarded {
  Config config = {};
  std::shared_ptr<Scope> scope = nullptr;
};

// One call's way through its breakers. Whoever destroys it before its end has given the call up.
class Passage {
 public:
  Passage(const Guarded& guarded, const Call& call, const Clock& clock)
      : guarded_(&guarded), clock_(&clock), begin_(clock.Now()) {
    if (guarded.config.per_server) places_[count_++].guard = &guarded.scope->all();
    const Definition* tool = call.target.definition;
    const bool calls_tool = call.method().route == mcp::Route::kTool;
    if (guarded.config.per_tool && calls_tool && tool != nullptr) {
      places_[count_++].guard = &guarded.scope->OfTool(tool->name);
    }
  }
  Passage(Passage&& other) noexcept
      : guarded_(other.guarded_),
        clock_(other.clock_),
        begin_(other.begin_),
        places_(other.places_),
        count_(std::exchange(other.count_, 0)),
        admitted_(std::exchange(other.admitted_, 0)) {}
  Passage& operator=(Passage&&) = delete;
  ~Passage() { End(Verdict::kNone); }

  // nullopt: it may go on.
  std::optional<Error> Enter() {
    for (; admitted_ < count_; ++admitted_) {
      Place& place = places_[admitted_];
      const auto ticket = place.guard->breaker().Admit(guarded_->config.settings, begin_);
      if (!ticket) {
        guarded_->scope->CountRefusal();
        return BreakerRefusal(place.guard->words(), ticket.error(), clock_->WallNow());
      }
      place.ticket = *ticket;
    }
    return std::nullopt;
  }

  void Failed(const Error& error) {
    End(JudgeError(error, guarded_->config.failings), error.message);
  }
  void Saw(const mcp::Message& message) {
    if (message.is_response()) End(JudgeResponse(message, guarded_->config.failings));
  }

 private:
  struct Place {
    Guard* guard = nullptr;
    Breaker::Ticket ticket = {};
  };

  void End(Verdict verdict, std::string_view failure = {}) {
    const std::size_t admitted = std::exchange(admitted_, 0);
    if (admitted == 0) return;
    const TimePoint now = clock_->Now();
    for (const Place& place : std::span(places_).first(admitted)) {
      place.guard->breaker().Report(guarded_->config.settings, place.ticket, verdict, now - begin_,
                                    now, failure);
    }
  }

  const Guarded* guarded_;  // lives as long as the call's target
  const Clock* clock_;
  TimePoint begin_;
  std::array<Place, 2> places_{};
  std::size_t count_ = 0, admitted_ = 0;
};

class JudgedReply final : public Reply {
 public:
  JudgedReply(ReplyPtr inner, Passage passage)
      : passage_(std::move(passage)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (!next) {
      passage_.Failed(next.error());
    } else if (*next) {
      passage_.Saw(**next);
    }
    co_return next;
  }

 private:
  Passage passage_;
  ReplyPtr inner_;
};

class BreakerPolicy final : public Policy {
 public:
  explicit BreakerPolicy(const PolicyDeps& deps)
      : settings_(deps),
        shared_{
            .clock = deps.clock, .metrics = deps.metrics, .outages_changed = deps.outages_changed},
        states_(deps.states) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    if (settings == nullptr || scope.server.empty()) return nullptr;
    auto guarded =
        std::make_shared<Guarded>(Guarded{.config = *static_cast<const Config*>(settings.get())});
    if (!guarded->config.enabled) return guarded;
    guarded->scope =
        states_->Get<Scope>("breaker " + scope.Key(PolicyScope::Counts::kPerServer),
                            [this, &scope] { return std::make_shared<Scope>(scope, shared_); });
    return guarded;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Guarded& guarded = settings_(call);
    const bool exempt = IsExempt(call.method().route, call.forsaken);
    return guarded.scope == nullptr || exempt ? next.Handle(call) : Judged(call, next, guarded);
  }

  std::optional<Outage> OutageOf(const PolicySet& set, std::string_view tool) const override {
    const Guarded& guarded = settings_(set);
    if (guarded.scope == nullptr) return std::nullopt;
    const Scope& scope = *guarded.scope;
    const Guard* guard = guarded.config.per_server ? &scope.all() : nullptr;
    if (guard == nullptr || guard->breaker().closed()) {
      guard = guarded.config.per_tool && !tool.empty() ? scope.FindTool(tool) : nullptr;
    }
    if (guard == nullptr || guard->breaker().closed()) return std::nullopt;
    return OutageOf(*guard, guarded.config.hide);
  }

  bool IsOff(const PolicySet& set) const override { return settings_(set).scope == nullptr; }

 private:
  Outage OutageOf(const Guard& guard, bool hide) const {
    const TimePoint now = shared_.clock.Now();
    const SharedBreaker::Facts facts = guard.breaker().Look(now);
    const bool refuses = facts.state == State::kOpen && facts.retry_after > Duration::zero();
    return {.what = guard.words(),
            .reason = BreakerNotice(facts, shared_.clock.WallNow()),
            .until = refuses ? now + facts.retry_after : TimePoint::max(),
            .refuses = refuses,
            .hides = hide && refuses};
  }

  Task<Result<ReplyPtr>> Judged(Call& call, Service& next, const Guarded& guarded) const {
    Passage passage(guarded, call, shared_.clock);
    std::optional<Error> refusal = passage.Enter();
    if (refusal) co_return Failure(std::move(*refusal));
    Result<ReplyPtr> reply = co_await next.Handle(call);
    if (!reply) {
      passage.Failed(reply.error());
      co_return reply;
    }
    if (const mcp::Message* whole = (*reply)->Whole()) {
      passage.Saw(*whole);
      co_return reply;
    }
    ReplyPtr judged = std::make_unique<JudgedReply>(std::move(*reply), std::move(passage));
    co_return judged;
  }

  const SettingsOf<Guarded> settings_;
  const Shared shared_;
  States* const states_;
};

// ---- settings

void TakePer(config::Section& section, Config& config) {
  std::vector<std::string> words;
  if (config.per_server) words.emplace_back("server");
  if (config.per_tool) words.emplace_back("tool");
  if (!section.Take("per", words)) return;
  config.per_server = config.per_tool = false;
  for (const std::string& word : words) {
    bool* known = word == "server" ? &config.per_server : &config.per_tool;
    if (word != "server" && word != "tool") section.Error("per", word + " is none of server, tool");
    *known = true;
  }
  if (words.empty())
    section.Error("per", "needs server, tool or both; enabled: false turns it off");
}

void TakeFailings(config::Section& section, Config& config) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kFailingWords.size(); ++i) {
    if (config.failings[i]) words.emplace_back(kFailingWords[i]);
  }
  if (!section.Take("failures", words)) return;
  config.failings.reset();
  for (const std::string& word : words) {
    if (const std::optional<Failing> failing = ParseFailing(word)) {
      config.failings.set(static_cast<std::size_t>(*failing));
    } else {
      section.Error("failures",
                    fmt::format("{} is none of {}", word, fmt::join(kFailingWords, ", ")));
    }
  }
}

void Check(config::Section& section, const Config& config) {
  const Breaker::Settings& settings = config.settings;
  const bool judges_failures = settings.consecutive_failures > 0 || settings.failure_rate > 0;
  if (!judges_failures && settings.slow_rate == 0) {
    section.Error("", "judges nothing: needs consecutive_failures, failure_rate or slow_rate");
  }
  if (judges_failures && config.failings.none()) {
    section.Error("failures", "is empty, and consecutive_failures or failure_rate count them");
  }
  if (settings.max_open_for < settings.open_for) {
    section.Error("max_open_for",
                  fmt::format("{} is less than open_for, {}", ShortDuration(settings.max_open_for),
                              ShortDuration(settings.open_for)));
  }
}

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  constexpr std::int64_t kMost = 1'000'000;
  constexpr Duration kShortest = std::chrono::milliseconds(1);
  constexpr Duration kLongest = std::chrono::hours(24);
  Breaker::Settings& settings = config->settings;
  section.Take("enabled", config->enabled);
  if (!config->enabled) section.IsOff("enabled: false");
  TakePer(section, *config);
  section.Take("consecutive_failures", settings.consecutive_failures, 0, kMost);
  section.Take("failure_rate", settings.failure_rate, 0, 1);
  section.Take("slow_rate", settings.slow_rate, 0, 1);
  section.Take("slow_call", settings.slow_call, kShortest, kLongest);
  section.Take("window", settings.window, kShortest, kLongest);
  section.Take("min_calls", settings.min_calls, 1, kMost);
  section.Take("open_for", settings.open_for, kShortest, kLongest);
  section.Take("max_open_for", settings.max_open_for, kShortest, kLongest);
  section.Take("probes", settings.probes, 1, kMost);
  TakeFailings(section, *config);
  section.Take("hide", config->hide);
  Check(section, *config);
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<BreakerPolicy>(deps);
}

}  // namespace switchyard::policies::breaker
