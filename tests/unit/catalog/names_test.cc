#include "catalog/names.h"

#include <gtest/gtest.h>

#include "catalog/glob.h"
#include "catalog/uri_template.h"

namespace switchyard::catalog {
namespace {

TEST(Names, PrefixAndNameAreJoinedByTwoUnderscoresAndNoPrefixLeavesTheName) {
  EXPECT_EQ(ExposedName("files", "read"), "files__read");
  EXPECT_EQ(ExposedName("", "read"), "read");
}

TEST(Names, OnlyWhatTheSpecificationAllowsIsValid) {
  EXPECT_TRUE(IsValidName("a-b_c.D9"));
  EXPECT_TRUE(IsValidName(std::string(128, 'a')));
  EXPECT_FALSE(IsValidName(std::string(129, 'a')));
  EXPECT_FALSE(IsValidName(""));
  EXPECT_FALSE(IsValidName("a b"));
  EXPECT_FALSE(IsValidName("caf\xc3\xa9"));
}

TEST(Names, ARewrittenUriLeadsBackToServerAndOriginal) {
  const std::string uri = RewriteUri("my server/1", "file:///a%20b?x#y");
  EXPECT_EQ(uri, "switchyard://my%20server%2F1/file:///a%20b?x#y");
  const auto parsed = ParseRewrittenUri(uri);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->server, "my server/1");
  EXPECT_EQ(parsed->original, "file:///a%20b?x#y");
}

TEST(Names, WhatIsNotARewrittenUriIsNotTakenForOne) {
  EXPECT_FALSE(ParseRewrittenUri("file:///x"));
  EXPECT_FALSE(ParseRewrittenUri("switchyard://server"));
  EXPECT_FALSE(ParseRewrittenUri("switchyard:///x"));
  EXPECT_FALSE(ParseRewrittenUri("switchyard://a%zz/x"));
  EXPECT_FALSE(ParseRewrittenUri("switchyard://a%2/x"));
}

TEST(Glob, StarIsAnyRunAndQuestionMarkExactlyOne) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("read_*", "read_file"));
  EXPECT_TRUE(GlobMatches("*_file", "read_file"));
  EXPECT_TRUE(GlobMatches("r*d_f?le", "read_file"));
  EXPECT_TRUE(GlobMatches("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(GlobMatches("read_?", "read_"));
  EXPECT_FALSE(GlobMatches("read", "read_file"));
  EXPECT_FALSE(GlobMatches("", "x"));
  EXPECT_FALSE(GlobMatches("a.c", "abc"));
}

TEST(Glob, ALongHostilePatternEndsSoon) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(2000, 'a')));
}

TEST(Glob, ExcludeWinsOverIncludeAndNoIncludeMeansAll) {
  EXPECT_TRUE(Selects({}, {}, "x"));
  EXPECT_FALSE(Selects({"read_*"}, {}, "write"));
  EXPECT_FALSE(Selects({"*"}, {"write*"}, "write_file"));
  EXPECT_TRUE(Selects({"read_*", "list"}, {"write*"}, "list"));
}

bool Matches(std::string_view text, std::string_view uri) {
  const auto parsed = UriTemplate::Parse(text);
  return parsed && parsed->Matches(uri);
}

TEST(UriTemplates, ASimpleVariableStaysWithinOneSegment) {
  EXPECT_TRUE(Matches("file:///{name}.txt", "file:///a.txt"));
  EXPECT_FALSE(Matches("file:///{name}.txt", "file:///a/b.txt"));
  EXPECT_FALSE(Matches("file:///{name}.txt", "file:///a.md"));
  EXPECT_TRUE(Matches("demo://{a}/{b}", "demo://x/y"));
  EXPECT_FALSE(Matches("demo://{a}/{b}", "demo://x"));
}

TEST(UriTemplates, AReservedVariableMatchesAnything) {
  EXPECT_TRUE(Matches("file:///{+path}", "file:///a/b/c?d"));
  EXPECT_TRUE(Matches("search://x{?q,lang}", "search://x?q=a/b&lang=c"));
}

TEST(UriTemplates, BracesThatDoNotPairAreRefused) {
  EXPECT_FALSE(UriTemplate::Parse("a{b"));
  EXPECT_FALSE(UriTemplate::Parse("a}b"));
  EXPECT_FALSE(UriTemplate::Parse("a{}b"));
}

TEST(UriTemplates, HostileOnesAreBounded) {
  std::string many;
  for (int i = 0; i < 65; ++i) many += "{a}";
  EXPECT_FALSE(UriTemplate::Parse(many));
  std::string most;
  for (int i = 0; i < 32; ++i) most += "{+a}x";
  EXPECT_FALSE(Matches(most, std::string(8000, 'x') + "y"));
  EXPECT_FALSE(Matches("{+a}", std::string(9000, 'x')));
}

}  // namespace
}  // namespace switchyard::catalog
