#include "audit/files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace switchyard::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigits = 16;

// "x.0000000000000007" is of "x"; "" = it is named otherwise.
std::string LogOf(const std::string& name) {
  if (name.size() < kDigits + 2) return "";
  std::string path = name.substr(0, name.size() - kDigits - 1);
  return FirstSeqOf(path, name) > 0 ? path : "";
}

std::vector<fs::path> Listed(const fs::path& directory) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) out.push_back(at->path());
  }
  return out;
}

LogFiles LogAt(const std::string& path) {
  LogFiles log{.path = path, .files = RotatedFilesOf(path)};
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) log.files.push_back(path);
  return log;
}

std::unexpected<Error> NoLog(const std::string& path, const std::string& why) {
  return Failure(Code::kNotFound, Origin::kClient, path + ": " + why);
}

}  // namespace

std::string RotatedName(const std::string& path, std::uint64_t first_seq) {
  return fmt::format("{}.{:016d}", path, first_seq);
}

std::uint64_t FirstSeqOf(const std::string& path, const std::string& name) {
  if (name.size() != path.size() + 1 + kDigits || !name.starts_with(path + ".")) return 0;
  const std::string_view digits = std::string_view(name).substr(path.size() + 1);
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
  return error == std::errc() && end == digits.data() + digits.size() ? seq : 0;
}

// By their names alone: a path may be written in more than one way.
std::vector<std::string> RotatedFilesOf(const std::string& path) {
  const fs::path own(path);
  std::vector<std::string> out;
  for (const fs::path& file : Listed(own.has_parent_path() ? own.parent_path() : fs::path("."))) {
    const std::uint64_t seq = FirstSeqOf(own.filename().string(), file.filename().string());
    if (seq > 0) out.push_back(RotatedName(path, seq));
  }
  std::ranges::sort(out);
  return out;
}

Result<std::vector<LogFiles>> FindLogs(const std::string& given) {
  std::error_code error;
  if (!fs::is_directory(given, error)) {
    const std::string whole = LogOf(given);
    LogFiles log = whole.empty() ? LogAt(given) : LogFiles{.path = given, .files = {given}};
    log.whole = whole.empty();
    if (log.files.empty() || !fs::exists(log.files.back(), error)) {
      return NoLog(given, "there is no such file or directory");
    }
    return std::vector{std::move(log)};
  }
  std::set<std::string> paths;
  for (const fs::path& file : Listed(given)) {
    const std::string name = file.string();
    if (const std::string of = LogOf(name); !of.empty()) {
      paths.insert(of);
    } else if (file.extension() == ".jsonl") {
      paths.insert(name);
    }
  }
  std::vector<LogFiles> logs;
  logs.reserve(paths.size());
  for (const std::string& path : paths) logs.push_back(LogAt(path));
  if (logs.empty()) return NoLog(given, "holds no audit log (*.jsonl)");
  return logs;
}

}  // namespace switchyard::audit
