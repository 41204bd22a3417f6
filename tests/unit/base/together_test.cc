#include "base/together.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

class TogetherTest : public ::testing::Test {
 protected:
  void Post(net::io_context& loop, char what) {
    Together::Post(loop.get_executor(), [this, what] { done += what; });
  }

  net::io_context one, other;
  std::string done;
};

TEST_F(TogetherTest, WhatIsPostedAloneGoesOutAtOnce) {
  Post(one, 'a');
  EXPECT_EQ(one.poll(), 1U);
  EXPECT_EQ(done, "a");
}

TEST_F(TogetherTest, EachLoopGetsItsOwnAtTheEndInOneTurn) {
  {
    const Together together;
    Post(one, 'a');
    Post(other, 'b');
    {
      const Together within;
      Post(one, 'c');
    }
    EXPECT_EQ(one.poll() + other.poll(), 0U);
    one.restart();
    other.restart();
  }
  EXPECT_EQ(other.poll(), 1U);
  EXPECT_EQ(done, "b");
  EXPECT_EQ(one.poll(), 1U);
  EXPECT_EQ(done, "bac");
}

TEST_F(TogetherTest, WhatIsDoneMayPostAgain) {
  {
    const Together together;
    Together::Post(one.get_executor(), [this] { Post(one, 'z'); });
    Post(one, 'a');
  }
  one.poll();
  EXPECT_EQ(done, "az");
}

}  // namespace
}  // namespace switchyard
