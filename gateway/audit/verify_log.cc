#include "audit/verify_log.h"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include "audit/lines.h"

namespace switchyard::audit {
namespace {

std::string Because() { return std::generic_category().message(errno); }

Result<std::vector<OpenFile>> OpenEach(const std::vector<std::string>& names) {
  std::vector<OpenFile> files;
  for (const std::string& name : names) {
    OpenFile file{.name = name, .fd = Fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC))};
    struct stat status{};
    if (!file.fd.valid() || ::fstat(file.fd.get(), &status) != 0) {
      return Failure(Code::kNotFound, Origin::kClient, name + ": " + Because());
    }
    file.size = static_cast<std::uint64_t>(status.st_size);
    files.push_back(std::move(file));
  }
  return files;
}

// One file after the other.
class Walk {
 public:
  Walk(Verifier& verifier, Verified& verified, const Progress& progress, std::uint64_t all)
      : verifier_(verifier), verified_(verified), progress_(progress), all_(all) {}

  // False: there is a problem.
  bool Through(OpenFile file, bool last) {
    const std::uint64_t before = done_;
    LineReader lines(std::move(file.fd));
    std::string_view line;
    for (std::uint64_t number = 1;; ++number) {
      const LineReader::Found found = lines.Next(line);
      Tell(before + lines.bytes());
      std::optional<std::string> wrong;
      switch (found) {
        case LineReader::Found::kEnd: return true;
        case LineReader::Found::kLine: wrong = verifier_.Feed(line); break;
        case LineReader::Found::kTorn:
          if (last) {
            verified_.torn = true;
            return true;
          }
          wrong = "is not finished";
          break;
        case LineReader::Found::kTooLong: wrong = "is longer than any record"; break;
        case LineReader::Found::kError: wrong = "cannot be read: " + Because(); break;
      }
      if (!wrong) continue;
      verified_.problem = {.file = file.name, .line = number, .reason = std::move(*wrong)};
      return false;
    }
  }

 private:
  void Tell(std::uint64_t done) {
    constexpr std::uint64_t kStep = std::uint64_t{16} << 20;
    if (progress_ != nullptr && done / kStep != done_ / kStep) progress_(done, all_);
    done_ = done;
  }

  Verifier& verifier_;
  Verified& verified_;
  const Progress& progress_;
  const std::uint64_t all_;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<std::vector<OpenFile>> OpenAll(const LogFiles& log) {
  constexpr int kTries = 5;
  LogFiles now = log;
  for (int i = 0;; ++i) {
    Result<std::vector<OpenFile>> files = OpenEach(now.files);
    if (!log.whole) return files;
    Result<std::vector<LogFiles>> again = FindLogs(log.path);
    if (!again) return Failure(std::move(again.error()));
    if (i == kTries || again->front().files == now.files) return files;
    now = std::move(again->front());  // it was rotated in between
  }
}

Verified VerifyLog(const LogFiles& log, Verifier::Options options, const Progress& progress) {
  Verified verified;
  options.whole = log.whole;
  Verifier verifier(std::move(options));
  Result<std::vector<OpenFile>> files = OpenAll(log);
  if (!files) {
    verified.problem = {.file = log.path, .reason = files.error().message};
    return verified;
  }
  std::uint64_t all = 0;
  for (const OpenFile& file : *files) all += file.size;
  Walk walk(verifier, verified, progress, all);
  for (OpenFile& file : *files) {
    ++verified.files;
    const bool last = verified.files == files->size();
    if (!walk.Through(std::move(file), last)) break;
  }
  if (!verified.problem) {
    if (std::optional<std::string> wrong = verifier.End()) {
      verified.problem = {.file = log.path, .reason = std::move(*wrong)};
    }
  }
  verified.summary = verifier.summary();
  return verified;
}

}  // namespace switchyard::audit
