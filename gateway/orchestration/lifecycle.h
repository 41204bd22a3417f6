// The states of a task and the ways between them: lifecycle.def, and nothing else, says what is
// legal. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace switchyard::orchestration {

// As they are stored: never renumbered.
enum class Status : std::uint8_t {
  kPending,
  kAssigned,
  kInProgress,
  kCompleted,
  kFailed,
  kCancelled,
};
inline constexpr int kStatuses = 6;
enum class Priority : std::uint8_t { kLow, kMedium, kHigh };
inline constexpr int kPriorities = 3;

std::string_view ToString(Status status);  // "in_progress"
std::string_view ToString(Priority priority);
std::optional<Status> StatusOf(std::string_view word);
std::optional<Priority> PriorityOf(std::string_view word);

// Somebody has it, under a lease.
constexpr bool IsHeld(Status status) {
  return status == Status::kAssigned || status == Status::kInProgress;
}
constexpr bool IsFinished(Status status) {
  return status == Status::kCompleted || status == Status::kFailed || status == Status::kCancelled;
}

// Whether any way leads from one to the other.
bool Leads(Status from, Status to);

// Whether `tool` may be used on a task in this state; kInvalid, and what may be used, if not.
Result<void> Allows(std::string_view tool, Status status, std::string_view task);

}  // namespace switchyard::orchestration
