// The keys of one issuer as its URL has them now: fetched before the first token comes, again when
// they grow old or a token names one that is not there (when: key_source.h), and used for a bounded
// time while the issuer is down. One fetch at a time, whoever wants it.
//
// What comes from there is data of others: no secrets, no RSA keys beyond 4096 bits, and metadata
// only if it is of this very issuer. Fetches run on the executor given, the control thread's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "auth/algorithm.h"
#include "auth/key_provider.h"
#include "auth/key_source.h"
#include "base/clock.h"
#include "base/task.h"
#include "fetch/fetch.h"

namespace switchyard::telemetry {
class Gauge;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::auth {

class LiveKeys final : public KeyProvider, public std::enable_shared_from_this<LiveKeys> {
 public:
  struct Whose {
    std::string issuer;
    std::string jwks_url;  // "" = what its metadata says
    AlgorithmSet algorithms = AlgorithmSet::All();

    friend bool operator==(const Whose&, const Whose&) = default;
  };
  // All of it outlives the keys.
  struct Means {
    fetch::Fetcher& fetcher;
    Executor executor;
    const Clock& clock;
    telemetry::Metrics& metrics;
    std::function<double()> random;  // in [0, 1), on the executor's thread only
    KeySourceRules rules = {.default_age = std::chrono::hours(1)};
  };

  LiveKeys(Whose whose, Means means);

  std::uint64_t version() const override { return version_.load(std::memory_order_acquire); }
  KeysPtr Current() const override;
  Task<bool> AwaitNewer(std::uint64_t seen, Deadline deadline) override;

  // About once a second, on any thread: fetches what is due, and lets go of keys that are too old.
  void Tick();

  // The way to them may have changed: what failed is due again. Any thread.
  void Retry();

  const Whose& whose() const { return whose_; }

 private:
  struct Fetched {
    std::string text;
    KeysPtr keys;
    std::optional<std::chrono::seconds> max_age;
  };
  struct Waiter;
  // Not more wait at a time; who comes then is refused at once.
  static constexpr std::size_t kMostWaiters = 1024;

  void Begin();  // needs mutex_; the source said kFetch or kUseAndFetch
  static Task<void> Run(std::shared_ptr<LiveKeys> self);
  Task<Result<Fetched>> Ask() const;
  Task<Result<std::string>> FindUrl() const;
  Task<Result<fetch::Response>> Get(std::string url, std::size_t max_bytes) const;
  void Done(Result<Fetched> got);
  // Null: no point in waiting.
  std::shared_ptr<Waiter> Join(const Executor& executor);
  void Leave(const std::shared_ptr<Waiter>& waiter);

  const Whose whose_;
  const Means means_;
  const std::shared_ptr<telemetry::Gauge> age_;
  std::atomic<std::uint64_t> version_{1};

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  KeySource source_;
  KeysPtr keys_;
  std::string text_;  // that they were read from
  TimePoint fetched_at_{};
  std::list<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace switchyard::auth
