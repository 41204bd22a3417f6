#include "base/glob.h"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TEST(Glob, APlainNameSaysMoreThanAnyPattern) {
  EXPECT_TRUE(IsMoreSpecific("a", "a_very_long_*"));
  EXPECT_FALSE(IsMoreSpecific("delete_*", "delete_"));
  EXPECT_TRUE(IsMoreSpecific("delete_", "delete_*"));
}

TEST(Glob, OfPatternsTheOneWithTheLongerLiteralPartSaysMore) {
  EXPECT_TRUE(IsMoreSpecific("delete_user*", "delete_*"));
  EXPECT_TRUE(IsMoreSpecific("*_user", "*"));
  EXPECT_TRUE(IsMoreSpecific("ab?", "a*"));
  EXPECT_FALSE(IsMoreSpecific("ab*", "*ab"));
  EXPECT_FALSE(IsMoreSpecific("*ab", "ab*"));
}

}  // namespace
}  // namespace switchyard
