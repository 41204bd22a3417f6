#include "catalog/completions.h"

#include <gtest/gtest.h>

namespace switchyard::catalog {
namespace {

TEST(Completions, ATemplateIsExpandedAsFarAsIsKnown) {
  const auto expanded = [](std::string_view text) {
    return Expand(text, {{"id", "a/b c"}, {"n", ""}});
  };
  EXPECT_EQ(expanded("x://{id}/y"), "x://a%2Fb%20c/y");
  EXPECT_EQ(expanded("x://{+id}"), "x://a/b%20c");
  EXPECT_EQ(expanded("x://h{/id}{?id}{&n}{;n}"), "x://h/a%2Fb%20c?id=a%2Fb%20c&n=;n");
  EXPECT_EQ(expanded("x://{other}/{id}"), "x://{other}/a%2Fb%20c");
  EXPECT_EQ(expanded("x://{?id,n}"), "x://{?id,n}") << "of several at once nothing is said";
  EXPECT_EQ(expanded("x://{id"), "x://{id");
}

}  // namespace
}  // namespace switchyard::catalog
