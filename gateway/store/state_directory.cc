#include "store/state_directory.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace switchyard::store {
namespace {

std::unexpected<Error> Refused(const std::string& path, const std::string& why) {
  return Failure(Code::kInvalid, Origin::kGateway, "state.dir: " + path + ": " + why);
}

std::string Because(int error) { return std::generic_category().message(error); }

// The process id that the holder left in it; "" = none.
std::string HolderOf(int lock) {
  std::array<char, 20> text;
  const ssize_t got = pread(lock, text.data(), text.size(), 0);
  const std::string_view read(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return std::string(read.substr(0, read.find_first_not_of("0123456789")));
}

}  // namespace

Result<StateDirectory> StateDirectory::Take(const std::string& given) {
  // What a slash ends is its own parent to std::filesystem, which makes parents for everybody.
  const std::size_t last = given.find_last_not_of('/');
  const std::string path = last == std::string::npos ? given : given.substr(0, last + 1);
  std::error_code error;
  const std::filesystem::path directory(path);
  if (directory.has_parent_path()) {
    std::filesystem::create_directories(directory.parent_path(), error);
  }
  if (error) {
    return Refused(path, "its parent cannot be made: " + error.message() +
                             "; make the directory and give it to this user");
  }
  if (mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return Refused(path, "cannot be made: " + Because(errno) +
                             "; make the directory and give it to this user");
  }
  const std::string name = path + "/lock";
  Fd lock(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!lock.valid()) {
    return Refused(path, "cannot be written: " + Because(errno) +
                             "; name a directory that this user can write to");
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const std::string holder = HolderOf(lock.get());
    return Refused(path, "is in use by another gateway" +
                             (holder.empty() ? "" : ", process " + holder) +
                             "; stop that one, or give each a directory of its own");
  }
  const std::string own = std::to_string(getpid()) + "\n";
  // For people only: who holds it is the lock's to say, so a disk that is full changes nothing.
  if (ftruncate(lock.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t put = pwrite(lock.get(), own.data(), own.size(), 0);
  }
  return StateDirectory(path, std::move(lock));
}

Result<void> StateDirectory::Inspect(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return {};  // it will be made
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return Refused(path, error ? error.message() + "; name a directory that this user can write to"
                               : "is no directory; name one, or what is to become one");
  }
  if (access(path.c_str(), W_OK | X_OK) == 0) return {};
  return Refused(path, "cannot be written: " + Because(errno) +
                           "; name a directory that this user can write to");
}

}  // namespace switchyard::store
