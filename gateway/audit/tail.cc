#include "audit/tail.h"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "audit/record.h"

namespace switchyard::audit {
namespace {

std::unexpected<Error> Unusable(const std::string& path, const std::string& why) {
  return Failure(Code::kInvalid, Origin::kGateway, "audit.path: " + path + ": " + why);
}

// False: errno says why.
bool ReadAt(int fd, std::uint64_t offset, std::size_t count, std::string& into) {
  into.resize(count);
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got =
        ::pread(fd, into.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  into.resize(done);
  return true;
}

}  // namespace

Result<Tail> ReadTail(int fd, const std::string& path, const Hasher& hasher) {
  const auto because = [] { return std::generic_category().message(errno); };
  struct stat status{};
  if (::fstat(fd, &status) != 0) return Unusable(path, because());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::size_t window = std::min<std::uint64_t>(size, 2 * kLongestLine);
  std::string text;
  if (!ReadAt(fd, size - window, window, text)) return Unusable(path, because());
  const std::size_t last = text.rfind('\n');
  Tail tail;
  if (last == std::string::npos && size > kLongestLine) return Unusable(path, "is no audit log");
  tail.torn = text.substr(last == std::string::npos ? 0 : last + 1);
  tail.size = size - tail.torn.size();
  if (tail.size == 0) return tail;

  const std::size_t before = last == 0 ? std::string::npos : text.rfind('\n', last - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  const std::string_view line = std::string_view(text).substr(begin, last - begin);
  RecordReader reader;
  const auto record = reader.Read(line);
  if (!record || TrueHash(hasher, line) != record->hash) {
    return Unusable(path,
                    std::string("its last record does not verify") +
                        (hasher.keyed() ? " with audit.key" : "") +
                        ": it was changed, or was written with another key or none; see "
                        "`switchyard audit verify`, then move the file away or give the right key");
  }
  tail.head = {.seq = record->seq, .hash = record->hash};
  std::string head;
  if (!ReadAt(fd, 0, std::min<std::uint64_t>(size, kLongestLine), head)) {
    return Unusable(path, because());
  }
  const auto first = reader.Read(std::string_view(head).substr(0, head.find('\n')));
  tail.first_seq = first ? first->seq : record->seq;
  tail.first_time = ParseTime(first ? first->time : record->time).value_or(WallTime());
  return tail;
}

}  // namespace switchyard::audit
