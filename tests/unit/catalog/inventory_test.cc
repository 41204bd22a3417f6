#include "catalog/inventory.h"

#include <gtest/gtest.h>

#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

using mcp::DuplicateKey;
using mcp::ElementsOf;
using mcp::MembersOf;

TEST(ItemsOf, GivesTheItemsVerbatim) {
  const auto items =
      ItemsOf(R"({"x":[1],"tools": [ {"name":"a]\"}", "b":[{}]} ,{"name" : 1}],"nextCursor":"c"})",
              "tools");
  ASSERT_TRUE(items);
  EXPECT_EQ(*items, (std::vector<std::string>{R"({"name":"a]\"}", "b":[{}]})", R"({"name" : 1})"}));
}

TEST(ItemsOf, AnEmptyListIsAnEmptyList) {
  const auto items = ItemsOf(R"({"prompts":[]})", "prompts");
  ASSERT_TRUE(items);
  EXPECT_TRUE(items->empty());
}

TEST(ItemsOf, AMissingOrBrokenListBlamesTheServer) {
  for (const std::string_view text :
       {R"({})", R"({"tools":{}})", R"({"tools":[1 2]})", R"([])", R"({"tools":[)", ""}) {
    const auto items = ItemsOf(text, "tools");
    ASSERT_FALSE(items) << text;
    EXPECT_EQ(items.error().code, Code::kProtocol) << text;
    EXPECT_EQ(items.error().origin, Origin::kServer) << text;
  }
}

TEST(Scan, KeysAreUnescapedAndSpansFitTheText) {
  const std::string text = R"( {"n\u0061me" : "x", "b":[1,{"c":"]"}]} )";
  const auto fields = MembersOf(text);
  ASSERT_TRUE(fields);
  ASSERT_EQ(fields->size(), 2U);
  EXPECT_EQ((*fields)[0].key, "name");
  EXPECT_EQ((*fields)[0].at.value.In(text), "\"x\"");
  EXPECT_EQ((*fields)[1].whole, R"("b":[1,{"c":"]"}])");
}

TEST(Scan, ADuplicateKeyIsFoundAmongFewAndAmongMany) {
  EXPECT_EQ(DuplicateKey(*MembersOf(R"({"a":1,"b":2,"\u0061":3})")), "a");
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_EQ(DuplicateKey(*MembersOf(many + "\"z\":1}")), "");
  EXPECT_EQ(DuplicateKey(*MembersOf(many + "\"k7\":1}")), "k7");
}

TEST(Scan, RubbishStaysWithinBounds) {
  for (const std::string_view text :
       {"{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"\\", "{\"a\":[}", "{\"a\":1,}", "{}}"}) {
    EXPECT_FALSE(MembersOf(text)) << text;
  }
  EXPECT_FALSE(ElementsOf("[1,"));
  EXPECT_FALSE(ElementsOf("[1]]"));
}

}  // namespace
}  // namespace switchyard::catalog
