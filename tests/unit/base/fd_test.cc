#include "base/fd.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

// What is opened behind it is none of the three.
[[noreturn]] void CloseAndOpenAnew(int one, int other) {
  ::close(one);
  ::close(other);
  OpenStandardDescriptors();
  std::_Exit(::open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 1);
}

TEST(StandardDescriptorsDeathTest, ThatAreClosedAreTakenByNobodyElse) {
  EXPECT_EXIT(CloseAndOpenAnew(STDIN_FILENO, STDOUT_FILENO), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(CloseAndOpenAnew(STDOUT_FILENO, STDERR_FILENO), ::testing::ExitedWithCode(0), "");
}

TEST(StandardDescriptorsDeathTest, ThatAreOpenStayAsTheyAre) {
  EXPECT_EXIT(
      {
        OpenStandardDescriptors();
        std::_Exit(::write(STDERR_FILENO, "heard", 5) == 5 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "heard");
}

}  // namespace
}  // namespace switchyard
