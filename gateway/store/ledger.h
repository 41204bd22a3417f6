// The memory store whose durable counters (Store::Charge::durable) survive the process: they are
// written to a file behind the calls' backs and read back at the start. Calls never wait for the
// disk: what was charged within the last moments before a kill -9, some 20 ms, is lost.
//
//   calls -> memory store, and the key is marked -> the writer thread takes the marked keys, looks
//   up what they count by now, and saves that: one row a counter however often it was charged
//
// While the file cannot be written, counting goes on in memory, marked keys wait, and the metrics
// and one line in the log say so; what waits is bounded by what the memory store holds.
//
// Ages go by the wall clock from one process to the next, and by the process' clock within one. A
// wall clock that was set forward between the two ends windows that much earlier; one that was set
// back makes what counted count as added now, so nothing counts longer than its window.
//
// Thread-safe, except for Open and Close: before the first call, and after the last.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/string_hash.h"
#include "store/ledger_file.h"
#include "store/memory.h"

namespace switchyard::telemetry {
class Counter;
class Gauge;
class Metrics;
}  // namespace switchyard::telemetry

namespace switchyard::store {

class Ledger final : public Store {
 public:
  // By the machine's clock: how long the writer rests. It begins at once when there was nothing to
  // do before.
  struct Pace {
    std::chrono::milliseconds between = std::chrono::milliseconds(20);
    std::chrono::milliseconds after_failure = std::chrono::seconds(1);
  };
  // Both outlive it. Until Open() it is the memory store and nothing else.
  Ledger(MemoryStore& memory, const Clock& clock, Pace pace);
  Ledger(MemoryStore& memory, const Clock& clock) : Ledger(memory, clock, Pace{}) {}
  ~Ledger() override;  // Close()

  // Reads what is there into the memory store; from then on durable charges are saved. The
  // metrics outlive it.
  Result<void> Open(const std::string& path, telemetry::Metrics& metrics);
  // Saves what is not saved yet, if that is possible now.
  void Close();
  // Has the writer try at once, and waits for it. True: whatever was charged before is saved.
  bool Flush();

  Eventual<Charged> Add(std::span<const Charge> charges, TimePoint now) override;
  Eventual<Drawn> Draw(std::span<const Bucket> buckets, TimePoint now) override;
  Eventual<std::optional<Item>> Get(Key key, TimePoint now) override;
  Eventual<Swapped> Swap(Key key, std::uint64_t version, std::string value, Duration keep,
                         TimePoint now) override;
  Eventual<std::uint64_t> Put(Key key, std::string value, Duration keep, TimePoint now) override;
  Eventual<bool> Erase(Key key, TimePoint now) override;

  // Counters with charges that are not saved. For tests, and when it is closed.
  std::size_t unsaved() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_set<std::string, StringHash, std::equal_to<>> keys;  // marked, guarded by mutex
    std::size_t prune_at = 4096;                                        // guarded by mutex
  };

  void MarkKey(std::string_view key);
  void Prune(Shard& shard) const;  // under its lock
  std::vector<std::string> TakeMarked();
  void Run();   // the writer
  bool Save();  // on the writer: whatever is marked
  Result<void> SaveSome(std::span<const std::string> keys);
  void Report(const Result<void>& saved);
  LedgerFile::Row RowOf(std::string key) const;
  // From the process' clock to the wall clock, by what both say now.
  Duration ToWall() const;

  MemoryStore& memory_;
  const Clock& clock_;
  const Pace pace_;
  telemetry::Counter* errors_ = nullptr;
  std::shared_ptr<telemetry::Gauge> behind_;
  std::optional<LedgerFile> file_;  // used by the writer alone once it runs
  bool failing_ = false;            // the writer's: the last attempt failed

  std::array<Shard, kShards> shards_;
  std::atomic<bool> marked_{false};  // something was marked since the writer looked

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, tried_;
  std::uint64_t asked_ = 0, answered_ = 0;  // flushes
  bool retry_ = false;                      // something is left over from the last attempt
  bool stop_ = false;
  std::thread writer_;
};

}  // namespace switchyard::store
