// The tasks that calls of writers became and that have not ended as far as clients were told, and
// what each may change. Thread-safe. Bounded: of more than kMost the oldest is forgotten.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::policies {

class WriterTasks {
 public:
  static constexpr std::size_t kMost = 1024;

  struct Writer {
    std::vector<std::string> servers;
    std::vector<std::string> globs;  // over their names and URIs
  };

  // `id`: as the client knows it, which is one of its own for each task. "" is none.
  void Add(const std::string& id, Writer writer);
  std::optional<Writer> Find(const std::string& id) const;
  void Forget(const std::string& id);
  // Takes no lock.
  bool empty() const { return size_.load(std::memory_order_relaxed) == 0; }

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Writer> writers_;
  std::deque<std::string> order_;  // the oldest is first
  std::atomic<std::size_t> size_{0};
};

}  // namespace switchyard::policies
