// That the work of a check is counted by what is read for it: verdicts, not times.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "policies/lib/json_schema.h"

namespace switchyard {
namespace {

std::string VerdictOf(const JsonSchema& schema, const std::string& value) {
  switch (schema.Check(value).verdict) {
    case JsonSchema::Verdict::kFits: return "fits";
    case JsonSchema::Verdict::kDoesNotFit: return "does not fit";
    case JsonSchema::Verdict::kGaveUp: return "gave up";
  }
  return "";
}

// `schema` a thousand times over.
std::string Often(const std::string& schema) {
  std::string all = R"({"$defs":{"one":)" + schema + R"(},"allOf":[)";
  for (int i = 0; i < 1000; ++i)
    all += std::string(i == 0 ? "" : ",") + R"({"$ref":"#/$defs/one"})";
  return all + "]}";
}

std::string Filled(std::size_t size, const std::string& with = "x") {
  std::string text;
  while (text.size() < size) text += with;
  return text;
}

TEST(JsonSchemaWork, WhatIsReadToCompareCountsByItsLength) {
  const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
  struct Case {
    const char* what;
    std::function<std::pair<std::string, std::string>(std::size_t)> schema_and_value;
  };
  const std::vector<Case> cases = {
      {"equal strings",
       [&](std::size_t size) {
         const std::string text = quoted(Filled(size));
         return std::pair(R"({"const":)" + text + "}", text);
       }},
      {"strings with escapes",
       [&](std::size_t size) {
         return std::pair(R"({"enum":["a",)" + quoted(Filled(size, "\\n")) + "]}",
                          quoted(Filled(size, "\\n")));
       }},
      {"numbers",
       [&](std::size_t size) {
         return std::pair(R"({"const":)" + Filled(size, "7") + ".0}", Filled(size, "7") + ".00");
       }},
      {"whole numbers",
       [&](std::size_t size) {
         return std::pair(std::string(R"({"type":"integer"})"), Filled(size, "7") + ".0");
       }},
      {"multiples",
       [&](std::size_t size) {
         return std::pair(std::string(R"({"multipleOf":7})"), Filled(size, "7"));
       }},
      {"names of members",
       [&](std::size_t size) {
         const std::string object = "{" + quoted(Filled(size, "\\n")) + ":1}";
         return std::pair(R"({"const":)" + object + "}", object);
       }},
      {"names that others need",
       [&](std::size_t size) {
         const std::string name = quoted(Filled(size, "\\n"));
         return std::pair(R"({"dependentRequired":{)" + name + ":[]}}", "{" + name + ":1}");
       }},
      {"unique items",
       [&](std::size_t size) {
         return std::pair(std::string(R"({"uniqueItems":true})"),
                          "[" + quoted(Filled(size)) + "," + quoted(Filled(size) + "y") + "]");
       }},
      {"lengths of strings with escapes",
       [&](std::size_t size) {
         return std::pair(std::string(R"({"minLength":1})"), quoted(Filled(size, "\\n")));
       }},
  };
  for (const Case& one : cases) {
    const auto [schema, small] = one.schema_and_value(10);
    EXPECT_EQ(VerdictOf(JsonSchema(Often(schema)), small), "fits") << one.what;
    const auto [same, large] = one.schema_and_value(500'000);
    EXPECT_EQ(VerdictOf(JsonSchema(same), large), "fits") << one.what << ", once";
    EXPECT_EQ(VerdictOf(JsonSchema(Often(same)), large), "gave up") << one.what;
  }
}

TEST(JsonSchemaWork, AnEnumOfShortWordsCostsNoMoreForALongValue) {
  const std::string schema = Often(R"({"not":{"enum":["a","b","\n"]}})");
  EXPECT_EQ(VerdictOf(JsonSchema(schema), '"' + Filled(500'000, "\\n") + '"'), "fits");
}

}  // namespace
}  // namespace switchyard
