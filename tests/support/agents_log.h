// What agents wrote down while they used the orchestration service, each for itself, and what
// follows from it: a judge who sees nothing but these logs, so that no table of the service can
// persuade it.
//
// It supposes that leases are longer than the test: a task is given out again only after its agent
// gave it back. Values of one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard::tests {

struct LogEntry {
  // Words in -ing stand before the call, those in -ed after its answer: a call that was never
  // answered may have been carried out or not.
  enum class What : std::uint8_t {
    kCreated,     // `words`: the idempotency key
    kClaimed,     // under `fence`
    kFoundAgain,  // after the gateway was gone: it says that the agent has it, under `fence`
    kGivingBack,  // fail_task with should_retry
    kCompleting,  // `words`: the result
    kCompleted,   // the same
    kSaw,         // at the end: `status`, and the result in `words`; "" = there is no such task
    kCounted,     // at the end: how many tasks there are, in `fence`
    kRefused,     // `words`: what it was told
  };
  What what = What::kCreated;
  std::string task = {};
  std::int64_t fence = 0;
  std::string words = {};
  std::string status = {};
};

using AgentLog = std::vector<LogEntry>;  // in the order of its agent

// A sentence for each thing that must not be; none: nothing that was acknowledged is lost, no task
// was given out twice under one lease, and all are completed once.
std::vector<std::string> WhatIsWrong(const std::vector<AgentLog>& logs);

}  // namespace switchyard::tests
