#include "downstream/stderr_log.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace switchyard::downstream {
namespace {

TEST(StderrLogTest, KeepsTheLastLineHoweverTheBytesArrive) {
  const ManualClock clock;
  StderrLog log("x", clock);
  for (const char* part : {"first\nsec", "ond", "\r\n", "\n", "unfinished"}) log.Take(part);
  EXPECT_EQ(log.last(), "second");
}

TEST(StderrLogTest, CutsLongLines) {
  const ManualClock clock;
  StderrLog log("x", clock);
  log.Take(std::string(1'000'000, 'a'));
  log.Take(std::string(1'000'000, 'b') + "\n");
  EXPECT_EQ(log.last(), std::string(StderrLog::kMaxLine, 'a'));
}

}  // namespace
}  // namespace switchyard::downstream
