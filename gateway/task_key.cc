#include "task_key.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/fd.h"

namespace switchyard {
namespace {

std::unexpected<Error> Unusable(const std::string& path, const std::string& why) {
  return Failure(Code::kInvalid, Origin::kGateway, "state.dir: " + path + ": " + why);
}

std::unexpected<Error> Unusable(const std::string& path, int error) {
  return Unusable(path, std::generic_category().message(error));
}

Result<Sealer::Key> Read(const std::string& path, int file) {
  struct stat facts{};
  if (fstat(file, &facts) != 0) return Unusable(path, errno);
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Unusable(path,
                    "others than its owner may use it; chmod 600, or remove it: ids of tasks "
                    "given out so far are unknown then");
  }
  Sealer::Key key{};
  const bool whole = facts.st_size == static_cast<off_t>(key.size()) &&
                     read(file, key.data(), key.size()) == static_cast<ssize_t>(key.size());
  if (whole) return key;
  return Unusable(path, "is no key; remove it: ids of tasks given out so far are unknown then");
}

// So that its new name survives the end of the machine's power.
void SyncDirectory(const std::string& path) {
  const Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) fsync(directory.get());
}

// Under its name only when it is whole.
Result<Sealer::Key> Make(const std::string& directory, const std::string& path) {
  const Sealer::Key key = Sealer::RandomKey();
  const std::string fresh = path + ".new";
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                     S_IRUSR | S_IWUSR));
  if (!file.valid()) return Unusable(fresh, errno);
  const ssize_t written = write(file.get(), key.data(), key.size());
  if (written >= 0 && written != static_cast<ssize_t>(key.size())) {
    return Unusable(fresh, ENOSPC);  // for a part of it there was room
  }
  if (written < 0 || fsync(file.get()) != 0 || std::rename(fresh.c_str(), path.c_str()) != 0) {
    return Unusable(fresh, errno);
  }
  SyncDirectory(directory);
  return key;
}

}  // namespace

Result<Sealer::Key> TaskKeyIn(const std::string& directory) {
  if (directory.empty()) return Sealer::RandomKey();
  const std::string path = directory + "/task_ids.key";
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.valid()) return Read(path, file.get());
  if (errno != ENOENT) return Unusable(path, errno);
  return Make(directory, path);
}

Result<void> TaskKey::Open(const std::string& directory) {
  const Result<Sealer::Key> key = TaskKeyIn(directory);
  if (!key) return Failure(key.error());
  sealer_ = Sealer(*key);
  return {};
}

}  // namespace switchyard
