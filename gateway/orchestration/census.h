// When the agents are counted for the metrics: only when one of them is another than he was, and
// then about a thousand of them a second, however many there are. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace switchyard::orchestration {

class Census {
 public:
  enum class Count : std::uint8_t {
    kNo,         // it is too early
    kIfChanged,  // nobody changed so far
    kYes,
  };

  // Times are milliseconds of a clock that only rises. What is not counted then is to be told by
  // Changed() again.
  Count At(std::int64_t now) {
    const std::int64_t since = now - counted_at_;
    if (counted_at_ != kNever && since < agents_) return Count::kNo;
    const bool changed = changed_.exchange(false);
    return changed || since >= kAtLeast ? Count::kYes : Count::kIfChanged;
  }
  void Counted(std::int64_t now, std::int64_t agents) {
    counted_at_ = now;
    agents_ = agents;
  }
  void Changed() { changed_ = true; }

 private:
  static constexpr std::int64_t kNever = -1;
  // For what nobody was told of, as when a commit failed and yet is on the disk.
  static constexpr std::int64_t kAtLeast = 60'000;

  std::atomic<std::int64_t> counted_at_ = kNever, agents_ = 0;
  std::atomic<bool> changed_ = true;
};

}  // namespace switchyard::orchestration
