// How large the records may be, in bytes.
//
//   they take                        refused is
//   max_bytes                        what adds, before it writes anything
//   ... and half of the reserve      what ends something, too, and brings more than a little
//   ... and all of it                whatever has no room: the bound of the engine
//
// So what is there can be claimed, worked on and ended when nothing is added any more. Only what
// forgets may pass the last one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "orchestration/records.h"

namespace switchyard::orchestration {

// What a call may always bring that ends something.
inline constexpr std::size_t kAlwaysFits = 4 * 1024;

// False: nothing is to be added. As it was when this was first asked in a transaction, so that what
// makes several makes all or none.
Result<bool> HasRoom(Records& records);
// kInvalid, and what to do, where it is false.
Result<void> RefuseAdding(Records& records);
// The same for what ends something and brings so many bytes.
Result<void> RefuseBulk(Records& records, std::size_t bytes);

// What the engine is to be bounded by, and what is told where that was met.
std::int64_t HardBound(std::int64_t max_bytes);
Error AtHardBound(const Settings& settings);

}  // namespace switchyard::orchestration
