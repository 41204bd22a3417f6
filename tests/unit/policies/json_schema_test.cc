#include "policies/lib/json_schema.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kDraft7 = R"("$schema":"http://json-schema.org/draft-07/schema#")";

std::string Verdict(const JsonSchema& schema, const std::string& value, bool formats = false) {
  switch (schema.Check(value, formats).verdict) {
    case JsonSchema::Verdict::kFits: return "fits";
    case JsonSchema::Verdict::kDoesNotFit: return "does not fit";
    case JsonSchema::Verdict::kGaveUp: return "gave up";
  }
  return "";
}

struct Row {
  std::string schema;
  std::vector<std::string> fit, do_not;
};

void Judge(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const JsonSchema schema(row.schema);
    EXPECT_THAT(schema.notes(), IsEmpty()) << row.schema;
    for (const std::string& value : row.fit) {
      EXPECT_EQ(Verdict(schema, value), "fits") << value << " against " << row.schema;
    }
    for (const std::string& value : row.do_not) {
      EXPECT_EQ(Verdict(schema, value), "does not fit") << value << " against " << row.schema;
    }
  }
}

std::vector<std::string> Sentences(const std::string& schema, const std::string& value) {
  const JsonSchema compiled(schema);
  std::vector<std::string> out;
  for (const auto& problem : compiled.Check(value).problems) {
    out.push_back(problem.ToSentence("arguments"));
  }
  return out;
}

TEST(JsonSchemaKeywords, OfAnyValue) {
  Judge({{"true", {"1", "{}"}, {}},
         {"false", {}, {"1", "{}"}},
         {"{}", {"1", "null"}, {}},
         {R"({"type":"integer"})", {"1", "1.0", "1e2", "-0"}, {"1.5", "\"1\"", "null"}},
         {R"({"type":["string","null"]})", {"\"\"", "null"}, {"1", "{}", "[]", "true"}},
         {R"({"type":"boolean"})", {"true", "false"}, {"0", "\"true\""}},
         {R"({"const":{"a":[1,2.0]}})", {R"({"a":[1.0,2]})"}, {R"({"a":[2,1]})", "{}"}},
         {R"({"const":"é"})", {R"("\u00e9")", "\"é\""}, {"\"e\""}},
         {R"({"enum":["a",1,null]})", {"\"a\"", "1.0", "null"}, {"\"b\"", "false", "[]"}}});
}

TEST(JsonSchemaKeywords, OfNumbers) {
  Judge({{R"({"minimum":1.5})", {"1.5", "2", "\"x\""}, {"1.4999", "-2"}},
         {R"({"maximum":10})", {"10", "1e1", "-3"}, {"10.0001", "1e2"}},
         {R"({"exclusiveMinimum":0})", {"0.001"}, {"0", "-0.0"}},
         {R"({"exclusiveMaximum":-1})", {"-2"}, {"-1.0", "0"}},
         {R"({"multipleOf":0.1})", {"0.3", "1", "0", "-0.7"}, {"0.35"}},
         {R"({"multipleOf":3})", {"9", "3e40", "-6"}, {"10", "0.3", "1e40"}}});
}

TEST(JsonSchemaKeywords, OfNumbersBeyondWhatADoubleHolds) {
  Judge({{R"({"maximum":9007199254740992})", {"9007199254740992"}, {"9007199254740993"}},
         {R"({"const":123456789012345678901234567890})",
          {"123456789012345678901234567890.0", "12345678901234567890123456789e1"},
          {"123456789012345678901234567891"}},
         {R"({"minimum":0.1000000000000000000001})",
          {"0.1000000000000000000002"},
          {"0.1", "0.10000000000000000000001"}},
         {R"({"type":"integer","multipleOf":7})",
          {"7e400", "700000000000000000000000000007"},
          {"1e400"}},
         {R"({"maximum":1e308})", {"1e308"}, {"1e309", "1e99999999999999999999"}},
         {R"({"uniqueItems":true})", {"[9007199254740992,9007199254740993]"}, {"[1e400,10e399]"}}});
}

TEST(JsonSchemaKeywords, OfStrings) {
  Judge({{R"({"minLength":2})", {"\"ab\"", "\"é💩\"", "1"}, {"\"💩\"", R"("\ud83d\udca9")"}},
         {R"({"maxLength":1})", {R"("\ud83d\udca9")", R"("\n")"}, {"\"ab\""}},
         {R"({"pattern":"b+$"})", {"\"ab\"", R"("a\u0062")"}, {"\"ba\""}},
         {R"({"pattern":"^\\S$"})", {"\"a\""}, {"\" \"", R"("\u00a0")", R"("\ufeff")"}},
         {R"({"pattern":"^.$"})", {"\"💩\""}, {R"("\u2028")", R"("\n")"}},
         {R"({"pattern":"^[[]$"})", {"\"[\""}, {"\"a\""}},
         {R"({"pattern":"^\\cA\\u{1f4a9}\\/$"})", {R"("\u0001\ud83d\udca9/")"}, {"\"A\""}}});
}

TEST(JsonSchemaKeywords, OfArrays) {
  Judge({{R"({"minItems":1,"maxItems":2})", {"[1]", "[1,2]", "{}"}, {"[]", "[1,2,3]"}},
         {R"({"items":{"type":"string"}})", {"[]", "[\"a\"]"}, {"[\"a\",1]"}},
         {R"({"prefixItems":[{"type":"string"}],"items":false})",
          {"[]", "[\"a\"]"},
          {"[1]", "[\"a\",1]"}},
         {R"({"contains":{"type":"null"}})", {"[1,null]"}, {"[]", "[1]"}},
         {R"({"contains":{"type":"null"},"minContains":2,"maxContains":3})",
          {"[null,null]", "[null,1,null,null]"},
          {"[null]", "[null,null,null,null]"}},
         {R"({"contains":true,"minContains":0})", {"[]", "[1]"}, {}},
         {R"({"uniqueItems":true})",
          {"[1,\"1\",true,[1],{\"a\":1}]", "[{\"a\":1},{\"a\":2}]", "[0,false,null]"},
          {"[1,1.0]", R"([{"a":1,"b":2},{"b":2,"a":1}])", R"(["a","\u0061"])"}}});
}

TEST(JsonSchemaKeywords, OfObjects) {
  Judge(
      {{R"({"required":["a","b"]})", {R"({"b":1,"a":null})", "[]"}, {R"({"a":1})", "{}"}},
       {R"({"properties":{"a":{"type":"null"}}})",
        {"{}", R"({"a":null,"b":1})"},
        {R"({"\u0061":1})"}},
       {R"({"properties":{"a":true},"patternProperties":{"^x":{"type":"null"}},"additionalProperties":false})",
        {R"({"a":1,"xy":null})"},
        {R"({"b":1})", R"({"xy":1})"}},
       {R"({"additionalProperties":{"type":"integer"}})", {R"({"a":1})"}, {R"({"a":"1"})"}},
       {R"({"propertyNames":{"maxLength":1}})", {R"({"a":1})"}, {R"({"ab":1})"}},
       {R"({"minProperties":1,"maxProperties":1})", {R"({"a":1})"}, {"{}", R"({"a":1,"b":1})"}},
       {R"({"dependentRequired":{"a":["b"]}})", {R"({"b":1})", R"({"a":1,"b":1})"}, {R"({"a":1})"}},
       {R"({"dependentSchemas":{"a":{"maxProperties":1}}})", {R"({"a":1})"}, {R"({"a":1,"b":1})"}},
       {R"({"unevaluatedProperties":false,"allOf":[{"properties":{"a":true}}],"anyOf":[{"required":["b"],"properties":{"b":true}},true]})",
        {R"({"a":1})", R"({"a":1,"b":1})"},
        {R"({"c":1})"}}});
}

TEST(JsonSchemaKeywords, ThatJoinOthers) {
  Judge({{R"({"allOf":[{"minimum":1},{"maximum":2}]})", {"1"}, {"0", "3"}},
         {R"({"anyOf":[{"type":"null"},{"minimum":5}]})", {"null", "5", "\"x\""}, {"4"}},
         {R"({"oneOf":[{"minimum":1},{"maximum":3}]})", {"0", "4"}, {"2"}},
         {R"({"not":{"type":"null"}})", {"1"}, {"null"}},
         {R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}})",
          {R"({"a":1,"b":1})", R"({"c":1})"},
          {R"({"a":1})", R"({"b":1})"}},
         {R"({"prefixItems":[true],"unevaluatedItems":{"type":"null"}})", {"[1,null]"}, {"[1,1]"}},
         {R"({"contains":{"type":"null"},"unevaluatedItems":false})", {"[null]"}, {"[null,1]"}}});
}

TEST(JsonSchemaReferences, LeadToPlacesInTheSameText) {
  Judge(
      {{R"({"properties":{"n":{"$ref":"#"},"v":{"type":"null"}}})",
        {R"({"n":{"n":{"v":null}}})"},
        {R"({"n":{"n":{"v":1}}})"}},
       {R"({"$ref":"#/$defs/a~1b%25","$defs":{"a/b%":{"type":"null"}}})", {"null"}, {"1"}},
       {R"({"$ref":"#here","$defs":{"x":{"$anchor":"here","type":"null"}}})", {"null"}, {"1"}},
       {R"({"$id":"https://e.com/root","$ref":"sub/x","$defs":{"x":{"$id":"sub/x","$ref":"#/$defs/y","$defs":{"y":{"type":"null"}}}}})",
        {"null"},
        {"1"}},
       {R"({"$ref":"#/$defs/a","maximum":3,"$defs":{"a":{"minimum":1}}})", {"2"}, {"0", "4"}},
       {R"({"$id":"https://e.com/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,"$defs":{"tree":{"$id":"tree","$dynamicAnchor":"node","properties":{"kids":{"items":{"$dynamicRef":"#node"}}}}}})",
        {R"({"kids":[{"kids":[]}]})"},
        {R"({"kids":[{"kidz":[]}]})"}}});
}

TEST(JsonSchemaDraft7, HasItsOwnWords) {
  const std::string head = std::string("{") + kDraft7 + ",";
  Judge(
      {{head + R"("items":[{"type":"null"}],"additionalItems":false})",
        {"[null]"},
        {"[1]", "[null,1]"}},
       {head + R"("dependencies":{"a":["b"],"c":{"maxProperties":1}}})",
        {R"({"a":1,"b":1})", R"({"c":1})"},
        {R"({"a":1})", R"({"c":1,"d":1})"}},
       {head + R"("$ref":"#/definitions/a","maximum":1,"definitions":{"a":{"minimum":1}}})",
        {"5"},
        {"0"}},
       {head + R"("$ref":"#x","definitions":{"a":{"$id":"#x","type":"null"}}})", {"null"}, {"1"}},
       {head +
            R"("prefixItems":[false],"unevaluatedProperties":false,"dependentRequired":{"a":["b"]}})",
        {"[1]", R"({"a":1})"},
        {}}});
}

TEST(JsonSchemaFormats, AreAnnotationsUnlessTheyAreAskedFor) {
  const auto fits = [](const std::string& format, const std::string& text) {
    const JsonSchema schema(R"({"format":")" + format + "\"}");
    EXPECT_EQ(Verdict(schema, '"' + text + '"', false), "fits");
    return Verdict(schema, '"' + text + '"', true) == "fits";
  };
  EXPECT_TRUE(fits("date", "2024-02-29"));
  EXPECT_FALSE(fits("date", "2023-02-29"));
  EXPECT_TRUE(fits("date-time", "2024-01-01T23:59:60+00:00"));
  EXPECT_FALSE(fits("date-time", "2024-01-01 00:00:00Z"));
  EXPECT_TRUE(fits("duration", "P1Y2M3DT4H"));
  EXPECT_FALSE(fits("duration", "P1D2Y"));
  EXPECT_TRUE(fits("email", "a.b+c@example.org"));
  EXPECT_FALSE(fits("email", "a.b"));
  EXPECT_TRUE(fits("ipv6", "::1"));
  EXPECT_FALSE(fits("ipv4", "256.1.1.1"));
  EXPECT_TRUE(fits("uri", "https://example.org/a?b#c"));
  EXPECT_FALSE(fits("uri", "/a"));
  EXPECT_TRUE(fits("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380"));
  EXPECT_FALSE(fits("uuid", "2eb8aa08aa9811eab4aa73b441d16380"));
  EXPECT_TRUE(fits("regex", "(?=a)"));
  EXPECT_FALSE(fits("regex", "["));
  EXPECT_TRUE(fits("something-else", "?"));
}

TEST(JsonSchemaProblems, NameThePlaceWhatWasExpectedAndWhatCame) {
  const std::string schema =
      R"({"type":"object","required":["path","limit"],"additionalProperties":false,)"
      R"("properties":{"path":{"type":"string","minLength":3},"limit":{"type":"integer","maximum":100},)"
      R"("mode":{"enum":["r","w"]},"when":{"anyOf":[{"type":"string"},{"type":"null"}]}}})";
  EXPECT_THAT(
      Sentences(schema, R"({"path":"ab","limit":"ten","mode":"x","when":5})"),
      ElementsAre(R"(/path: expected a string of at least 3 characters, got the string "ab" of 2)",
                  R"(/limit: expected an integer, got the string "ten")",
                  R"(/mode: expected one of "r", "w", got the string "x")",
                  R"(/when: expected a string, or null, got the number 5)"));
  EXPECT_THAT(
      Sentences(schema, R"({"path":"abc","limt":1})"),
      ElementsAre(
          R"(/limt: expected no such member (there are: "mode", "path", "when" and "limit"), got the number 1)",
          R"(arguments: expected an object with the member "limit", got an object with the members "path" and "limt")"));
  EXPECT_THAT(Sentences(schema, "[]"),
              ElementsAre("arguments: expected an object, got an empty array"));
}

TEST(JsonSchemaProblems, OfAlternativesAreThoseOfTheOneThatWasMeant) {
  EXPECT_THAT(
      Sentences(
          R"({"oneOf":[{"properties":{"kind":{"const":"a"},"x":{"type":"integer"}}},{"type":"string"}]})",
          R"({"kind":"a","x":"1"})"),
      ElementsAre(R"(/x: expected an integer, got the string "1")"));
  const std::string kinds =
      R"({"anyOf":[{"properties":{"kind":{"const":"a"},"x":{"type":"integer"}}},)"
      R"({"properties":{"kind":{"const":"b"},"x":{"type":"null"}}}]})";
  EXPECT_THAT(Sentences(kinds, R"({"kind":"b","x":1})"),
              ElementsAre("/x: expected null, got the number 1"));
  EXPECT_THAT(Sentences(kinds, R"({"kind":"c","x":1})"),
              ElementsAre(HasSubstr(R"(expected with /kind as "a", or with /kind as "b", got)")));
  EXPECT_THAT(Sentences(R"({"oneOf":[{"minimum":1},{"maximum":3}]})", "2"),
              ElementsAre(HasSubstr("exactly one of 2 alternatives, got the number 2, which fits "
                                    "alternatives 1 and 2")));
}

TEST(JsonSchemaProblems, AreBoundedInNumberAndLength) {
  std::string value = "[";
  for (int i = 0; i < 50; ++i) value += "\"" + std::string(500, 'x') + "\",";
  value += "1]";
  const std::vector<std::string> all = Sentences(R"({"items":{"type":"integer"}})", value);
  EXPECT_THAT(all, SizeIs(5));
  for (const std::string& one : all) EXPECT_LT(one.size(), 200U);
}

TEST(JsonSchemaProblems, SayWhereTheSchemaSaysSoWithoutAWordOfTheValue) {
  const JsonSchema schema(R"({"additionalProperties":{"maxLength":3}})");
  const auto answer = schema.Check(R"({"secret key":"secret value"})");
  ASSERT_EQ(answer.problems.size(), 1U);
  EXPECT_EQ(answer.problems[0].keyword, "/additionalProperties/maxLength");
  EXPECT_EQ(answer.problems[0].pointer, "/secret key");
}

TEST(JsonSchemaNotes, NameWhatIsNotCheckedAndItIsLetThrough) {
  const JsonSchema schema(
      R"({"properties":{"a":{"pattern":"(?=x)y"},"b":{"$ref":"https://e.com/x"},"c":{"type":"nul"},)"
      R"("d":{"minimum":"1"},"e":{"items":5}}})");
  EXPECT_THAT(schema.notes(),
              ElementsAre(AllOf(HasSubstr("/properties/a/pattern"), HasSubstr("looks around")),
                          AllOf(HasSubstr("/properties/b/$ref"), HasSubstr("nothing is fetched")),
                          HasSubstr("/properties/c/type"), HasSubstr("/properties/d/minimum"),
                          HasSubstr("/properties/e/items")));
  EXPECT_EQ(Verdict(schema, R"({"a":"z","b":1,"c":2,"d":0,"e":[1]})"), "fits");
}

TEST(JsonSchemaNotes, WhatIsNotCheckedRefusesNothingUnderANegationEither) {
  const std::string strange = R"({"pattern":"(?=x)y"})";
  for (const std::string& schema :
       {R"({"not":)" + strange + "}", R"({"oneOf":[true,)" + strange + "]}",
        R"({"if":)" + strange + R"(,"then":false,"else":false})",
        R"({"contains":)" + strange + R"(,"maxContains":0,"minContains":0})"}) {
    EXPECT_EQ(Verdict(JsonSchema(schema), "[\"a\"]"), "fits") << schema;
    EXPECT_EQ(Verdict(JsonSchema(schema), "\"a\""), "fits") << schema;
  }
  const JsonSchema open(R"x({"patternProperties":{"(?=x)":{}},"additionalProperties":false})x");
  EXPECT_EQ(Verdict(open, R"({"a":1})"), "fits");
}

TEST(JsonSchemaNotes, ASchemaThatIsNoneChecksNothingAndSaysSo) {
  for (const char* text : {"", "{", "[]", "5", "{\"a\":tru}"}) {
    const JsonSchema schema(text);
    EXPECT_EQ(Verdict(schema, "1"), "fits") << text;
    EXPECT_THAT(schema.notes(), SizeIs(1)) << text;
  }
}

TEST(JsonSchemaBounds, AnEndlessReferenceGivesUp) {
  EXPECT_EQ(Verdict(JsonSchema(R"({"$ref":"#"})"), "1"), "gave up");
  EXPECT_EQ(Verdict(JsonSchema(R"({"not":{"$ref":"#"}})"), "1"), "gave up");
}

TEST(JsonSchemaBounds, WorkThatDoublesWithEachLevelGivesUp) {
  std::string schema = R"({"$ref":"#/$defs/0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"$ref":"#/$defs/)" + std::to_string(i + 1) + "\"}";
    schema +=
        '"' + std::to_string(i) + R"(":{"anyOf":[{"allOf":[)" + next + ",false]}," + next + "]},";
  }
  schema += R"("40":false}})";
  EXPECT_EQ(Verdict(JsonSchema(schema), "1"), "gave up");
}

TEST(JsonSchemaBounds, DepthIsBoundedAndOrdinaryDepthIsNot) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  const JsonSchema schema(R"({"type":"array","items":{"$ref":"#"}})");
  EXPECT_EQ(Verdict(schema, nested(100)), "fits");
  EXPECT_EQ(Verdict(schema, nested(500)), "gave up");
  EXPECT_EQ(Verdict(schema, nested(5000)), "gave up");
}

TEST(JsonSchemaBounds, AMillionEqualLookingItemsAreComparedInTime) {
  std::string value = "[";
  for (int i = 0; i < 200'000; ++i) value += std::to_string(i) + ",";
  const JsonSchema schema(R"({"uniqueItems":true})");
  EXPECT_EQ(Verdict(schema, value + "-1]"), "fits");
  EXPECT_EQ(Verdict(schema, value + "7]"), "does not fit");
}

TEST(JsonSchemaValues, ThatAreNoJsonDoNotFit) {
  const JsonSchema schema("true");
  for (const char* text : {"{", "{\"a\":}", "01", "[1,]", "\"\\q\"", "nul", "1 2", "{\"a\" 1}"}) {
    EXPECT_EQ(Verdict(schema, text), "does not fit") << text;
  }
}

}  // namespace
}  // namespace switchyard
