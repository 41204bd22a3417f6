// Agents that lock files, for tests of locks.
#pragma once

#include <cstdint>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "orchestration/locks/locks.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {

class Locks : public ::testing::Test {
 protected:
  Locks() {
    for (const char* agent : {"a", "b", "c"}) room.Register(agent);
  }
  static std::string Of(const std::string& agent, const std::string& path,
                        const std::string& more = "") {
    return R"({"agent_id":")" + agent + R"(","file_path":")" + path + "\"" + more + "}";
  }
  // The fence, 0 when it is held by another, -1 of a refusal.
  std::int64_t Acquire(const std::string& agent, const std::string& path,
                       const std::string& more = "") {
    const boost::json::object got = room.Get("acquire_file_lock", Of(agent, path, more));
    if (got.contains("fence")) return got.at("fence").as_int64();
    return got.contains("error") ? -1 : 0;
  }
  std::string Release(const std::string& agent, const std::string& path,
                      const std::string& more = "") {
    return room.Refusal("release_file_lock", Of(agent, path, more));
  }
  boost::json::object Check(const std::string& path) {
    return room.Get("check_file_lock", R"({"file_path":")" + path + R"("})");
  }
  // A call that waits, and runs again when it is woken.
  struct Waiting {
    LockRequest request;
    Place place = {};
  };
  LockOutcome Run(Waiting& call) {
    const auto outcome = room.Do(
        [&call](Records& records) { return AcquireLock(records, call.request, call.place); });
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
    return outcome.value_or(LockOutcome());
  }
  void GiveUp(const Waiting& call) {
    EXPECT_TRUE(
        room.Do([&call](Records& records) { return GiveUpLock(records, call.request, call.place); })
            .has_value());
  }

  static constexpr const char* kShared = R"(,"mode":"shared")";
  static constexpr const char* kWait = R"(,"wait_ms":60000)";

  Room room;
};

}  // namespace switchyard::orchestration
