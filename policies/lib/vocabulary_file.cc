#include "policies/lib/vocabulary_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

namespace switchyard {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFile = std::uintmax_t{64} << 20;

class Known {
 public:
  using Key = std::tuple<std::string, TokenPattern, fs::file_time_type, std::uintmax_t>;

  std::shared_ptr<const TokenCounter> Find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = counters_.find(key);
    return found == counters_.end() ? nullptr : found->second.lock();
  }
  void Add(Key key, const std::shared_ptr<const TokenCounter>& counter) {
    const std::lock_guard lock(mutex_);
    std::erase_if(counters_, [](const auto& entry) { return entry.second.expired(); });
    counters_[std::move(key)] = counter;
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<const TokenCounter>> counters_;  // guarded by mutex_
};

std::unexpected<Error> Wrong(const std::string& path, const std::string& why) {
  return Failure(Code::kInvalid, Origin::kGateway, path + ": " + why);
}

}  // namespace

Result<std::shared_ptr<const TokenCounter>> VocabularyFile(const std::string& path,
                                                           TokenPattern pattern) {
  static Known known;
  std::error_code fault;
  const std::uintmax_t size = fs::file_size(path, fault);
  if (fault) return Wrong(path, fault.message());
  if (size > kMaxFile) return Wrong(path, "larger than 64 MiB");
  const fs::file_time_type time = fs::last_write_time(path, fault);
  Known::Key key(path, pattern, time, size);
  if (std::shared_ptr<const TokenCounter> counter = known.Find(key)) return counter;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return Wrong(path, "cannot be read");
  Result<std::shared_ptr<const TokenCounter>> counter = ReadVocabulary(text, pattern);
  if (!counter) return Wrong(path, counter.error().message);
  known.Add(std::move(key), *counter);
  return counter;
}

}  // namespace switchyard
