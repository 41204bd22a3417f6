#include "store/ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "telemetry/counter.h"
#include "telemetry/gauge.h"
#include "telemetry/metrics.h"

namespace switchyard::store {
namespace {

constexpr std::size_t kRowsATransaction = 1000;
// Rows that are over, looked at with each transaction: more than it can have added.
constexpr std::int64_t kExpiredATransaction = 2 * kRowsATransaction;

}  // namespace

Ledger::Ledger(MemoryStore& memory, const Clock& clock, Pace pace)
    : memory_(memory), clock_(clock), pace_(pace) {}

Ledger::~Ledger() { Close(); }

Duration Ledger::ToWall() const {
  return std::chrono::duration_cast<Duration>(clock_.WallNow().time_since_epoch()) -
         clock_.Now().time_since_epoch();
}

Result<void> Ledger::Open(const std::string& path, telemetry::Metrics& metrics) {
  Result<LedgerFile> file = LedgerFile::Open(path);
  if (!file) return Failure(std::move(file.error()));
  const Duration to_wall = ToWall();
  const TimePoint now = clock_.Now();
  std::size_t restored = 0;
  const Result<void> loaded = file->Load(now + to_wall, [&](LedgerFile::Row row) {
    Window::State& state = *row.state;
    state.begin = std::min(state.begin - to_wall, now);  // the wall clock was set back: now
    memory_.Restore(row.key, state);
    ++restored;
  });
  if (!loaded) return loaded;
  file_.emplace(std::move(*file));
  errors_ = &metrics.CounterOf("switchyard_ledger_errors_total", {});
  behind_ = metrics.GaugeOf("switchyard_ledger_behind", {});
  spdlog::info("ledger: {} has {} counters", path, restored);
  writer_ = std::thread([this] { Run(); });
  return {};
}

void Ledger::Close() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  writer_.join();
  if (const std::size_t lost = unsaved(); lost != 0) {
    spdlog::error("ledger: closed with {} counters not saved", lost);
  }
  file_.reset();
}

bool Ledger::Flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++asked_;
  wake_.notify_one();
  tried_.wait(lock, [&] { return answered_ >= mine; });
  return !retry_;
}

// ---- On the calls' threads.

Eventual<Store::Charged> Ledger::Add(std::span<const Charge> charges, TimePoint now) {
  Eventual<Charged> charged = memory_.Add(charges, now);
  if (!file_ || !*charged || !(*charged)->taken) return charged;
  for (const Charge& charge : charges) {
    if (charge.durable && charge.amount != 0) MarkKey(charge.key.text);
  }
  return charged;
}

void Ledger::MarkKey(std::string_view key) {
  Shard& shard = shards_[(StringHash()(key) >> 32) % kShards];
  {
    const std::lock_guard lock(shard.mutex);
    if (!shard.keys.contains(key)) {
      if (shard.keys.size() >= shard.prune_at) Prune(shard);
      shard.keys.emplace(key);
    }
  }
  // Seen as true, it was set after the writer had taken this shard's keys, or the writer has yet
  // to take them.
  if (marked_.load(std::memory_order_relaxed) || marked_.exchange(true)) return;
  {
    const std::lock_guard lock(mutex_);  // or the writer is about to wait and does not hear it
  }
  wake_.notify_one();
}

// Keys wait for long only while the file cannot be written, and those of counters that have ended
// since need not: what the file says of them ends, too. So no more wait than twice what counts.
void Ledger::Prune(Shard& shard) const {
  const TimePoint now = clock_.Now();
  std::erase_if(shard.keys,
                [&](const std::string& key) { return !memory_.CounterAt(key, now).has_value(); });
  shard.prune_at = std::max<std::size_t>(4096, 2 * shard.keys.size());
}

// ---- On the writer.

void Ledger::Run() {
  auto next = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto hurry = [this] { return stop_ || asked_ != answered_; };
    wake_.wait(lock, [&] { return hurry() || retry_ || marked_; });
    wake_.wait_until(lock, next, hurry);
    const std::uint64_t asked = asked_;
    const bool last = stop_;
    lock.unlock();
    const bool saved = Save();
    next = std::chrono::steady_clock::now() + (saved ? pace_.between : pace_.after_failure);
    lock.lock();
    retry_ = !saved;
    answered_ = asked;
    tried_.notify_all();
    if (last) return;
  }
}

std::vector<std::string> Ledger::TakeMarked() {
  marked_ = false;  // before the keys are looked at, see MarkKey()
  std::vector<std::string> keys;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    while (!shard.keys.empty()) {
      keys.push_back(std::move(shard.keys.extract(shard.keys.begin()).value()));
    }
    shard.prune_at = 4096;
  }
  return keys;
}

bool Ledger::Save() {
  const std::vector<std::string> keys = TakeMarked();
  std::span<const std::string> left(keys);
  Result<void> saved;
  do {
    const std::span<const std::string> some = left.first(std::min(left.size(), kRowsATransaction));
    saved = SaveSome(some);
    if (saved) left = left.subspan(some.size());
  } while (saved && !left.empty());
  for (const std::string& key : left) {
    Shard& shard = shards_[(StringHash()(key) >> 32) % kShards];
    const std::lock_guard lock(shard.mutex);
    shard.keys.insert(key);
  }
  Report(saved);
  return saved.has_value();
}

Result<void> Ledger::SaveSome(std::span<const std::string> keys) {
  std::vector<LedgerFile::Row> rows;
  for (const std::string& key : keys) rows.push_back(RowOf(key));
  // What is over by its row, though not always by the store: the wall clock may have been set.
  Result<std::vector<std::string>> expired =
      file_->Expired(clock_.Now() + ToWall(), kExpiredATransaction);
  if (!expired) return Failure(std::move(expired.error()));
  for (std::string& key : *expired) rows.push_back(RowOf(std::move(key)));
  if (rows.empty()) return {};
  return file_->Save(rows);
}

LedgerFile::Row Ledger::RowOf(std::string key) const {
  std::optional<Window::State> state = memory_.CounterAt(key, clock_.Now());
  if (state) state->begin += ToWall();
  return {.key = std::move(key), .state = state};
}

void Ledger::Report(const Result<void>& saved) {
  behind_->Set(saved ? 0 : static_cast<std::int64_t>(unsaved()));
  if (!saved) errors_->Add();
  if (failing_ == !saved) return;
  failing_ = !saved;
  if (saved) {
    spdlog::info("ledger: saved again, nothing is missing");
  } else {
    spdlog::error("ledger: cannot save, counting goes on in memory: {} ({})", saved.error().message,
                  saved.error().detail);
  }
}

std::size_t Ledger::unsaved() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.keys.size();
  }
  return sum;
}

// ---- Straight through.

Eventual<Store::Drawn> Ledger::Draw(std::span<const Bucket> buckets, TimePoint now) {
  return memory_.Draw(buckets, now);
}

Eventual<std::optional<Store::Item>> Ledger::Get(Key key, TimePoint now) {
  return memory_.Get(key, now);
}

Eventual<Store::Swapped> Ledger::Swap(Key key, std::uint64_t version, std::string value,
                                      Duration keep, TimePoint now) {
  return memory_.Swap(key, version, std::move(value), keep, now);
}

Eventual<std::uint64_t> Ledger::Put(Key key, std::string value, Duration keep, TimePoint now) {
  return memory_.Put(key, std::move(value), keep, now);
}

Eventual<bool> Ledger::Erase(Key key, TimePoint now) { return memory_.Erase(key, now); }

}  // namespace switchyard::store
