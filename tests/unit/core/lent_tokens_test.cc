#include "core/lent_tokens.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TEST(LentTokensTest, AreAtHandForAsLongAsSomebodyHoldsThem) {
  LentTokens lent;
  LentTokens::TokenPtr one = lent.Lend("digest", "text");
  LentTokens::TokenPtr another = lent.Lend("digest", "text");
  EXPECT_EQ(lent.size(), 1U);
  one.reset();
  ASSERT_NE(lent.Find("digest"), nullptr);
  EXPECT_EQ(lent.Find("digest")->text(), "text");
  EXPECT_EQ(lent.Find("other"), nullptr);
  another.reset();
  EXPECT_EQ(lent.Find("digest"), nullptr);
  EXPECT_EQ(lent.size(), 0U);
}

TEST(LentTokensTest, AreWantedByWhoSaysSo) {
  LentTokens lent;
  EXPECT_FALSE(lent.wanted());
  auto one = lent.Want();
  auto two = lent.Want();
  one.reset();
  EXPECT_TRUE(lent.wanted());
  two.reset();
  EXPECT_FALSE(lent.wanted());
}

TEST(LentTokensTest, AreForgottenAfterARaceToo) {
  LentTokens lent;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&lent] {
      for (int j = 0; j < 2000; ++j) {
        const std::string credential = std::to_string(j % 3);
        const LentTokens::TokenPtr held = lent.Lend(credential, "text " + credential);
        const LentTokens::TokenPtr found = lent.Find(credential);
        ASSERT_NE(found, nullptr);
        ASSERT_EQ(found->text(), "text " + credential);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lent.size(), 0U);
}

TEST(LentTokensTest, MayOutliveTheirShelf) {
  LentTokens::TokenPtr held;
  std::shared_ptr<const void> wanted;
  {
    LentTokens lent;
    held = lent.Lend("digest", "text");
    wanted = lent.Want();
  }
  EXPECT_EQ(held->text(), "text");
}

}  // namespace
}  // namespace switchyard
