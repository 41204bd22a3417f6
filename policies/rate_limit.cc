// rate_limit: {rate: 10/s, burst: 20, per: [principal]}
// rate_limit:
//   limits:
//     - {name: everybody, rate: 500/s}
//     - {name: caller, rate: 600/min, burst: 50, per: [principal]}
//     - {name: search, rate: 1/s, per: [principal, tool]}
//   methods: [tools/call, prompts/get, resources/read, completion/complete]
//
// Token buckets: a call takes one token of every limit, or none at all and is refused with the time
// until it may come again. `rate`, `burst` and `per` at the top are one more limit, named default.
// What a limit is kept per comes from the call itself, never from HTTP headers. Buckets live in the
// Store: over all workers, and across reloads as long as a limit's level, name and numbers stay.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <vector>

#include <boost/container/static_vector.hpp>
#include <fmt/format.h>

#include "config/section.h"
#include "core/store.h"
#include "mcp/json_string.h"
#include "mcp/method.h"
#include "policies/lib/method_set.h"
#include "policies/lib/per.h"
#include "policies/lib/rate.h"
#include "policies/lib/settings.h"
#include "policies/lib/store_key.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::rate_limit {
namespace {

constexpr std::string_view kDefault = "default";

struct Limit {
  std::string name;
  std::string rate = {};  // as written
  Duration interval{};
  std::int64_t burst = 1;
  bool burst_given = false;   // else it is the number in rate
  std::vector<Per> per = {};  // each at most once, in the order of the words
};

struct Config {
  std::vector<Limit> limits = {};
  MethodSet methods = {mcp::Method::kToolsCall, mcp::Method::kPromptsGet,
                       mcp::Method::kResourcesRead, mcp::Method::kComplete};
};

// ---- at each call

// A limit at work.
struct Gauge {
  Gauge(const Limit& given, std::string_view scope, switchyard::telemetry::Metrics& metrics)
      : limit(given),
        allowed(CounterOf(metrics, "allowed")),
        refused(CounterOf(metrics, "refused")),
        unknown(CounterOf(metrics, "unknown")) {
    StoreKey key;
    key.Add("rate_limit").Add(scope).Add(limit.name);
    key.Add(std::to_string(limit.interval.count())).Add(std::to_string(limit.burst));
    prefix = key.text();
    scope_of_keys = key.Scope();
    per_words = WordsOf(limit.per, " and ");
  }

  switchyard::telemetry::Counter& CounterOf(switchyard::telemetry::Metrics& metrics,
                                            const char* outcome) const {
    return metrics.CounterOf("switchyard_rate_limit_calls_total", {limit.name, outcome});
  }

  Error Refusal(Duration retry_after) const {
    using namespace std::chrono;
    const std::int64_t wait = std::max<std::int64_t>(ceil<milliseconds>(retry_after).count(), 1);
    const std::string time = wait < 1000
                                 ? fmt::format("{}ms", wait)
                                 : fmt::format("{:.12g}s", static_cast<double>(wait) / 1000);
    return {.code = Code::kRateLimited,
            .retryable = true,
            .message = fmt::format("rate limit {}: {} (burst {}){}{} is used up, try again in {}",
                                   limit.name, limit.rate, limit.burst,
                                   per_words.empty() ? "" : " per ", per_words, time),
            .data = fmt::format(R"({{"origin":"gateway","code":"rate_limited","retryable":true,)"
                                R"("limit":{},"rate":{},"burst":{},"retryAfterMs":{}}})",
                                mcp::Quote(limit.name), mcp::Quote(limit.rate), limit.burst, wait),
            .for_agent = true};
  }

  Limit limit;
  std::string prefix;  // of its keys
  std::uint64_t scope_of_keys;
  std::string per_words;  // for messages
  switchyard::telemetry::Counter& allowed;
  switchyard::telemetry::Counter& refused;
  switchyard::telemetry::Counter& unknown;
};

// What the calls of one scope go by.
struct Limits {
  std::vector<Gauge> gauges = {};
  MethodSet methods = {};
};

std::optional<Error> Judge(const Limits& limits, const Result<Store::Drawn>& drawn) {
  if (drawn && !drawn->taken) {
    const Gauge& gauge = limits.gauges[drawn->refused_by];
    gauge.refused.Add();
    return gauge.Refusal(drawn->retry_after);
  }
  // A store that cannot be asked must not stop all traffic: limits protect servers from too much.
  for (const Gauge& gauge : limits.gauges) (drawn ? gauge.allowed : gauge.unknown).Add();
  return std::nullopt;
}

class RateLimit final : public Policy {
 public:
  explicit RateLimit(const PolicyDeps& deps)
      : settings_(deps), clock_(deps.clock), metrics_(deps.metrics), store_(deps.store) {}

  std::shared_ptr<const void> Bind(std::shared_ptr<const void> settings,
                                   const PolicyScope& scope) const override {
    if (settings == nullptr) return nullptr;
    const Config& config = *static_cast<const Config*>(settings.get());
    assert(store_ != nullptr || config.limits.empty());
    auto limits = std::make_shared<Limits>(Limits{.methods = config.methods});
    const std::string key = scope.Key(PolicyScope::Counts::kAsSet);
    for (const Limit& limit : config.limits) limits->gauges.emplace_back(limit, key, metrics_);
    return limits;
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    const Limits& limits = settings_(call);
    const bool counts = limits.methods.Has(call.message.method());
    // One that gives up what waits at a server asks for nothing, nor does one that reaches none.
    const bool free = call.forsaken || call.only_kept > Duration::zero();
    if (limits.gauges.empty() || !counts || free) return next.Handle(call);
    Eventual<Store::Drawn> answer = Draw(limits, call);
    if (!answer.here()) return Later(std::move(answer).Later(), limits, call, next);
    if (std::optional<Error> refusal = Judge(limits, *answer)) return Refuse(std::move(*refusal));
    return next.Handle(call);
  }

  bool IsOff(const PolicySet& set) const override { return settings_(set).gauges.empty(); }

 private:
  Eventual<Store::Drawn> Draw(const Limits& limits, const Call& call) const {
    boost::container::static_vector<StoreKey, Store::kMaxKeys> keys;
    boost::container::static_vector<Store::Bucket, Store::kMaxKeys> buckets;
    const Counted counted = CountedOf(call);
    for (const Gauge& gauge : limits.gauges) {
      StoreKey& key = keys.emplace_back();
      key.Continue(gauge.prefix);
      for (const Per per : gauge.limit.per) AddTo(key, per, counted);
      buckets.push_back({.key = {key.text(), gauge.scope_of_keys},
                         .interval = gauge.limit.interval,
                         .burst = gauge.limit.burst});
    }
    return store_->Draw(std::span(buckets.data(), buckets.size()), clock_.Now());
  }

  static Task<Result<ReplyPtr>> Refuse(Error refusal) { co_return Failure(std::move(refusal)); }

  // `limits` live as long as the call's target.
  static Task<Result<ReplyPtr>> Later(Task<Result<Store::Drawn>> later, const Limits& limits,
                                      Call& call, Service& next) {
    const Result<Store::Drawn> drawn = co_await std::move(later);
    std::optional<Error> refusal = Judge(limits, drawn);
    if (refusal) co_return Failure(std::move(*refusal));
    Result<ReplyPtr> reply = co_await next.Handle(call);
    co_return reply;
  }

  const SettingsOf<Limits> settings_;
  const Clock& clock_;
  switchyard::telemetry::Metrics& metrics_;
  Store* const store_;
};

// ---- settings

// What the section says of one limit, over what it was. False: it is not usable, a problem is told.
bool ParseLimit(config::Section& section, Limit& limit) {
  const std::optional<std::string> text = section.String("rate");
  const auto burst = section.Integer("burst", 1, 1'000'000'000);
  if (auto per = ParsePer(section)) limit.per = std::move(*per);
  if (text) {
    const std::optional<Rate> rate = ParseRate(*text);
    if (!rate) {
      section.Error(
          "rate", fmt::format("must be {}, a million a second at most, got {}", kRateForms, *text));
      return false;
    }
    limit.rate = *text;
    limit.interval = rate->interval();
    if (!limit.burst_given) limit.burst = rate->count;
  }
  if (limit.rate.empty()) {
    section.Error("", fmt::format("needs rate: {}", kRateForms));
    return false;
  }
  if (burst) {
    limit.burst = *burst;
    limit.burst_given = true;
  }
  if (limit.burst <= Store::kLongest / limit.interval) return true;
  section.Error("burst", fmt::format("{} at {} would take more than ten years to refill",
                                     limit.burst, limit.rate));
  return false;
}

std::vector<Limit>::iterator Find(std::vector<Limit>& limits, std::string_view name) {
  return std::ranges::find(limits, name, &Limit::name);
}

void ParseList(config::Section& section, std::vector<Limit>& limits) {
  if (!section.Has("limits")) return;
  std::erase_if(limits, [](const Limit& limit) { return limit.name != kDefault; });
  for (config::Section& item : section.Items("limits")) {
    Limit limit{.name = item.String("name").value_or("")};
    const bool usable = ParseLimit(item, limit);
    if (!IsLimitName(limit.name)) {
      item.Error("name", fmt::format("must be {}", kLimitNameForm));
    } else if (limit.name == kDefault || Find(limits, limit.name) != limits.end()) {
      item.Error("name", limit.name + " is taken by another limit");
    } else if (usable) {
      limits.push_back(std::move(limit));
    }
  }
  if (limits.size() >= Store::kMaxKeys) {
    section.Error("limits",
                  fmt::format("{} limits, at most {}", limits.size(), Store::kMaxKeys - 1));
    limits.resize(Store::kMaxKeys - 1);
  }
}

void ParseDefault(config::Section& section, std::vector<Limit>& limits) {
  const bool rate = section.Has("rate"), burst = section.Has("burst"), per = section.Has("per");
  const auto known = Find(limits, kDefault);
  Limit limit = known != limits.end() ? *known : Limit{.name = std::string(kDefault)};
  const bool usable = (rate || burst || per) && ParseLimit(section, limit);
  section.Shows("rate", limit.rate.empty() ? "none" : limit.rate);
  section.Shows("burst", limit.burst_given ? std::to_string(limit.burst) : "the number in rate");
  section.Shows("per", fmt::format("[{}]", WordsOf(limit.per, ", ")));
  if (!usable) return;
  if (known != limits.end()) {
    *known = std::move(limit);
  } else {
    limits.push_back(std::move(limit));
  }
}

}  // namespace

std::shared_ptr<const void> Parse(config::Section section, const void* inherited) {
  const std::shared_ptr<Config> config = CopyOrDefault<Config>(inherited);
  ParseList(section, config->limits);
  ParseDefault(section, config->limits);
  TakeMethods(section, config->methods);
  if (config->limits.empty()) section.IsOff("no limits");
  return config;
}

std::shared_ptr<const Policy> Make(const PolicyDeps& deps) {
  return std::make_shared<RateLimit>(deps);
}

}  // namespace switchyard::policies::rate_limit
