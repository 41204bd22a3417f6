// A directory for a log, a disk that fills up, and a log's lines, in few words.
#pragma once

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "audit/body.h"
#include "audit/log_file.h"
#include "audit/verify_log.h"
#include "base/clock.h"

namespace switchyard::audit::testing {

// Gone afterwards.
class Place {
 public:
  Place() {
    std::string name = std::filesystem::temp_directory_path() / "switchyard-audit-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  Place(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string log() const { return path_ + "/audit.jsonl"; }

 private:
  std::string path_;
};

inline std::string TextOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void Put(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

inline std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

inline std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

inline Verified Verify(const std::string& path, const std::string& key = "",
                       const std::string& head = "") {
  const Result<std::vector<LogFiles>> logs = FindLogs(path);
  if (!logs) return {.problem = Verified::Problem{.file = path, .reason = logs.error().message}};
  return VerifyLog(logs->front(), {.hasher = key.empty() ? Hasher() : Hasher(key), .head = head},
                   nullptr);
}

inline ::testing::AssertionResult IsWhole(const std::string& path, const std::string& key = "") {
  const Verified verified = Verify(path, key);
  if (!verified.problem) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << verified.problem->file << ":" << verified.problem->line
                                       << ": " << verified.problem->reason;
}

inline std::string Body(const Clock& clock, std::uint64_t number) {
  return OwnBody(clock.WallNow(), "call").Add("n", number).text();
}

// Takes so many bytes, then none, until there is room again.
struct SmallDisk {
  std::shared_ptr<std::atomic<std::int64_t>> room =
      std::make_shared<std::atomic<std::int64_t>>(std::int64_t{1} << 40);
  std::shared_ptr<std::atomic<int>> syncs = std::make_shared<std::atomic<int>>(0);

  Disk disk() const {
    return {.write = [room = room](int fd, const void* bytes, std::size_t count) -> ssize_t {
              const std::int64_t left = room->load();
              if (left <= 0) {
                errno = ENOSPC;
                return -1;
              }
              const auto some = std::min<std::size_t>(count, static_cast<std::size_t>(left));
              const ssize_t done = ::write(fd, bytes, some);
              room->fetch_sub(done);
              return done;
            },
            .sync =
                [syncs = syncs](int) {
                  ++*syncs;
                  return 0;
                }};
  }
};

}  // namespace switchyard::audit::testing
