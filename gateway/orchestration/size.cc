#include "orchestration/size.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace switchyard::orchestration {
namespace {

// Room for the largest call there may be usually, several times.
constexpr std::int64_t kLeastReserve = std::int64_t{16} << 20;

std::int64_t ReserveOf(std::int64_t max_bytes) { return std::max(max_bytes / 8, kLeastReserve); }

constexpr const char* kWayOut =
    "what is finished is forgotten after retain; wait for that, or have orchestration.max_bytes "
    "raised";

}  // namespace

Result<bool> HasRoom(Records& records) {
  const Result<std::int64_t> used = records.sql.UsedBytes();
  if (!used) return Failure(used.error());
  return *used < records.settings.max_bytes;
}

Result<void> RefuseAdding(Records& records) {
  const Result<bool> may = HasRoom(records);
  if (!may) return Failure(may.error());
  if (*may) return {};
  return Refused(fmt::format(
      "the records take all of the {} bytes that they may (max_bytes), so nothing is added; {}",
      records.settings.max_bytes, kWayOut));
}

Result<void> RefuseBulk(Records& records, std::size_t bytes) {
  if (bytes <= kAlwaysFits) return {};
  const std::int64_t most = records.settings.max_bytes;
  const Result<std::int64_t> used = records.sql.UsedBytes();
  if (!used) return Failure(used.error());
  if (*used < most + ReserveOf(most) / 2) return {};
  return Refused(fmt::format(
      "the records take more than the {} bytes that they may (max_bytes), so what ends something "
      "brings {} bytes at most, got {}; give less, or: {}",
      most, kAlwaysFits, bytes, kWayOut));
}

std::int64_t HardBound(std::int64_t max_bytes) { return max_bytes + ReserveOf(max_bytes); }

Error AtHardBound(const Settings& settings) {
  return Refused(fmt::format("the records have no room, neither within the {} bytes that they may "
                             "take (max_bytes) nor in the reserve beyond; nothing was changed; {}",
                             settings.max_bytes, kWayOut))
      .error();
}

}  // namespace switchyard::orchestration
