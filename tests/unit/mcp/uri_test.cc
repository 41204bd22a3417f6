#include "mcp/uri.h"

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

TEST(Uri, IsAPartOfItselfAndOfWhatItStandsBelow) {
  EXPECT_TRUE(IsPartOf("x://a", "x://a"));
  EXPECT_TRUE(IsPartOf("x://a/b", "x://a"));
  EXPECT_TRUE(IsPartOf("x://a?q", "x://a"));
  EXPECT_TRUE(IsPartOf("x://a#f", "x://a"));
  EXPECT_TRUE(IsPartOf("file:///dir/b", "file:///dir/"));
}

TEST(Uri, IsNoPartOfWhatItOnlyBeginsLike) {
  EXPECT_FALSE(IsPartOf("x://ab", "x://a"));
  EXPECT_FALSE(IsPartOf("x://a", "x://a/b"));
  EXPECT_FALSE(IsPartOf("y://a", "x://a"));
  EXPECT_FALSE(IsPartOf("x://a", ""));
}

}  // namespace
}  // namespace switchyard::mcp
