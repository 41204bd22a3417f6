#include "mcp/param_marks.h"

#include <gtest/gtest.h>

namespace switchyard::mcp {
namespace {

std::string Problem(std::string_view schema) { return FindParamMarks(schema).problem.value_or(""); }

TEST(HeaderParams, LegalOnesOnPropertiesAlsoNestedOnesAreFine) {
  EXPECT_EQ(Problem(R"({"type":"object","properties":{
      "a":{"type":"string","x-mcp-header":"Tenant"},
      "b":{"type":"object","properties":{"c":{"x-mcp-header":"Method","type":"integer"}}}}})"),
            "");
  EXPECT_EQ(Problem(R"({"type":"object"})"), "");
}

TEST(HeaderParams, APropertyOrADefaultOfThatNameIsNoAnnotation) {
  EXPECT_EQ(Problem(R"({"properties":{"x-mcp-header":{"type":"number"}},
                        "$defs":{"x-mcp-header":{}},"default":{"x-mcp-header":1}})"),
            "");
}

TEST(HeaderParams, EveryViolationIsNamed) {
  const auto with = [](std::string_view inner) {
    return Problem(std::string(R"({"properties":{"a":{)").append(inner).append("}}}"));
  };
  EXPECT_EQ(with(R"("type":"string","x-mcp-header":"")"), "x-mcp-header \"\" is not an HTTP token");
  EXPECT_EQ(with(R"("type":"string","x-mcp-header":7)"), "x-mcp-header 7 is not an HTTP token");
  EXPECT_NE(with(R"("type":"string","x-mcp-header":"a b")"), "");
  EXPECT_NE(with(R"("type":"number","x-mcp-header":"A")"), "");
  EXPECT_NE(with(R"("type":["string","null"],"x-mcp-header":"A")"), "");
  EXPECT_NE(with(R"("x-mcp-header":"A")"), "");
  EXPECT_NE(with(R"("items":{"type":"string","x-mcp-header":"A"})"), "");
  EXPECT_NE(with(R"("oneOf":[{"type":"string","x-mcp-header":"A"}])"), "");
  EXPECT_NE(Problem(R"({"type":"string","x-mcp-header":"A"})"), "");
  EXPECT_NE(Problem(R"({"$defs":{"d":{"type":"string","x-mcp-header":"A"}}})"), "");
  EXPECT_EQ(Problem(R"({"properties":{"a":{"type":"string","x-mcp-header":"Id"},
                                      "b":{"type":"string","x-mcp-header":"iD"}}})"),
            "x-mcp-header \"iD\" stands there twice");
}

TEST(HeaderParams, AnEscapedKeyIsSeenAsWell) {
  EXPECT_NE(Problem(R"({"properties":{"a":{"type":"number","x-mcp-h\u0065ader":"A"}}})"), "");
}

TEST(HeaderParams, StrippingTakesExactlyTheAnnotationsOut) {
  EXPECT_EQ(WithoutParamMarks(R"({"properties":{"a":{"x-mcp-header":"A"},)"
                              R"("b":{"type":"string", "x-mcp-header":"B"},)"
                              R"("c":{"x-mcp-header":"C" , "type":"string"},)"
                              R"("d":{"type":"string","x-mcp-header":"D","title":"t"}}})"),
            R"({"properties":{"a":{},"b":{"type":"string"},"c":{"type":"string"},)"
            R"("d":{"type":"string","title":"t"}}})");
}

TEST(HeaderParams, ASchemaWithoutAnnotationsIsLeftAlone) {
  const std::string schema = R"({ "type" : "object", "properties":{} })";
  EXPECT_EQ(WithoutParamMarks(schema), schema);
}

TEST(HeaderParams, AMarkNamesItsArgumentByThePathToIt) {
  const ParamMarks marks = FindParamMarks(
      R"({"properties":{"a":{"type":"number","x-mcp-header":"Bad"},"b":{"properties":{)"
      R"("c":{"type":"string","x-mcp-header":"Deep"}}}}})");
  ASSERT_EQ(marks.legal.size(), 1U) << "an illegal one marks nothing";
  EXPECT_EQ(marks.legal[0].header, "Deep");
  EXPECT_EQ(MarkedArgument(marks.legal[0], R"({"b":{ "c" : "\u00e9" }})"), R"("\u00e9")");
  EXPECT_EQ(MarkedArgument(marks.legal[0], R"({"b":{"c":1,"c":2}})"), "2");
  for (const char* none : {"", "{}", R"({"c":1})", R"({"b":7})", R"({"b":{"c":1})"}) {
    EXPECT_EQ(MarkedArgument(marks.legal[0], none), "") << none;
  }
}

TEST(HeaderParams, AreFoundBesideWhateverIsDeep) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const ParamMarks marks = FindParamMarks(
      R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"default":)" + deep + "}}}");
  ASSERT_EQ(marks.legal.size(), 1U);
  EXPECT_EQ(MarkedArgument(marks.legal[0], R"({"b":)" + deep + R"(,"a":"x"})"), R"("x")");
}

}  // namespace
}  // namespace switchyard::mcp
