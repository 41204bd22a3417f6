// The audit log of the process: takes events from any thread and writes them, on a thread of its
// own, to the chain (log_file.h). What calls pay is the making of their event and one place in a
// queue of their own thread; they never wait for the disk.
//
// While it cannot write, on_failure says what becomes of calls: `refuse` lets none begin whose
// record has no place, so nothing runs unrecorded; `drop` lets them run, counts what is lost, and
// says in a record (`gap`) how much that was, once it can write again.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audit/anomalies.h"
#include "audit/event.h"
#include "audit/lane.h"
#include "audit/log_file.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "config/config.h"
#include "telemetry/metrics.h"

namespace switchyard::audit {

class Log final : public Sink {
 public:
  // Both outlive this. Off until Configure().
  Log(const Clock& clock, telemetry::Metrics& metrics, Disk disk = Disk::Real(),
      std::chrono::milliseconds patience = std::chrono::seconds(5));
  ~Log() override;  // Close()
  Log(const Log&) = delete;

  // Opens, moves or closes the log. An Error (kInvalid; kUnavailable: the disk hangs) leaves
  // everything as it was. One caller at a time; waits for the writer, `patience` at most.
  Result<void> Configure(const config::Audit& settings);
  // Writes what is left, for a second at most when the disk does not take it. Nobody puts any more.
  void Close();

  bool on() const override { return on_.load(std::memory_order_relaxed); }
  Admission Admit() override;
  void Put(std::unique_ptr<Event> event) override;
  void Note(Event event) override;

  // Waits until what was put before is written; false: it cannot be written now. For tests, and who
  // is about to read the file.
  bool Flush();

 private:
  struct Counters;
  using Lock = std::unique_lock<std::mutex>;

  Lane& OwnLane();
  void Wake();
  void Hurry();

  // ---- On the writer's thread.
  void Run();
  void WaitForWork();
  bool Hurried();  // whether somebody waits for the writer
  std::vector<std::shared_ptr<Lane>> Lanes();
  void Drain();
  void TakeOver();
  void Write(Event& event);
  void NoteGap();
  bool WriteOut();
  void Failed(const Error& error);
  void SyncIfDue();

  const Clock& clock_;
  telemetry::Metrics& metrics_;
  const Disk disk_;
  const std::chrono::milliseconds patience_;
  const std::uint64_t id_;  // tells apart logs that lived at the same address
  const std::unique_ptr<Counters> counters_;

  std::atomic<bool> on_{false}, refuses_{true}, failing_{false};
  std::atomic<bool> asleep_{false};  // the writer is, or is about to be: whoever puts wakes it
  std::atomic<std::uint64_t> turned_away_{0};  // calls, since the last gap record
  Fd wake_;                                    // an eventfd

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Lane>> lanes_;
  std::uint64_t flushes_wanted_ = 0, flushes_done_ = 0;
  bool flushed_ = true;  // whether the last one wrote all
  std::unique_ptr<LogFile> next_;
  std::optional<config::Audit> next_settings_;
  bool taking_over_ = false;  // the writer has taken those that were next, and is not done
  bool stopping_ = false;

  // Of the writer's thread alone, or of Configure() while there is none.
  std::unique_ptr<LogFile> file_;
  config::Audit settings_;
  Anomalies anomalies_;
  std::uint64_t dropped_ = 0;  // that no record tells of yet
  std::string failure_;        // "" = it can write
  TimePoint synced_{};

  std::string path_;  // as configured; of Configure()
  config::Secret key_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace switchyard::audit
