#include "catalog/item_reader.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::catalog {
namespace {

// What is offered of it, or "not offered: why".
std::string Offered(ItemKind kind, const std::string& json) {
  ItemReader reader;
  const auto item = reader.Read(kind, json);
  return item ? item->json : "not offered: " + item.error().why;
}

const std::string kSchema = R"("inputSchema":{"type":"object"})";

TEST(ItemReader, WhatTheSchemaAllowsIsLeftAsItIs) {
  for (const std::string more :
       {R"("description":"d","title":"t","_meta":{"a":1},"unknown":[null])",
        R"("annotations":{"title":"t","readOnlyHint":true,"unknown":5})",
        R"("icons":[{"src":"data:x","mimeType":"image/png","sizes":["48x48"],"theme":"dark"}])",
        R"("execution":{"taskSupport":"optional"})", R"("outputSchema":{"type":"array"})",
        R"("outputSchema":{"type":"object","properties":{"x":{}},"required":["x"]})"}) {
    const std::string tool = R"({"name":"x",)" + kSchema + "," + more + "}";
    EXPECT_EQ(Offered(ItemKind::kTool, tool), tool);
  }
  for (const std::string prompt :
       {R"({"name":"x"})",
        R"({"name":"x","arguments":[{"name":"a","description":"d","required":true}]})"}) {
    EXPECT_EQ(Offered(ItemKind::kPrompt, prompt), prompt);
  }
  for (const std::string time :
       {"2026-07-28T09:00Z", "2026-07-28T09:00:01.25Z", "2026-07-28T09:00:00+02:00"}) {
    const std::string resource =
        R"({"uri":"file:///x","name":"n","mimeType":"text/plain","size":7,"annotations":)"
        R"({"audience":["user","assistant"],"priority":0.5,"lastModified":")" +
        time + R"("}})";
    EXPECT_EQ(Offered(ItemKind::kResource, resource), resource);
  }
}

TEST(ItemReader, OptionalMembersOfAWrongTypeAreLeftOut) {
  const std::string plain = R"({"name":"x",)" + kSchema + "}";
  for (const std::string wrong :
       {R"("description":null)", R"("description":5)", R"("title":{})", R"("_meta":"x")",
        R"("annotations":"x")", R"("annotations":{"readOnlyHint":"yes"})", R"("icons":{})",
        R"("icons":[{"mimeType":"image/png"}])", R"("icons":[{"src":"x","theme":"blue"}])",
        R"("execution":{"taskSupport":"maybe"})", R"("outputSchema":"s")",
        R"("outputSchema":{"type":"object","properties":{"x":true}})"}) {
    EXPECT_EQ(Offered(ItemKind::kTool, R"({"name":"x",)" + wrong + "," + kSchema + "}"), plain)
        << wrong;
  }
  EXPECT_EQ(Offered(ItemKind::kPrompt, R"({"arguments":"x","name":"x"})"), R"({"name":"x"})");
  EXPECT_EQ(Offered(ItemKind::kPrompt, R"({"name":"x","arguments":[{}]})"), R"({"name":"x"})");
  for (const std::string wrong :
       {R"("size":"big")", R"("mimeType":5)", R"("annotations":{"audience":["all"]})",
        R"("annotations":{"priority":2})", R"("annotations":{"lastModified":"yesterday"})",
        R"("annotations":{"lastModified":"2026-07-28T09:00:00"})"}) {
    EXPECT_EQ(Offered(ItemKind::kResource, R"({"uri":"u:x","name":"n",)" + wrong + "}"),
              R"({"uri":"u:x","name":"n"})")
        << wrong;
  }
}

TEST(ItemReader, WhatIsLeftOutIsToldWithTheReason) {
  ItemReader reader;
  const std::string json = R"({"name":"x","title":1,"icons":2,)" + kSchema + "}";
  const auto item = reader.Read(ItemKind::kTool, json);
  ASSERT_TRUE(item);
  EXPECT_EQ(item->changes,
            (std::vector<std::string>{"its title is not a string and is left out",
                                      "its icons is not a list of icons and is left out"}));
}

TEST(ItemReader, AnInputSchemaWithoutATypeIsOfAnObject) {
  EXPECT_EQ(Offered(ItemKind::kTool, R"({"name":"x"})"), R"({"name":"x",)" + kSchema + "}");
  EXPECT_EQ(Offered(ItemKind::kTool, R"({"inputSchema":{},"name":"x"})"),
            R"({"name":"x",)" + kSchema + "}");
  EXPECT_EQ(Offered(ItemKind::kTool, R"({"name":"x","inputSchema":{"required":["a"]}})"),
            R"({"name":"x","inputSchema":{"type":"object","required":["a"]}})");
}

TEST(ItemReader, WhatCannotBeMendedIsNotOffered) {
  for (const std::string schema :
       {R"("s")", "null", "[]", R"({"type":"string"})", R"({"type":"object","properties":[]})",
        R"({"type":"object","properties":{"x":true}})", R"({"type":"object","required":"x"})"}) {
    EXPECT_EQ(Offered(ItemKind::kTool, R"({"name":"x","inputSchema":)" + schema + "}"),
              "not offered: its inputSchema is not a schema of type object whose properties are "
              "objects");
  }
  EXPECT_EQ(Offered(ItemKind::kResource, R"({"uri":"u:x"})"),
            "not offered: its name is not a string");
  EXPECT_EQ(Offered(ItemKind::kTemplate, R"({"uriTemplate":"u:{x}","name":5})"),
            "not offered: its name is not a string");
  for (const ItemKind kind : {ItemKind::kTool, ItemKind::kPrompt}) {
    EXPECT_EQ(Offered(kind, R"({"name":5})"), "not offered: it has no name");
    EXPECT_EQ(Offered(kind, R"({"name":""})"), "not offered: it has no name");
    EXPECT_EQ(Offered(kind, "7"), "not offered: it is not an object");
    EXPECT_EQ(Offered(kind, "{"), "not offered: it is not valid JSON");
    EXPECT_EQ(Offered(kind, R"({"name":"a","name":"b"})"), "not offered: duplicate key name");
  }
}

}  // namespace
}  // namespace switchyard::catalog
