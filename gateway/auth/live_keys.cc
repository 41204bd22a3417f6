#include "auth/live_keys.h"

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

#include "auth/discovery.h"
#include "auth/jwk.h"
#include "base/mailbox.h"
#include "base/worker_timers.h"
#include "telemetry/metrics.h"

namespace switchyard::auth {
namespace {

constexpr unsigned kMostRsaBits = 4096;
constexpr unsigned kRedirects = 3;
constexpr Duration kPatience = std::chrono::seconds(10);    // of one request of a fetch
constexpr Duration kWaitForKeys = std::chrono::seconds(5);  // of a client for a fetch

}  // namespace

struct LiveKeys::Waiter {
  explicit Waiter(Executor where) : executor(std::move(where)) {}
  const Executor executor;
  Mailbox<bool> wake;  // of the executor's thread
};

LiveKeys::LiveKeys(Whose whose, Means means)
    : whose_(std::move(whose)),
      means_(std::move(means)),
      age_(means_.metrics.GaugeOf("switchyard_keys_age_seconds", {whose_.issuer})),
      source_(means_.rules) {
  age_->Set(-1);
}

KeysPtr LiveKeys::Current() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

void LiveKeys::Tick() {
  const TimePoint now = means_.clock.Now();
  const std::lock_guard lock(mutex_);
  const KeySource::Do next = source_.OnToken(now);
  if (next == KeySource::Do::kFetch || next == KeySource::Do::kUseAndFetch) Begin();
  const bool usable = next == KeySource::Do::kUse || next == KeySource::Do::kUseAndFetch;
  if (!usable && keys_ != nullptr) {
    spdlog::error("auth: the keys of {} are too old to be trusted, its tokens are refused",
                  whose_.issuer);
    keys_ = nullptr;
    text_.clear();
    version_.fetch_add(1, std::memory_order_release);
  }
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - fetched_at_);
  age_->Set(keys_ == nullptr ? -1 : age.count());
}

void LiveKeys::Retry() {
  const std::lock_guard lock(mutex_);
  source_.Retry();
}

void LiveKeys::Begin() {
  source_.Started(means_.clock.Now());
  net::post(means_.executor, [self = shared_from_this()] {
    Spawn(self->means_.executor, "keys of " + self->whose_.issuer, Run(self));
  });
}

Task<void> LiveKeys::Run(std::shared_ptr<LiveKeys> self) {
  Result<Fetched> got = Failure(Code::kInternal, Origin::kGateway, "nothing came");
  try {
    got = co_await self->Ask();
  } catch (const std::exception& error) {  // or no other fetch would ever begin
    got.error().detail = error.what();
  }
  self->Done(std::move(got));
}

Task<Result<fetch::Response>> LiveKeys::Get(std::string url, std::size_t max_bytes) const {
  fetch::Request request{.url = std::move(url),
                         .headers = {{"Accept", "application/json"}},
                         .max_bytes = max_bytes,
                         .max_redirects = kRedirects};
  return means_.fetcher.Fetch(std::move(request), Deadline::In(means_.clock, kPatience));
}

Task<Result<std::string>> LiveKeys::FindUrl() const {
  if (!whose_.jwks_url.empty()) co_return whose_.jwks_url;
  int status = 0;
  for (std::string& url : MetadataUrls(whose_.issuer)) {
    Result<fetch::Response> response = co_await Get(std::move(url), kMaxMetadata);
    if (!response) co_return Failure(std::move(response.error()));
    if (response->status == 200) co_return KeysUrlIn(response->body, whose_.issuer);
    status = response->status;
    if (status >= 500) break;  // it has one, only not now
  }
  co_return Failure(Code::kUnavailable, Origin::kServer,
                    "no metadata of the issuer, the last answer was " + std::to_string(status));
}

Task<Result<LiveKeys::Fetched>> LiveKeys::Ask() const {
  Result<std::string> url = co_await FindUrl();
  if (!url) co_return Failure(std::move(url.error()));
  Result<fetch::Response> response = co_await Get(std::move(*url), kMaxKeysText);
  if (!response) co_return Failure(std::move(response.error()));
  if (response->status != 200) {
    co_return Failure(Code::kUnavailable, Origin::kServer,
                      "the answer was " + std::to_string(response->status));
  }
  Result<KeysRead> read =
      ReadJwks(response->body, {.algorithms = whose_.algorithms, .max_rsa_bits = kMostRsaBits});
  if (!read) co_return Failure(std::move(read.error()));
  for (const std::string& why : read->skipped) {
    spdlog::info("auth: a key of {} is of no use: {}", whose_.issuer, why);
  }
  Fetched fetched{.text = std::move(response->body),
                  .keys = std::make_shared<const KeySet>(std::move(read->keys)),
                  .max_age = MaxAgeOf(response->Find("Cache-Control"))};
  co_return fetched;
}

void LiveKeys::Done(Result<Fetched> got) {
  means_.metrics.CounterOf("switchyard_key_fetches_total", {whose_.issuer, got ? "ok" : "failed"})
      .Add();
  if (!got) {
    spdlog::warn("auth: the keys of {} could not be fetched: {}{}{}", whose_.issuer,
                 got.error().message, got.error().detail.empty() ? "" : ": ", got.error().detail);
  }
  const double random = means_.random();
  const TimePoint now = means_.clock.Now();
  std::list<std::shared_ptr<Waiter>> waiters;
  {
    const std::lock_guard lock(mutex_);
    if (!got) {
      source_.Failed(now, random);
    } else {
      source_.Fetched(now, got->max_age);
      fetched_at_ = now;
      age_->Set(0);
      // The same text: what was verified by it still is.
      if (keys_ == nullptr || text_ != got->text) {
        keys_ = std::move(got->keys);
        text_ = std::move(got->text);
        version_.fetch_add(1, std::memory_order_release);
      }
    }
    waiters.swap(waiters_);
  }
  for (std::shared_ptr<Waiter>& waiter : waiters) {
    const Executor executor = waiter->executor;
    net::post(executor, [waiter = std::move(waiter)] { waiter->wake.Put(true); });
  }
}

std::shared_ptr<LiveKeys::Waiter> LiveKeys::Join(const Executor& executor) {
  const std::lock_guard lock(mutex_);
  switch (source_.OnUnknownKey(means_.clock.Now())) {
    case KeySource::Do::kUse:
    case KeySource::Do::kUseAndFetch:
    case KeySource::Do::kRefuse: return nullptr;
    case KeySource::Do::kFetch: Begin(); break;
    case KeySource::Do::kWait: break;
  }
  if (waiters_.size() >= kMostWaiters) return nullptr;
  return waiters_.emplace_back(std::make_shared<Waiter>(executor));
}

void LiveKeys::Leave(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  std::erase(waiters_, waiter);
}

Task<bool> LiveKeys::AwaitNewer(std::uint64_t seen, Deadline deadline) {
  if (version() != seen) co_return true;
  const Executor executor = co_await net::this_coro::executor;
  const std::shared_ptr<Waiter> waiter = Join(executor);
  if (waiter == nullptr) co_return version() != seen;
  struct Place {
    LiveKeys& keys;
    const std::shared_ptr<Waiter>& waiter;
    ~Place() { keys.Leave(waiter); }
  } const place{*this, waiter};
  deadline.ShrinkTo(Deadline::In(means_.clock, kWaitForKeys));
  const Timers::Handle timer =
      TimersOf(executor, means_.clock).At(deadline.at(), [waiter] { waiter->wake.Put(false); });
  co_await waiter->wake.Take();
  co_return version() != seen;
}

}  // namespace switchyard::auth
