#include "telemetry/metrics.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <deque>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace switchyard::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

enum Metric : std::size_t {
#define METRIC(constant, kind, name, help, ...) constant,
#include "telemetry/metric_names.def"
#undef METRIC
  kMetrics,
};

struct MetricInfo {
  MetricType type;
  const char* name;
  const char* help;
  std::vector<const char*> labels;
};

const std::array<MetricInfo, kMetrics>& Infos() {
  static const std::array<MetricInfo, kMetrics> infos = {{
#define METRIC(constant, kind, name, help, ...) {MetricType::kind, name, help, {__VA_ARGS__}},
#include "telemetry/metric_names.def"
#undef METRIC
  }};
  return infos;
}

// The families under construction, by Metric.
class Families {
 public:
  Families() : families_(kMetrics) {
    for (std::size_t i = 0; i < kMetrics; ++i) {
      families_[i].name = Infos()[i].name;
      families_[i].help = Infos()[i].help;
      families_[i].type = Infos()[i].type;
    }
  }

  // `values` are those of the metric's labels, in the order of the table.
  ClientMetric& Add(Metric metric, std::initializer_list<std::string_view> values) {
    ClientMetric& added = families_[metric].metric.emplace_back();
    std::size_t i = 0;
    for (const std::string_view value : values) {
      added.label.push_back({.name = Infos()[metric].labels[i++], .value = std::string(value)});
    }
    return added;
  }
  ClientMetric& AddOfPolicy(Metric metric, const std::vector<std::string>& values) {
    ClientMetric& added = families_[metric].metric.emplace_back();
    for (std::size_t i = 0; i < values.size(); ++i) {
      added.label.push_back({.name = Infos()[metric].labels.at(i), .value = values[i]});
    }
    return added;
  }
  void Count(Metric metric, std::initializer_list<std::string_view> values, std::uint64_t value) {
    Add(metric, values).counter.value = static_cast<double>(value);
  }
  void Show(Metric metric, std::initializer_list<std::string_view> values, std::int64_t value) {
    Add(metric, values).gauge.value = static_cast<double>(value);
  }

  std::string ToText() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

// Of a metric in the table; all else is a bug of ours.
std::size_t IndexOf(std::string_view name, [[maybe_unused]] MetricType type,
                    [[maybe_unused]] std::size_t labels) {
  const auto& infos = Infos();
  const auto info = std::ranges::find(infos, name, &MetricInfo::name);
  assert(info != infos.end() && info->type == type && info->labels.size() == labels);
  return static_cast<std::size_t>(info - infos.begin());
}

ClientMetric::Histogram Read(const Histogram& histogram) {
  ClientMetric::Histogram out;
  const Histogram::Bounds& bounds = histogram.bounds();
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    const bool last = i == bounds.size();
    out.sample_count += histogram.count(i);
    out.bucket.push_back(
        {.cumulative_count = out.sample_count,
         .upper_bound = last ? std::numeric_limits<double>::infinity() : bounds.at(i)});
  }
  out.sample_sum = histogram.sum();
  return out;
}

std::uint64_t NextId() {
  static std::atomic<std::uint64_t> next{1};
  return next++;
}

std::uint64_t Load(const std::atomic<std::uint64_t>& number) {
  return number.load(std::memory_order_relaxed);
}

}  // namespace

struct Metrics::Shard {
  struct Hash {
    std::size_t operator()(const CallLabels& labels) const {
      // Endpoints and methods are few: what they add is left to the comparison, but for their
      // sizes.
      const std::hash<std::string_view> hash;
      std::size_t mixed = hash(labels.tool);
      for (const std::size_t part :
           {hash(labels.server), labels.endpoint.size(), labels.method.size()}) {
        mixed = mixed * 0x9E3779B97F4A7C15ULL + part;
      }
      return mixed;
    }
  };
  struct Series {
    Key key;
    CallSeries calls;
  };

  std::mutex mutex;  // taken by the owning thread to change, by others to read
  std::deque<Series> series;
  std::deque<Key> names;  // what the keys of `by_labels` point to
  // Tools beyond the bound are here as well, pointing to the series of "other".
  std::unordered_map<CallLabels, CallSeries*, Hash> by_labels;
};

struct Metrics::Totals {
  std::uint64_t begun = 0, nanoseconds = 0, bytes_in = 0, bytes_out = 0;
  std::array<std::uint64_t, kOutcomes> ended{};
  std::array<std::uint64_t, ErrorCode::kCount> errors{};
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency{};

  void Add(const CallSeries& calls) {
    // Ends before begins: a call that ends in between must not make the number in flight negative.
    const auto add = [](auto& sums, const auto& numbers) {
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += Load(numbers[i]);
    };
    add(ended, calls.ended_);
    begun += Load(calls.begun_);
    add(errors, calls.errors_);
    add(latency, calls.latency_);
    nanoseconds += Load(calls.nanoseconds_);
    bytes_in += Load(calls.bytes_in_);
    bytes_out += Load(calls.bytes_out_);
  }

  void Add(const Totals& other) {
    const auto add = [](auto& sums, const auto& numbers) {
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += numbers[i];
    };
    add(ended, other.ended);
    add(errors, other.errors);
    add(latency, other.latency);
    begun += other.begun;
    nanoseconds += other.nanoseconds;
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
  }

  std::int64_t InFlight() const {
    std::int64_t result = static_cast<std::int64_t>(begun);
    for (const std::uint64_t count : ended) result -= static_cast<std::int64_t>(count);
    return std::max<std::int64_t>(result, 0);
  }

  ClientMetric::Histogram Latency() const {
    ClientMetric::Histogram out;
    for (std::size_t i = 0; i < latency.size(); ++i) {
      out.sample_count += latency[i];
      const bool last = i == kLatencyBounds.size();
      out.bucket.push_back(
          {.cumulative_count = out.sample_count,
           .upper_bound = last ? std::numeric_limits<double>::infinity() : kLatencyBounds[i]});
    }
    out.sample_sum = static_cast<double>(nanoseconds) * 1e-9;
    return out;
  }
};

Metrics::Metrics(std::size_t max_series) : id_(NextId()), max_series_(max_series) {}
Metrics::~Metrics() = default;

Metrics::Shard& Metrics::LocalShard() {
  struct Entry {
    std::uint64_t id = 0;
    Shard* shard = nullptr;
  };
  // One entry in production; several where tests make several gateways.
  thread_local std::vector<Entry> entries;
  for (const Entry& entry : entries) {
    if (entry.id == id_) return *entry.shard;
  }
  const std::lock_guard lock(mutex_);
  shards_.push_back(std::make_unique<Shard>());
  entries.push_back({id_, shards_.back().get()});
  return *shards_.back();
}

CallSeries& Metrics::Calls(const CallLabels& labels) {
  Shard& shard = LocalShard();
  const auto found = shard.by_labels.find(labels);
  return found != shard.by_labels.end() ? *found->second : AddSeries(shard, labels);
}

Metrics::Key Metrics::Admit(const CallLabels& labels) {
  Key key{.endpoint = std::string(labels.endpoint),
          .server = std::string(labels.server),
          .tool = std::string(labels.tool),
          .method = std::string(labels.method)};
  const std::lock_guard lock(mutex_);
  if (admitted_.contains(key)) return key;
  if (admitted_.size() < max_series_) {
    admitted_.insert(key);
  } else if (!key.tool.empty()) {
    key.tool = "other";
  }
  return key;
}

CallSeries& Metrics::AddSeries(Shard& shard, const CallLabels& labels) {
  const Key key = Admit(labels);
  const auto view = [](const Key& k) {
    return CallLabels{
        .endpoint = k.endpoint, .server = k.server, .tool = k.tool, .method = k.method};
  };
  const std::lock_guard lock(shard.mutex);
  auto found = shard.by_labels.find(view(key));
  if (found == shard.by_labels.end()) {
    Shard::Series& series = shard.series.emplace_back();
    series.key = key;
    found = shard.by_labels.emplace(view(series.key), &series.calls).first;
  }
  CallSeries& calls = *found->second;
  // Remembered, so that a tool beyond the bound costs a lock once and not at each call; up to a
  // bound of its own, since tools may come and go for years.
  if (shard.names.size() < 10 * max_series_ && !shard.by_labels.contains(labels)) {
    const Key& name = shard.names.emplace_back(Key{.endpoint = std::string(labels.endpoint),
                                                   .server = std::string(labels.server),
                                                   .tool = std::string(labels.tool),
                                                   .method = std::string(labels.method)});
    shard.by_labels.emplace(view(name), &calls);
  }
  return calls;
}

void Metrics::SetServerUp(std::string_view server, bool up) {
  const std::lock_guard lock(mutex_);
  ServerState& state = servers_[std::string(server)];
  state.known_up = true;
  state.up = up;
}

void Metrics::ForgetServer(std::string_view server) {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(server);
  if (found != servers_.end()) servers_.erase(found);
}

void Metrics::CountRestart(std::string_view server) {
  const std::lock_guard lock(mutex_);
  ++servers_[std::string(server)].restarts;
}

void Metrics::ReadParkedCallsFrom(std::function<std::uint64_t()> parked_calls) {
  const std::lock_guard lock(mutex_);
  parked_calls_ = std::move(parked_calls);
}

void Metrics::ReadDroppedLinesFrom(std::function<std::uint64_t()> dropped_lines) {
  const std::lock_guard lock(mutex_);
  dropped_lines_ = std::move(dropped_lines);
}

void Metrics::ReadStoreFrom(std::function<StoreNumbers()> store) {
  const std::lock_guard lock(mutex_);
  store_ = std::move(store);
}

Counter& Metrics::CounterOf(std::string_view name, const std::vector<std::string>& labels) {
  const std::size_t metric = IndexOf(name, MetricType::Counter, labels.size());
  const std::lock_guard lock(mutex_);
  auto& counters = counters_[metric];
  if (counters.size() < max_series_ || counters.contains(labels)) return counters[labels];
  return counters[std::vector<std::string>(labels.size(), "other")];
}

std::shared_ptr<Gauge> Metrics::GaugeOf(std::string_view name,
                                        const std::vector<std::string>& labels) {
  const std::size_t metric = IndexOf(name, MetricType::Gauge, labels.size());
  const std::lock_guard lock(mutex_);
  auto& gauges = gauges_[metric];
  if (gauges.size() >= max_series_ && !gauges.contains(labels)) return std::make_shared<Gauge>();
  std::weak_ptr<Gauge>& known = gauges[labels];
  std::shared_ptr<Gauge> gauge = known.lock();
  if (gauge == nullptr) known = gauge = std::make_shared<Gauge>();
  return gauge;
}

Histogram& Metrics::HistogramOf(std::string_view name, const Histogram::Bounds& bounds) {
  const std::size_t metric = IndexOf(name, MetricType::Histogram, 0);
  const std::lock_guard lock(mutex_);
  return histograms_.try_emplace(metric, bounds).first->second;
}

std::map<Metrics::Key, Metrics::Totals> Metrics::Sum() const {
  std::map<Key, Totals> sums;
  const std::lock_guard lock(mutex_);
  for (const auto& shard : shards_) {
    const std::lock_guard shard_lock(shard->mutex);
    for (const Shard::Series& series : shard->series) sums[series.key].Add(series.calls);
  }
  return sums;
}

std::string Metrics::Serialize() const {
  Families families;
  std::map<std::pair<std::string, std::string>, Totals> by_tool, by_endpoint;
  std::map<std::string, Totals> by_server;
  for (const auto& [key, totals] : Sum()) {
    by_tool[{key.server, key.tool}].Add(totals);
    by_endpoint[{key.endpoint, key.server}].Add(totals);
    by_server[key.server].Add(totals);
    for (std::size_t i = 0; i < kOutcomes; ++i) {
      if (totals.ended[i] == 0) continue;
      families.Count(
          kCalls,
          {key.endpoint, key.server, key.tool, key.method, ToString(static_cast<Outcome>(i))},
          totals.ended[i]);
    }
  }
  for (const auto& [labels, totals] : by_endpoint) {
    for (std::size_t i = 0; i < ErrorCode::kCount; ++i) {
      if (totals.errors[i] == 0) continue;
      families.Count(kErrors, {labels.first, labels.second, ErrorCode(i).word()}, totals.errors[i]);
    }
  }
  for (const auto& [labels, totals] : by_tool) {
    families.Add(kCallSeconds, {labels.first, labels.second}).histogram = totals.Latency();
  }
  for (const auto& [server, totals] : by_server) {
    families.Show(kInFlight, {server}, totals.InFlight());
    families.Count(kBytes, {server, "in"}, totals.bytes_in);
    families.Count(kBytes, {server, "out"}, totals.bytes_out);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [server, state] : servers_) {
    if (state.known_up) families.Show(kServerUp, {server}, state.up ? 1 : 0);
    families.Count(kRestarts, {server}, state.restarts);
  }
  families.Show(kSessions, {}, sessions_);
  families.Show(kStreams, {}, streams_);
  families.Show(kParked, {}, parked_calls_ ? static_cast<std::int64_t>(parked_calls_()) : 0);
  families.Count(kLogDropped, {}, dropped_lines_ ? dropped_lines_() : 0);
  const StoreNumbers store = store_ ? store_() : StoreNumbers();
  families.Show(kStoreKeys, {}, static_cast<std::int64_t>(store.keys));
  families.Count(kStoreDropped, {"bucket"}, store.dropped_buckets);
  families.Count(kStoreDropped, {"counter"}, store.dropped_counters);
  families.Count(kStoreDropped, {"item"}, store.dropped_items);
  families.Count(kStoreFull, {}, store.full);
  for (const auto& [metric, by_labels] : counters_) {
    for (const auto& [labels, counter] : by_labels) {
      families.AddOfPolicy(static_cast<Metric>(metric), labels).counter.value =
          static_cast<double>(counter.value());
    }
  }
  for (auto& [metric, by_labels] : gauges_) {
    std::erase_if(by_labels, [](const auto& entry) { return entry.second.expired(); });
    for (const auto& [labels, known] : by_labels) {
      const std::shared_ptr<Gauge> gauge = known.lock();
      if (gauge == nullptr) continue;
      families.AddOfPolicy(static_cast<Metric>(metric), labels).gauge.value =
          static_cast<double>(gauge->value());
    }
  }
  for (const auto& [metric, histogram] : histograms_) {
    families.AddOfPolicy(static_cast<Metric>(metric), {}).histogram = Read(histogram);
  }
  families.Show(kBuildInfo, {SWITCHYARD_VERSION}, 1);
  return families.ToText();
}

}  // namespace switchyard::telemetry
