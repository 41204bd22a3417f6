// The text of records, without what the chain adds: members of a JSON object, beginning with their
// time and what they are about. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/event.h"

namespace switchyard::audit {

// Only names from clients and servers are cut; they may be anything.
inline constexpr std::size_t kLongestName = 512;

std::string BodyOf(const Event& event);

// Records of the log itself.
class OwnBody {
 public:
  // `event`: genesis, opened, closed, repaired, rotated, gap, anomaly.
  OwnBody(WallTime time, std::string_view event);
  OwnBody& Add(std::string_view key, std::string_view text);
  OwnBody& Add(std::string_view key, std::uint64_t number);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// 2026-01-31T23:59:59.123456Z: texts of times compare like the times.
std::string TimeText(WallTime time);

}  // namespace switchyard::audit
