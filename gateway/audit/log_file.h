// The chain on disk: one file that is appended to, taken over from whoever wrote it before, and
// those that it was rotated to. Held by one process at a time through a lock beside it.
//
// What is appended is in memory until Flush(): a disk that is full loses nothing of it. One thread
// at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "audit/chain.h"
#include "audit/event.h"
#include "audit/tail.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "config/config.h"

namespace switchyard::audit {

// What a disk does; as a value, so that tests have one that is full.
struct Disk {
  std::function<ssize_t(int fd, const void* bytes, std::size_t count)> write;
  std::function<int(int fd)> sync;
  static Disk Real();
};

class LogFile {
 public:
  // Takes the lock, looks at what is there, cuts what is torn, and notes that it was opened: what
  // it notes is written with the first Flush(). An Error is kInvalid, for whoever starts it.
  static Result<std::unique_ptr<LogFile>> Open(const config::Audit& settings, const Clock& clock,
                                               Disk disk = Disk::Real());
  LogFile(const LogFile&) = delete;
  // Whether it could be opened at all, as far as that can be seen; changes nothing, and a gateway
  // that writes it is no hindrance. The Error begins with the path. Any thread.
  static Result<void> Inspect(const config::Audit& settings);

  // The next record. Rotates first if it is time to.
  void Append(std::string body);
  // Writes what was appended. On failure the rest stays for another time.
  Result<void> Flush();
  Result<void> Sync();

  std::size_t waiting() const { return buffer_.size(); }  // bytes to be written
  bool dirty() const { return dirty_; }                   // what was written may not be on the disk
  // What was appended and not written; for another log to take over, which has a beginning of its
  // own.
  std::deque<std::string> TakeUnsaved();

  // All but path and key.
  void Set(const config::Audit& settings) { settings_ = settings; }
  const std::string& path() const { return settings_.path; }
  const Hasher& hasher() const { return hasher_; }
  const Head& head() const { return head_; }

 private:
  LogFile(const config::Audit& settings, const Clock& clock, Disk disk);

  Result<void> TakeLock();
  Result<void> OpenCurrent();
  Result<void> GoOn(Tail tail);
  bool IsDue(std::size_t more) const;
  void Rotate();
  std::uint64_t Oldest() const;
  void RemoveBefore(std::uint64_t oldest) const;
  void AppendToChain(std::string body, bool begins = false);

  config::Audit settings_;
  const Clock& clock_;
  const Disk disk_;
  const Hasher hasher_;
  Fd lock_, file_;
  Head head_;
  std::uint64_t first_seq_ = 0;  // of the file
  WallTime first_time_ = {};
  WallTime next_try_ = {};  // of a rotation
  std::uint64_t size_ = 0;  // written
  std::string buffer_;
  struct Unsaved {
    std::string body;
    std::uint64_t end;    // of its line, in all that was ever appended
    bool begins = false;  // a file of this log
  };
  std::deque<Unsaved> unsaved_;
  std::uint64_t appended_ = 0, written_ = 0;  // bytes, ever
  bool dirty_ = false;
};

}  // namespace switchyard::audit
