#include "config/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::config {
namespace {

using testing::HasSubstr;

// What a text is refused for, or "fine".
std::string Verdict(const std::string& text) {
  Problems problems("t.yaml");
  const NodePtr root = ParseTree(text, problems);
  if (!problems.has_errors()) return root ? "fine" : "null without a problem";
  return problems.Errors().front().ToString();
}

TEST(Tree, KeepsWhereEverythingStands) {
  Problems problems("t.yaml");
  const NodePtr root = ParseTree("a: 1\nb:\n  - x\n  - 'y'\n", problems);
  ASSERT_TRUE(root);
  const Node& list = *root->Find("b")->value;
  EXPECT_EQ(root->Find("b")->at, (Mark{2, 1}));
  EXPECT_EQ(list.items[1]->at, (Mark{4, 5}));
  EXPECT_FALSE(list.items[0]->quoted);
  EXPECT_TRUE(list.items[1]->quoted);
}

TEST(Tree, SharesWhatStandsUnderAnAnchor) {
  Problems problems("t.yaml");
  const NodePtr root = ParseTree("a: &x {k: v}\nb: *x\n", problems);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->Find("a")->value, root->Find("b")->value);
}

TEST(Tree, MergesWithoutOverridingWhatIsSaid) {
  Problems problems("t.yaml");
  const NodePtr root =
      ParseTree("a: &x {k: v, l: w}\nc: &y {k: u, m: n}\nb: {k: own, <<: [*x, *y]}\n", problems);
  ASSERT_TRUE(root);
  ASSERT_FALSE(problems.has_errors());
  const Node& merged = *root->Find("b")->value;
  EXPECT_EQ(merged.Find("k")->value->text, "own");
  EXPECT_EQ(merged.Find("l")->value->text, "w");
  EXPECT_EQ(merged.Find("m")->value->text, "n");
  EXPECT_EQ(merged.entries.size(), 3U);
}

TEST(Tree, RefusesABillionLaughs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j == 0 ? "" : ", ") + below;
    text += "]\n";
  }
  EXPECT_THAT(Verdict(text), HasSubstr("more values than the limit of 100000"));
}

TEST(Tree, RefusesABillionLaughsByMerging) {
  std::string text = "a0: &a0 {k: [x, x, x, x, x, x, x, x, x, x]}\n";
  for (int i = 1; i < 10; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {";
    for (int j = 0; j < 10; ++j) {
      text += "k" + std::to_string(j) + ": {<<: " + below + ", z: " + below + "}, ";
    }
    text += "}\n";
  }
  EXPECT_THAT(Verdict(text), HasSubstr("than the limit of"));
}

TEST(Tree, RefusesDepthWrittenAndDepthByAliases) {
  EXPECT_EQ(Verdict("a: " + std::string(20, '[') + std::string(20, ']')), "fine");
  EXPECT_THAT(Verdict("a: " + std::string(40, '[') + std::string(40, ']')),
              HasSubstr("nested deeper than the limit of 32 levels"));
  EXPECT_THAT(Verdict(std::string(100'000, '[')), HasSubstr("nested deeper"));
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string n = std::to_string(i);
    text += "a" + n + ": &a" + n + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(Verdict(text), HasSubstr("nested deeper"));
}

TEST(Tree, RefusesATextThatIsTooLarge) {
  EXPECT_EQ(Verdict("a: 1\n#" + std::string(kMaxText, 'x')),
            "t.yaml: larger than the limit of 1048576 bytes, got 1048582");
}

// The YAML library would take 0x04 for the end of the text and read half a file.
TEST(Tree, RefusesBytesThatAreNoText) {
  EXPECT_EQ(Verdict("a: 1\nb: \x04\nc: 1\n"), "t.yaml:2:4: control character 0x04 is not allowed");
  EXPECT_EQ(Verdict(std::string("a: \0b", 5)), "t.yaml:1:4: control character 0x00 is not allowed");
  EXPECT_EQ(Verdict("a: \xff"), "t.yaml:1:4: byte 0xff is not utf-8");
  EXPECT_EQ(Verdict("a: \xc0\xaf"), "t.yaml:1:4: byte 0xc0 is not utf-8");
  EXPECT_EQ(Verdict("a: \xed\xa0\x80"), "t.yaml:1:4: byte 0xed is not utf-8");
  EXPECT_EQ(Verdict("a: \xf4\x90\x80\x80"), "t.yaml:1:4: byte 0xf4 is not utf-8");
  EXPECT_EQ(Verdict("a: \xe2\x82"), "t.yaml:1:4: byte 0xe2 is not utf-8");
  EXPECT_EQ(Verdict("a: gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\x82\r\n"), "fine");
  EXPECT_EQ(Verdict("\xef\xbb\xbf"
                    "a: 1\n"),
            "fine");
}

TEST(Tree, ManyKeysInOneMappingTakeNoQuadraticTime) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(Verdict(text), "fine");
}

}  // namespace
}  // namespace switchyard::config
