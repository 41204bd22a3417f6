#include "audit/log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include <spdlog/spdlog.h>

#include "audit/body.h"

namespace switchyard::audit {
namespace {

using std::chrono::milliseconds;

// Busy threads pay for one wake-up in this time.
constexpr milliseconds kGather{5};
constexpr milliseconds kRetry{200};  // of a disk that takes nothing
constexpr std::chrono::seconds kFarewell{1};
constexpr std::size_t kMostWaiting = std::size_t{1} << 20;  // bytes, of a disk that takes nothing
constexpr std::size_t kBatch = std::size_t{256} << 10;

std::uint64_t NextId() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

}  // namespace

struct Log::Counters {
  explicit Counters(telemetry::Metrics& metrics)
      : records(metrics.CounterOf("switchyard_audit_records_total", {})),
        dropped(metrics.CounterOf("switchyard_audit_dropped_total", {})),
        refused(metrics.CounterOf("switchyard_audit_refused_total", {})) {
    for (std::size_t i = 0; i < kUnusuals; ++i) {
      const std::string kind(ToString(static_cast<Unusual>(i)));
      anomalies.at(i) = &metrics.CounterOf("switchyard_audit_anomalies_total", {kind});
    }
  }

  telemetry::Counter& records;
  telemetry::Counter& dropped;
  telemetry::Counter& refused;
  std::array<telemetry::Counter*, kUnusuals> anomalies{};
  std::shared_ptr<telemetry::Gauge> failing;  // shown once there was a log
};

Log::Log(const Clock& clock, telemetry::Metrics& metrics, Disk disk, milliseconds patience)
    : clock_(clock),
      metrics_(metrics),
      disk_(std::move(disk)),
      patience_(patience),
      id_(NextId()),
      counters_(std::make_unique<Counters>(metrics)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      anomalies_(config::Audit::Anomalies()) {}

Log::~Log() { Close(); }

Result<void> Log::Configure(const config::Audit& settings) {
  const bool same = settings.path == path_ && settings.key == key_;
  if (!same && settings.path == path_ && !path_.empty()) {
    return Failure(Code::kInvalid, Origin::kGateway,
                   "audit.key: the log goes on under the key that it began with; give a log with "
                   "another key another path");
  }
  std::unique_ptr<LogFile> opened;
  if (!same && !settings.path.empty()) {
    Result<std::unique_ptr<LogFile>> made = LogFile::Open(settings, clock_, disk_);
    if (!made) return Failure(std::move(made.error()));
    opened = std::move(*made);
  }
  if (same && path_.empty()) return {};
  const bool was_on = on_;
  if (settings.path.empty()) on_ = false;  // what was let in before is still written
  if (counters_->failing == nullptr) {     // before there is a thread that uses it
    counters_->failing = metrics_.GaugeOf("switchyard_audit_failing", {});
  }
  {
    Lock lock(mutex_);
    next_ = std::move(opened);
    next_settings_ = settings;
    if (!thread_.joinable()) {
      stopping_ = false;
      thread_ = std::thread([this] { Run(); });
    }
    Hurry();
    const auto done = [this] { return !next_settings_ && !taking_over_; };
    if (!changed_.wait_for(lock, patience_, done)) {
      if (next_settings_) {  // it hangs in the log that there was: that one stays
        next_.reset();
        next_settings_.reset();
        on_ = was_on;
        return Failure(Code::kUnavailable, Origin::kGateway,
                       "audit: the disk of " + path_ +
                           " hangs, so the log stays as it is; try again when it answers");
      }
      spdlog::error("audit: the disk hangs; the log goes over when it answers");
    }
  }
  path_ = settings.path;
  key_ = settings.key;
  refuses_ = settings.on_failure == config::Audit::OnFailure::kRefuse;
  if (!path_.empty()) on_ = true;
  return {};
}

void Log::Close() {
  on_ = false;
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  Hurry();
  thread_.join();
}

// ---- on the way of a call

Lane& Log::OwnLane() {
  struct Own {
    std::uint64_t log;
    std::shared_ptr<Lane> lane;
  };
  thread_local std::vector<Own> own;
  for (const Own& one : own) {
    if (one.log == id_) return *one.lane;
  }
  std::erase_if(own, [](const Own& one) { return one.lane.use_count() == 1; });  // their logs ended
  auto lane = std::make_shared<Lane>();
  own.push_back({.log = id_, .lane = lane});
  const std::lock_guard lock(mutex_);
  lanes_.push_back(lane);
  return *lane;
}

Sink::Admission Log::Admit() {
  if (!on()) return Admission::kOff;
  Lane& lane = OwnLane();
  if (!refuses_.load(std::memory_order_relaxed)) {
    lane.Owe();
    return Admission::kGranted;
  }
  if (!failing_.load(std::memory_order_relaxed) && lane.Reserve()) return Admission::kGranted;
  counters_->refused.Add();
  turned_away_.fetch_add(1, std::memory_order_relaxed);
  return Admission::kRefused;
}

void Log::Put(std::unique_ptr<Event> event) {
  OwnLane().Put(std::move(event));
  Wake();
}

void Log::Note(Event event) {
  if (!on()) return;
  OwnLane().PutIfRoom(std::make_unique<Event>(std::move(event)));
  Wake();
}

// The writer says that it goes to sleep and then looks once more; here, the other way round: one of
// the two sees the other.
void Log::Wake() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!asleep_.load(std::memory_order_relaxed)) return;
  if (asleep_.exchange(false)) Hurry();
}

void Log::Hurry() { [[maybe_unused]] const int written = ::eventfd_write(wake_.get(), 1); }

bool Log::Flush() {
  Lock lock(mutex_);
  if (!thread_.joinable()) return true;
  const std::uint64_t wanted = ++flushes_wanted_;
  Hurry();
  changed_.wait(lock, [&] { return flushes_done_ >= wanted; });
  return flushed_;
}

// ---- the writer

void Log::Run() {
  std::optional<std::chrono::steady_clock::time_point> give_up;
  for (;;) {
    WaitForWork();
    std::uint64_t flushes = 0;
    bool stopping = false;
    bool moves = false;
    {
      const std::lock_guard lock(mutex_);
      flushes = flushes_wanted_;
      stopping = stopping_;
      moves = next_settings_.has_value();
    }
    Drain();
    if (moves) TakeOver();
    if (stopping && file_ != nullptr) {
      if (!give_up) {
        give_up = std::chrono::steady_clock::now() + kFarewell;
        file_->Append(OwnBody(clock_.WallNow(), "closed").text());
      }
      WriteOut();
    }
    if (file_ != nullptr && settings_.sync != config::Audit::Sync::kNone) SyncIfDue();
    const bool all = file_ == nullptr || file_->waiting() == 0;
    {
      const std::lock_guard lock(mutex_);
      if (flushes > flushes_done_) {
        flushes_done_ = flushes;
        flushed_ = all;
        changed_.notify_all();
      }
    }
    if (!stopping) continue;
    if (!all && std::chrono::steady_clock::now() < *give_up) continue;
    if (!all) spdlog::error("audit: the last records could not be written: {}", failure_);
    if (file_ != nullptr) static_cast<void>(file_->Sync());
    file_ = nullptr;
    return;
  }
}

void Log::WaitForWork() {
  const auto wait = [this](milliseconds time) {
    pollfd ready{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    const bool woken = ::poll(&ready, 1, static_cast<int>(time.count())) > 0;
    eventfd_t ignored = 0;
    if (woken) ::eventfd_read(wake_.get(), &ignored);
    return woken;
  };
  if (!failure_.empty()) {
    wait(kRetry);
    return;
  }
  asleep_.store(true);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const bool idle =
      !Hurried() && std::ranges::all_of(Lanes(), [](const auto& lane) { return lane->empty(); });
  if (idle) {
    milliseconds most{-1};
    if (file_ != nullptr && file_->dirty() && settings_.sync == config::Audit::Sync::kInterval) {
      most = std::chrono::ceil<milliseconds>(settings_.sync_interval);
    }
    wait(most);
  }
  asleep_.store(false);
  if (!Hurried()) wait(kGather);
}

bool Log::Hurried() {
  const std::lock_guard lock(mutex_);
  return next_settings_ || stopping_ || flushes_wanted_ != flushes_done_;
}

std::vector<std::shared_ptr<Lane>> Log::Lanes() {
  const std::lock_guard lock(mutex_);
  return lanes_;
}

void Log::Drain() {
  for (const std::shared_ptr<Lane>& lane : Lanes()) {
    const std::uint64_t dropped = lane->TakeDropped();
    dropped_ += dropped;
    counters_->dropped.Add(dropped);
    while (file_ == nullptr || file_->waiting() < kMostWaiting) {
      const std::unique_ptr<Event> event = lane->Take();
      if (event == nullptr) break;
      if (file_ == nullptr) {  // let in before it was closed: the next log says how many
        ++dropped_;
        counters_->dropped.Add();
        continue;
      }
      Write(*event);
      if (file_->waiting() >= kBatch) WriteOut();
    }
  }
  if (file_ == nullptr) return;
  if ((dropped_ > 0 || turned_away_ > 0) && failure_.empty()) NoteGap();
  WriteOut();
}

void Log::Write(Event& event) {
  const std::vector<Anomalies::Found> found = anomalies_.See(event);
  file_->Append(BodyOf(event));
  counters_->records.Add();
  for (const Anomalies::Found& one : found) {
    counters_->anomalies.at(static_cast<std::size_t>(one.kind))->Add();
    OwnBody body(event.time, "anomaly");
    body.Add("kind", ToString(one.kind));
    body.Add("issuer", event.issuer).Add("subject", event.subject).Add("client", event.client);
    if (one.count > 0) body.Add("count", one.count);
    if (one.kind == Unusual::kUnseenTool) {
      body.Add("server", event.server).Add("tool", event.item);
    }
    file_->Append(body.text());
    counters_->records.Add();
  }
}

void Log::NoteGap() {
  OwnBody body(clock_.WallNow(), "gap");
  body.Add("dropped", dropped_).Add("calls_refused", turned_away_.exchange(0));
  body.Add("reason", failure_.empty() ? "more came than could be written" : failure_);
  dropped_ = 0;
  file_->Append(body.text());
  counters_->records.Add();
}

// False: the disk does not take it; what is left is tried again.
bool Log::WriteOut() {
  Result<void> written = file_->Flush();
  const bool syncs = settings_.sync == config::Audit::Sync::kEach ||
                     (settings_.sync == config::Audit::Sync::kInterval && !failure_.empty());
  if (written && syncs) written = file_->Sync();
  if (!written) {
    Failed(written.error());
    return false;
  }
  if (failure_.empty()) return true;
  spdlog::warn("audit: {} can be written again", file_->path());
  NoteGap();
  failure_.clear();
  failing_ = false;
  counters_->failing->Set(0);
  written = file_->Flush();
  if (!written) Failed(written.error());
  return written.has_value();
}

void Log::Failed(const Error& error) {
  if (failure_.empty()) {
    spdlog::error("audit: {}; calls {} until it can be written", error.message,
                  refuses_ ? "are refused" : "go on, their records may be lost");
  }
  failure_ = error.message;
  failing_ = true;
  counters_->failing->Set(1);
}

void Log::SyncIfDue() {
  const TimePoint now = clock_.Now();
  if (!file_->dirty() || now - synced_ < settings_.sync_interval) return;
  synced_ = now;
  if (Result<void> synced = file_->Sync(); !synced) Failed(synced.error());
}

// Everything that came before is in the file before, or, if that cannot be written, in this one.
void Log::TakeOver() {
  std::unique_ptr<LogFile> next;
  config::Audit settings;
  {
    const std::lock_guard lock(mutex_);
    if (!next_settings_) return;  // who asked for it has given up
    taking_over_ = true;          // what comes to be next meanwhile is for another time
    next = std::move(next_);
    settings = std::move(*next_settings_);
    next_settings_.reset();
  }
  if (file_ != nullptr && settings.path != settings_.path) {
    file_->Append(OwnBody(clock_.WallNow(), "closed").Add("goes_on_at", settings.path).text());
    WriteOut();
    static_cast<void>(file_->Sync());
    std::deque<std::string> unsaved = file_->TakeUnsaved();
    if (next != nullptr) {
      for (std::string& body : unsaved) next->Append(std::move(body));
    } else if (!unsaved.empty()) {
      spdlog::error("audit: {} records could not be written: {}", unsaved.size(), failure_);
    }
    file_ = nullptr;
  }
  if (next != nullptr) file_ = std::move(next);
  if (file_ != nullptr) {
    file_->Set(settings);
    settings_ = settings;
    anomalies_.Set(settings.anomalies);
    WriteOut();
  } else {
    settings_ = settings;
    failure_.clear();
    failing_ = false;
  }
  const std::lock_guard lock(mutex_);
  taking_over_ = false;
  changed_.notify_all();
}

}  // namespace switchyard::audit
