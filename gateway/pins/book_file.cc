#include "pins/book_file.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace switchyard::pins {
namespace {

constexpr mode_t kOwn = S_IRUSR | S_IWUSR;

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

std::unexpected<Error> BookFile::Failed(const std::string& what, int error) const {
  return Failure(Code::kInvalid, Origin::kGateway,
                 path_ + ": " + what + ": " + std::generic_category().message(error));
}

std::string BookFile::Target() const {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path_.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? path_ : std::string(real.get());
}

BookFile::Stamp BookFile::StampOf(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  return {.there = true,
          .device = info.st_dev,
          .inode = info.st_ino,
          .size = info.st_size,
          .seconds = info.st_mtim.tv_sec,
          .nanoseconds = info.st_mtim.tv_nsec};
}

bool BookFile::Changed() const { return StampOf(path_) != known_; }
bool BookFile::exists() const { return StampOf(path_).there; }

Result<Book> BookFile::Read() {
  const Stamp stamp = StampOf(path_);  // before: what comes meanwhile is read again
  const Fd file(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno != ENOENT) return Failed("cannot be read", errno);
    known_ = {};
    return Book();
  }
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("cannot be read", errno);
    if (got == 0 || text.size() > kMostBytes) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  Result<Book> book = ReadBook(text);
  if (!book) {
    book.error().message = path_ + ": " + book.error().message +
                           "; put a copy of it back, or move it away to pin everything anew";
    return book;
  }
  known_ = stamp;
  return book;
}

Result<Fd> BookFile::Lock(bool wait) const {
  const std::string name = Target() + ".lock";
  Fd lock(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwn));
  if (!lock.valid()) return Failed("its lock cannot be taken", errno);
  int taken = 0;
  do {
    taken = flock(lock.get(), LOCK_EX | (wait ? 0 : LOCK_NB));
  } while (taken != 0 && errno == EINTR);
  if (taken == 0) return lock;
  if (errno != EWOULDBLOCK) return Failed("its lock cannot be taken", errno);
  return Failure({.code = Code::kUnavailable,
                  .origin = Origin::kGateway,
                  .retryable = true,
                  .message = path_ + ": another program is writing it"});
}

Result<void> BookFile::Write(const Book& book) {
  const std::string text = WriteBook(book);
  // What cannot be read again would keep the next start away.
  const Result<Book> again = text.size() > kMostBytes ? Book() : ReadBook(text);
  if (!again || *again != book) {
    return Failure(Code::kInvalid, Origin::kGateway,
                   path_ + ": what is to be written could not be read again; it stays as it was");
  }
  const std::string target = Target();
  const std::string fresh = target + ".new";
  struct stat before{};
  const bool replaces = stat(target.c_str(), &before) == 0;
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kOwn));
  if (!file.valid()) return Failed("cannot be written", errno);
  if (replaces) {
    static_cast<void>(fchmod(file.get(), before.st_mode & 0777));
    // Where it cannot be given back it is ours: still the same content.
    [[maybe_unused]] const int given = fchown(file.get(), before.st_uid, before.st_gid);
  }
  if (!WriteAll(file.get(), text) || fsync(file.get()) != 0) {
    const int why = errno;
    unlink(fresh.c_str());
    return Failed("cannot be written", why);
  }
  if (rename(fresh.c_str(), target.c_str()) != 0) return Failed("cannot be replaced", errno);
  const std::filesystem::path parent = std::filesystem::path(target).parent_path();
  const Fd directory(
      open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) fsync(directory.get());
  known_ = StampOf(path_);
  return {};
}

}  // namespace switchyard::pins
