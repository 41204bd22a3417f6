#include "audit/log_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/algorithm/hex.hpp>
#include <spdlog/spdlog.h>

#include "audit/body.h"
#include "audit/files.h"
#include "base/digest.h"
#include "base/random.h"

namespace switchyard::audit {
namespace {

namespace fs = std::filesystem;

std::string Because() { return std::generic_category().message(errno); }

std::unexpected<Error> Unusable(const std::string& path, const std::string& why) {
  return Failure(Code::kInvalid, Origin::kGateway, "audit.path: " + path + ": " + why);
}

std::unexpected<Error> Wrong(std::string what) {
  return Failure(Code::kInvalid, Origin::kGateway, std::move(what));
}

constexpr int kOpenFlags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
constexpr mode_t kMode = S_IRUSR | S_IWUSR;

void SyncDirectoryOf(const std::string& path) {
  fs::path parent = fs::path(path).parent_path();
  const Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) ::fsync(directory.get());
}

std::string RandomId() {
  std::array<std::uint8_t, 16> bytes;
  SecureRandom(bytes);
  return boost::algorithm::hex_lower(std::string(bytes.begin(), bytes.end()));
}

}  // namespace

Disk Disk::Real() {
  return {.write = [](int fd, const void* bytes,
                      std::size_t count) { return ::write(fd, bytes, count); },
          .sync = [](int fd) { return ::fdatasync(fd); }};
}

LogFile::LogFile(const config::Audit& settings, const Clock& clock, Disk disk)
    : settings_(settings),
      clock_(clock),
      disk_(std::move(disk)),
      hasher_(settings.key.empty() ? Hasher() : Hasher(settings.key.Reveal())) {}

Result<std::unique_ptr<LogFile>> LogFile::Open(const config::Audit& settings, const Clock& clock,
                                               Disk disk) {
  std::unique_ptr<LogFile> log(new LogFile(settings, clock, std::move(disk)));
  if (Result<void> taken = log->TakeLock(); !taken) return Failure(std::move(taken.error()));
  if (Result<void> opened = log->OpenCurrent(); !opened) return Failure(std::move(opened.error()));
  Result<Tail> tail = ReadTail(log->file_.get(), settings.path, log->hasher_);
  if (!tail) return Failure(std::move(tail.error()));
  if (Result<void> on = log->GoOn(std::move(*tail)); !on) return Failure(std::move(on.error()));
  return log;
}

Result<void> LogFile::Inspect(const config::Audit& settings) {
  if (settings.path.empty()) return {};
  const fs::path parent = fs::path(settings.path).parent_path();
  std::error_code error;
  const fs::file_status directory = fs::status(parent, error);
  if (directory.type() == fs::file_type::not_found) {
    return Wrong(settings.path + ": there is no directory " + parent.string() + "; make it");
  }
  if (directory.type() != fs::file_type::directory || ::access(parent.c_str(), W_OK | X_OK) != 0) {
    return Wrong(settings.path + ": this user cannot write to " + parent.string() +
                 "; name a file in a directory that it can write to");
  }
  const fs::file_status file = fs::symlink_status(settings.path, error);
  if (file.type() == fs::file_type::not_found) return {};
  if (file.type() != fs::file_type::regular) {
    return Wrong(settings.path + ": is no regular file");
  }
  if (::access(settings.path.c_str(), R_OK | W_OK) == 0) return {};
  return Wrong(settings.path + ": cannot be written: " + Because() +
               "; name a file that this user can write to");
}

Result<void> LogFile::TakeLock() {
  const std::string name = settings_.path + ".lock";
  lock_ = Fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!lock_.valid()) {
    return Unusable(settings_.path, "cannot be written: " + Because() +
                                        "; name a file in a directory that this user can write to");
  }
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Unusable(settings_.path,
                    "is written by another gateway; stop that one, or give each a file of its own");
  }
  return {};
}

Result<void> LogFile::OpenCurrent() {
  ::unlink((settings_.path + ".new").c_str());  // of a rotation that did not come to its end
  file_ = Fd(::open(settings_.path.c_str(), kOpenFlags, kMode));
  struct stat status{};
  if (!file_.valid() || ::fstat(file_.get(), &status) != 0) {
    return Unusable(settings_.path, "cannot be written: " + Because() +
                                        "; name a file that this user can write to");
  }
  if (!S_ISREG(status.st_mode)) return Unusable(settings_.path, "is no regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) ::fchmod(file_.get(), kMode);
  return {};
}

Result<void> LogFile::GoOn(Tail tail) {
  const WallTime now = clock_.WallNow();
  if (!tail.torn.empty() && ::ftruncate(file_.get(), static_cast<off_t>(tail.size)) != 0) {
    return Unusable(settings_.path, "its torn last line cannot be cut: " + Because());
  }
  size_ = tail.size;
  first_seq_ = tail.first_seq;
  first_time_ = tail.first_time;
  const std::vector<std::string> before = RotatedFilesOf(settings_.path);
  if (tail.head) {
    head_ = *tail.head;
  } else if (!before.empty()) {
    const Fd last(::open(before.back().c_str(), O_RDONLY | O_CLOEXEC));
    if (!last.valid()) return Unusable(before.back(), Because());
    Result<Tail> end = ReadTail(last.get(), before.back(), hasher_);
    if (!end) return Failure(std::move(end.error()));
    if (!end->head) return Unusable(before.back(), "holds no record; move it away");
    head_ = *end->head;
    AppendToChain(OwnBody(now, "rotated")
                      .Add("previous_file", fs::path(before.back()).filename().string())
                      .Add("oldest", Oldest())
                      .Add("mac", hasher_.name())
                      .text(),
                  true);
  } else {
    AppendToChain(OwnBody(now, "genesis")
                      .Add("id", RandomId())
                      .Add("mac", hasher_.name())
                      .Add("version", SWITCHYARD_VERSION)
                      .text(),
                  true);
  }
  if (!tail.torn.empty()) {
    spdlog::warn("audit: {}: a line of {} bytes at its end was not finished; it is cut",
                 settings_.path, tail.torn.size());
    AppendToChain(OwnBody(now, "repaired")
                      .Add("cut_bytes", tail.torn.size())
                      .Add("cut_sha256", Sha256(tail.torn))
                      .text());
  }
  AppendToChain(OwnBody(now, "opened").Add("version", SWITCHYARD_VERSION).text());
  return {};
}

void LogFile::AppendToChain(std::string body, bool begins) {
  if (first_seq_ == 0) {
    first_seq_ = head_.seq + 1;
    first_time_ = clock_.WallNow();
  }
  buffer_ += Link(hasher_, head_, body);
  buffer_ += '\n';
  appended_ = written_ + buffer_.size();
  unsaved_.push_back({.body = std::move(body), .end = appended_, .begins = begins});
}

void LogFile::Append(std::string body) {
  constexpr std::size_t kChain = 200;  // about what it adds
  if (IsDue(body.size() + kChain)) Rotate();
  AppendToChain(std::move(body));
}

Result<void> LogFile::Flush() {
  std::size_t done = 0;
  int error = 0;
  while (done < buffer_.size()) {
    const ssize_t count = disk_.write(file_.get(), buffer_.data() + done, buffer_.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      error = count < 0 ? errno : ENOSPC;
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  dirty_ = dirty_ || done > 0;
  buffer_.erase(0, done);
  size_ += done;
  written_ += done;
  while (!unsaved_.empty() && unsaved_.front().end <= written_) unsaved_.pop_front();
  if (error == 0) return {};
  return Failure(Code::kUnavailable, Origin::kGateway,
                 settings_.path + ": " + std::generic_category().message(error));
}

Result<void> LogFile::Sync() {
  if (!dirty_) return {};
  if (disk_.sync(file_.get()) != 0) {
    return Failure(Code::kUnavailable, Origin::kGateway,
                   settings_.path + ": cannot be synced: " + Because());
  }
  dirty_ = false;
  return {};
}

std::deque<std::string> LogFile::TakeUnsaved() {
  std::deque<std::string> bodies;
  for (Unsaved& one : unsaved_) {
    if (!one.begins) bodies.push_back(std::move(one.body));
  }
  unsaved_.clear();
  buffer_.clear();
  return bodies;
}

bool LogFile::IsDue(std::size_t more) const {
  const std::uint64_t bytes = size_ + buffer_.size();
  if (bytes == 0) return false;
  const WallTime now = clock_.WallNow();
  if (now < next_try_) return false;
  return bytes + more > settings_.max_size || now - first_time_ >= settings_.max_age;
}

// The new file is there before the old one is renamed: if it cannot be made, the old one goes on.
void LogFile::Rotate() {
  if (!Flush()) return;  // it is told by whoever flushes next
  if (settings_.sync != config::Audit::Sync::kNone && !Sync()) return;
  const std::string fresh = settings_.path + ".new";
  const std::string rotated = RotatedName(settings_.path, first_seq_);
  Fd next(::open(fresh.c_str(), kOpenFlags | O_EXCL, kMode));
  const bool done = next.valid() && ::rename(settings_.path.c_str(), rotated.c_str()) == 0;
  if (!done || ::rename(fresh.c_str(), settings_.path.c_str()) != 0) {
    spdlog::error("audit: {}: cannot be rotated, it goes on as it is: {}", settings_.path,
                  Because());
    if (done) ::rename(rotated.c_str(), settings_.path.c_str());
    ::unlink(fresh.c_str());
    next_try_ = clock_.WallNow() + std::chrono::seconds(10);
    return;
  }
  SyncDirectoryOf(settings_.path);
  file_ = std::move(next);
  size_ = 0;
  first_seq_ = 0;
  const std::uint64_t oldest = Oldest();
  AppendToChain(OwnBody(clock_.WallNow(), "rotated")
                    .Add("previous_file", fs::path(rotated).filename().string())
                    .Add("oldest", oldest)
                    .Add("mac", hasher_.name())
                    .text(),
                true);
  // The record says what is removed before that is: else its absence would be a gap.
  if (Flush() && (settings_.sync == config::Audit::Sync::kNone || Sync())) RemoveBefore(oldest);
}

// The first record of the oldest file that is kept.
std::uint64_t LogFile::Oldest() const {
  const std::vector<std::string> before = RotatedFilesOf(settings_.path);
  const std::size_t too_many =
      before.size() > settings_.keep_files ? before.size() - settings_.keep_files : 0;
  for (std::size_t i = too_many; i < before.size(); ++i) {
    struct stat status{};
    const bool old = settings_.keep_for.count() > 0 && ::stat(before[i].c_str(), &status) == 0 &&
                     clock_.WallNow() - std::chrono::system_clock::from_time_t(status.st_mtime) >
                         settings_.keep_for;
    if (!old) return FirstSeqOf(settings_.path, before[i]);
  }
  return head_.seq + 1;
}

void LogFile::RemoveBefore(std::uint64_t oldest) const {
  for (const std::string& file : RotatedFilesOf(settings_.path)) {
    if (FirstSeqOf(settings_.path, file) >= oldest) return;
    spdlog::info("audit: {} is removed, see audit.keep_files and keep_for", file);
    ::unlink(file.c_str());
  }
}

}  // namespace switchyard::audit
