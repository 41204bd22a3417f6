#include "pins/definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pins/diff.h"

namespace switchyard::pins {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string HashOf(std::string_view item) { return DefinitionOf(Kind::kTool, item).hash; }

constexpr std::string_view kTool =
    R"({"name":"pay","description":"Pays","inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}})";

TEST(Definitions, AreTheSameHoweverTheyAreWritten) {
  EXPECT_EQ(HashOf(kTool), HashOf(R"({ "inputSchema" : {"properties":{"a":{ "type":"number"} },
      "type":"object"}, "description":"\u0050ays", "name":"pay"})"));
}

TEST(Definitions, AreOthersWhenAnyPartThatAModelGoesByIs) {
  for (
      const char* other :
      {R"({"name":"pay","description":"Pays ","inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}})",
       R"({"name":"pay","inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}})",
       R"({"name":"pay","title":"","description":"Pays","inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}})",
       R"({"name":"pay","description":"Pays","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}}})",
       R"({"name":"pay","description":"Pays","inputSchema":{"type":"object","properties":{"a":{"type":"number","default":1}}}})",
       R"({"name":"pay","description":"Pays","outputSchema":{},"inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}})",
       R"({"name":"pay","description":"Pays","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}})"}) {
    EXPECT_NE(HashOf(kTool), HashOf(other)) << other;
  }
}

TEST(Definitions, AreTheSameWhateverTheirMetaAndIconsSay) {
  EXPECT_EQ(
      HashOf(kTool),
      HashOf(
          R"({"_meta":{"x":1},"icons":[],"name":"pay","description":"Pays","inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}})"));
}

TEST(Definitions, NumbersCountAsTheyAreWritten) {
  const auto with = [](const std::string& number) {
    return HashOf(R"({"name":"a","inputSchema":{"maximum":)" + number + "}}");
  };
  EXPECT_NE(with("100000000000000000000001"), with("100000000000000000000002"));
}

TEST(Definitions, ThatTwoReadersMayReadAsTwoAreKeptVerbatim) {
  for (const char* item :
       {R"({"name":"a","name":"b"})", R"({"name":"a","inputSchema":{"x":1,"x":2}})",
        R"({"name":"a","description":"\ud800"})"}) {
    const Definition definition = DefinitionOf(Kind::kTool, item);
    EXPECT_FALSE(definition.canonical);
    EXPECT_EQ(definition.text, item);
    EXPECT_NE(definition.hash, KeptDefinition(item, true).hash) << "no text passes for the other";
  }
}

TEST(Definitions, OfPromptsAndResourcesHaveTheirOwnParts) {
  EXPECT_NE(DefinitionOf(Kind::kPrompt, R"({"name":"a","arguments":[{"name":"x"}]})").hash,
            DefinitionOf(Kind::kPrompt, R"({"name":"a","arguments":[{"name":"y"}]})").hash);
  EXPECT_NE(DefinitionOf(Kind::kResource, R"({"uri":"a:b","mimeType":"text/plain"})").hash,
            DefinitionOf(Kind::kResource, R"({"uri":"a:b","mimeType":"text/html"})").hash);
  EXPECT_EQ(DefinitionOf(Kind::kResource, R"({"uri":"a:b","size":1})").hash,
            DefinitionOf(Kind::kResource, R"({"uri":"a:b","size":2})").hash);
}

TEST(Definitions, ReadWellAndReadTheSameAgain) {
  const Definition definition = DefinitionOf(Kind::kTool,
                                             "{\"name\":\"a\",\"description\":\"x\u200by \\\"q\\\" "
                                             "\\\\ {[,:]}\",\"inputSchema\":{\"a\":[],"
                                             "\"b\":{},\"c\":[1,{\"d\":null}]}}");
  const std::string pretty = PrettyJson(definition.text, 4);
  EXPECT_THAT(pretty, HasSubstr("x\\u200by")) << "what is not seen is shown";
  EXPECT_THAT(pretty, HasSubstr("\n      \"name\": \"a\""));
  EXPECT_EQ(CanonicalJson(pretty), definition.text);
}

TEST(Definitions, AreShownWithoutAnythingThatActsOnATerminal) {
  const std::string shown = Visible("a\x1b[31m\n\xe2\x80\xae\xf3\xa0\x81\x81\xff é");
  EXPECT_EQ(shown, "a\\u{001B}[31m \\u{202E}\\u{E0041}\\u{00FF} é");
}

TEST(Diffs, SayWhatWentAndWhatCame) {
  const auto lines = DiffLines("a\nb\nc\nd", "a\nc\nx\nd");
  EXPECT_EQ(DiffText(lines, 9, false), "  a\n- b\n  c\n+ x\n  d\n");
  EXPECT_EQ(DiffText(DiffLines("", "a"), 3, false), "+ a\n");
  EXPECT_EQ(DiffText(DiffLines("1\n2\n3\n4\n5", "1\n2\n3\n4\n6"), 1, false),
            "  ...\n  4\n- 5\n+ 6\n");
  EXPECT_THAT(DiffText(DiffLines("a", "b"), 3, true), HasSubstr("\x1b[32m+ b\x1b[0m"));
}

TEST(Diffs, OfLargeTextsAreBounded) {
  std::string a, b;
  for (int i = 0; i < 5000; ++i) {
    const bool same = i == 2500;
    a += same ? "same\n" : "a" + std::to_string(i) + "\n";
    b += same ? "same\n" : "b" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(DiffLines(a, b).size(), 10'000U) << "the one that is the same is not looked for";
}

}  // namespace
}  // namespace switchyard::pins
