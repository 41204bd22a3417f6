// All metrics of the process, and their text for Prometheus. One object, shared by all workers;
// thread-safe.
//
// Calls are counted in one shard per thread (call_series.h) and summed up when somebody asks, so
// the way of a call takes no lock: a shard's map is changed by its own thread only, under a mutex
// that Serialize() takes too, and looked up by that thread without it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "telemetry/call_series.h"
#include "telemetry/counter.h"
#include "telemetry/gauge.h"
#include "telemetry/histogram.h"

namespace switchyard::telemetry {

class Metrics {
 public:
  // The most (endpoint, server, tool, method) with a series of their own; tools beyond it are
  // counted as "other".
  static constexpr std::size_t kMaxSeries = 2000;

  explicit Metrics(std::size_t max_series = kMaxSeries);
  ~Metrics();
  Metrics(const Metrics&) = delete;

  struct CallLabels {
    std::string_view endpoint;  // "/mcp", "/mcp/name"
    std::string_view server;    // "" = the gateway itself
    std::string_view tool;      // from a catalog; "" = not a tool call, "unknown" = none of ours
    std::string_view method;
    auto operator<=>(const CallLabels&) const = default;
  };
  // The calling thread's series; lives as long as this object. Begin and end of a call are counted
  // on the same one, by the same thread.
  CallSeries& Calls(const CallLabels& labels);

  void SetServerUp(std::string_view server, bool up);
  void ForgetServer(std::string_view server);  // removed from the configuration
  void CountRestart(std::string_view server);
  void AddSessions(std::int64_t delta) { sessions_ += delta; }
  void AddStreams(std::int64_t delta) { streams_ += delta; }
  // Asked for at each Serialize().
  void ReadParkedCallsFrom(std::function<std::uint64_t()> parked_calls);
  void ReadDroppedLinesFrom(std::function<std::uint64_t()> dropped_lines);
  struct StoreNumbers {
    std::uint64_t keys = 0, dropped_buckets = 0, dropped_counters = 0, dropped_items = 0, full = 0;
  };
  void ReadStoreFrom(std::function<StoreNumbers()> store);

  // A number of a policy: of a counter in metric_names.def, by the values of its labels in the
  // order of the table. The same labels give the same counter, also after a reload; it lives as
  // long as this object. Takes a lock: asked for when a policy is made, or for what is rare.
  // Beyond max_series label values of one metric all are "other".
  Counter& CounterOf(std::string_view name, const std::vector<std::string>& labels);
  // The same of a gauge. It is shown as long as somebody holds it; beyond kMaxSeries, not at all.
  std::shared_ptr<Gauge> GaugeOf(std::string_view name, const std::vector<std::string>& labels);

  // The same of a histogram without labels; it lives as long as this object. Its bounds are those
  // that were asked for first.
  Histogram& HistogramOf(std::string_view name,
                         const Histogram::Bounds& bounds = Histogram::kOfPeople);

  // Prometheus text format 0.0.4. Milliseconds when there are many series: not on an I/O thread.
  std::string Serialize() const;

 private:
  struct Key {
    std::string endpoint, server, tool, method;
    auto operator<=>(const Key&) const = default;
  };
  struct Shard;
  struct Totals;  // of one Key over all shards
  struct ServerState {
    bool known_up = false;  // up was ever set
    bool up = false;
    std::uint64_t restarts = 0;
  };

  Shard& LocalShard();
  CallSeries& AddSeries(Shard& shard, const CallLabels& labels);
  Key Admit(const CallLabels& labels);
  std::map<Key, Totals> Sum() const;

  const std::uint64_t id_;  // tells apart objects that lived at the same address
  const std::size_t max_series_;
  std::atomic<std::int64_t> sessions_{0};
  std::atomic<std::int64_t> streams_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<Shard>> shards_;
  std::set<Key> admitted_;
  std::map<std::string, ServerState, std::less<>> servers_;
  std::function<std::uint64_t()> dropped_lines_;
  std::function<std::uint64_t()> parked_calls_;
  std::function<StoreNumbers()> store_;
  // By metric and its labels' values.
  std::map<std::size_t, std::map<std::vector<std::string>, Counter>> counters_;
  std::map<std::size_t, Histogram> histograms_;
  mutable std::map<std::size_t, std::map<std::vector<std::string>, std::weak_ptr<Gauge>>> gauges_;
};

}  // namespace switchyard::telemetry
