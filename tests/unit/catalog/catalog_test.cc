#include "catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using ::testing::ElementsAre;
using testing::Exposed;
using ::testing::HasSubstr;
using testing::Merge;
using testing::TestServer;
using testing::Tool;

TEST(Catalog, ServersComeByNameAndTheirToolsInTheirOwnOrder) {
  const auto catalog = Merge({TestServer("b").Tools({Tool("z"), Tool("a")}),  //
                              TestServer("a").Tools({Tool("m")})});
  EXPECT_THAT(Exposed(*catalog, ItemKind::kTool), ElementsAre("a__m", "b__z", "b__a"));
}

TEST(Catalog, AnExposedNameLeadsToTheServerAndItsOwnName) {
  const auto catalog = Merge(
      {TestServer("files").Tools({Tool("read")}), TestServer("plain", "").Tools({Tool("echo")})});
  const auto read = catalog->FindTool("files__read");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->server, "files");
  EXPECT_EQ(read->name, "read");
  EXPECT_EQ(read->definition->json, Tool("read"));
  EXPECT_EQ(catalog->FindTool("echo")->server, "plain");
  EXPECT_FALSE(catalog->FindTool("read"));
  EXPECT_FALSE(catalog->FindPrompt("files__read"));
}

TEST(Catalog, ACollisionNamesBothOwnersAndServesNeither) {
  const auto catalog = Merge({TestServer("a", "x").Tools({Tool("t"), Tool("u")}),
                              TestServer("b", "x").Tools({Tool("t")})});
  ASSERT_EQ(catalog->collisions().size(), 1U);
  EXPECT_EQ(catalog->collisions()[0].exposed, "x__t");
  EXPECT_EQ(catalog->collisions()[0].first_owner, "a");
  EXPECT_EQ(catalog->collisions()[0].second_owner, "b");
  EXPECT_FALSE(catalog->FindTool("x__t"));
  EXPECT_THAT(Exposed(*catalog, ItemKind::kTool), ElementsAre("x__u"));
}

TEST(Catalog, AnExcludedToolCannotCollide) {
  TestServer b("b", "x");
  b.Tools({Tool("t")}).state.naming.exclude = {"t"};
  const auto catalog = Merge({TestServer("a", "x").Tools({Tool("t")}), b});
  EXPECT_TRUE(catalog->collisions().empty());
  EXPECT_EQ(catalog->FindTool("x__t")->server, "a");
}

TEST(Catalog, GlobsOfTheServerReadItsNamesAndThoseOfTheEndpointTheExposedOnes) {
  TestServer a("a");
  a.Tools({Tool("read_x"), Tool("read_y"), Tool("write_x")}).state.naming.include = {"read_*"};
  Catalog::Options options;
  options.view.exclude = {"a__*_y"};
  EXPECT_THAT(Exposed(*Merge({a}, options), ItemKind::kTool), ElementsAre("a__read_x"));
}

TEST(Catalog, AnEndpointShowsOnlyItsServers) {
  Catalog::Options options;
  options.view.servers = {"a"};
  const auto catalog = Merge({TestServer("a").Tools({Tool("t")}),
                              TestServer("b").Tools({Tool("t")}), TestServer("c").Down("x")},
                             options);
  EXPECT_THAT(Exposed(*catalog, ItemKind::kTool), ElementsAre("a__t"));
  EXPECT_TRUE(catalog->missing().empty());
}

TEST(Catalog, WhatCannotBeOfferedIsLeftOutAndSaidWhy) {
  const auto catalog = Merge({TestServer("a").Tools(
      {Tool("has space"), Tool("ok"), R"({"name":"x","name":"y"})", R"({"name":"t","a":tru})",
       R"([1])", R"({"title":"no name"})", Tool("ok"),
       R"({"name":"h","inputSchema":{"type":"object","properties":{"p":{"type":"number","x-mcp-header":"P"}}}})"})});
  EXPECT_THAT(Exposed(*catalog, ItemKind::kTool), ElementsAre("a__ok"));
  EXPECT_THAT(
      catalog->problems(),
      ElementsAre(HasSubstr("has space"), HasSubstr("duplicate key name"),
                  HasSubstr("not valid JSON"), HasSubstr("not an object"), HasSubstr("no name"),
                  HasSubstr("lists it twice"), HasSubstr("x-mcp-header")));
}

TEST(Catalog, ANameThatBeginsWithAnothersPrefixIsThatServers) {
  const auto catalog =
      Merge({TestServer("a").Tools({Tool("b__x"), Tool("y")}).Prompts({R"({"name":"b__x"})"}),
             TestServer("a__b").Tools({Tool("x")}),
             TestServer("n", "").Tools({Tool("a__y"), Tool("z")})});
  EXPECT_THAT(Exposed(*catalog, ItemKind::kTool), ElementsAre("a__y", "a__b__x", "z"));
  EXPECT_EQ(catalog->FindTool("a__b__x")->server, "a__b");
  EXPECT_EQ(catalog->FindTool("a__y")->server, "a");
  EXPECT_TRUE(catalog->collisions().empty());
  EXPECT_THAT(catalog->problems(),
              ElementsAre(HasSubstr("it would be a__b__x, a name of server a__b"),
                          HasSubstr("it would be a__b__x, a name of server a__b"),
                          HasSubstr("it would be a__y, a name of server a")));
}

TEST(Catalog, AnnotationsAreReadWithTheDefaultsOfTheSpecification) {
  const auto catalog = Merge({TestServer("a").Tools(
      {Tool("plain"),
       Tool("safe", R"(,"annotations":{"readOnlyHint":true,"openWorldHint":false})")})});
  const Annotations& plain = catalog->FindTool("a__plain")->definition->annotations;
  EXPECT_FALSE(plain.read_only);
  EXPECT_TRUE(plain.destructive);
  const Annotations& safe = catalog->FindTool("a__safe")->definition->annotations;
  EXPECT_TRUE(safe.read_only);
  EXPECT_FALSE(safe.open_world);
}

TEST(Catalog, ATransparentEndpointRenamesNothing) {
  Catalog::Options options;
  options.view = {.name = "t", .servers = {"a"}, .include = {}, .exclude = {}, .transparent = true};
  const auto catalog =
      Merge({TestServer("a").Tools({Tool("has space")}).Resource("test://x")}, options);
  EXPECT_TRUE(catalog->FindTool("has space"));
  EXPECT_EQ(catalog->FindResource("test://unlisted")->server, "a");
  EXPECT_EQ(catalog->ExposedUri("a", "switchyard://a/x"), "switchyard://a/x");
}

TEST(Catalog, PromptsAreNamedLikeTools) {
  const auto catalog = Merge({TestServer("a").Prompts({R"({"name":"p"})"})});
  EXPECT_EQ(catalog->FindPrompt("a__p")->name, "p");
}

TEST(CatalogChanges, OnlyTheKindsThatDifferAreReported) {
  const TestServer a = TestServer("a").Tools({Tool("t")}).Resource("r://1");
  const auto before = Merge({a}, {}, 1);
  EXPECT_FALSE(Merge({a}, {}, 2)->Since(*before).any());

  TestServer b = TestServer("b").Tools({Tool("t")});
  const Catalog::Changes tools = Merge({a, b}, {}, 3)->Since(*before);
  EXPECT_TRUE(tools.tools);
  EXPECT_FALSE(tools.prompts);
  EXPECT_FALSE(tools.resources);

  TestServer c = TestServer("c").Template("r://{x}");
  const Catalog::Changes resources = Merge({a, c}, {}, 4)->Since(*before);
  EXPECT_FALSE(resources.tools);
  EXPECT_TRUE(resources.resources);
}

TEST(CatalogFacts, OnlyWhatSomeServerHasIsOffered) {
  const auto catalog = Merge({TestServer("a").Capabilities(R"({"tools":{},"logging":{}})"),
                              TestServer("b").Capabilities(R"({"resources":{"subscribe":true}})")});
  EXPECT_EQ(catalog->Capabilities(mcp::kModern),
            R"({"tools":{"listChanged":true},)"
            R"("resources":{"listChanged":true,"subscribe":true},"logging":{}})");
  EXPECT_TRUE(catalog->Offers("tools"));
  EXPECT_TRUE(catalog->Offers(""));
  EXPECT_FALSE(catalog->Offers("prompts"));
  EXPECT_FALSE(catalog->Offers("completions"));
}

TEST(CatalogFacts, CompletionsAreNotNamedToClientsThatDoNotKnowTheCapability) {
  const auto catalog = Merge({TestServer("a").Capabilities(R"({"completions":{}})")});
  EXPECT_EQ(catalog->Capabilities(mcp::kNewestLegacy), R"({"completions":{}})");
  EXPECT_EQ(catalog->Capabilities(mcp::Version::k2024_11_05), "{}");
}

TEST(CatalogFacts, AServerThatIsNotUpYetMayStillBringToolsPromptsAndResources) {
  const auto catalog = Merge({TestServer("a").Down("starting")});
  EXPECT_TRUE(catalog->Offers("tools"));
  EXPECT_TRUE(catalog->Offers("prompts"));
  EXPECT_TRUE(catalog->Offers("resources"));
  EXPECT_FALSE(catalog->Offers("logging"));
}

TEST(CatalogFacts, RubbishInCapabilitiesHarmsNobody) {
  const auto catalog = Merge(
      {TestServer("a").Capabilities("[rubbish"), TestServer("b").Capabilities(R"({"tools":{}})")});
  EXPECT_TRUE(catalog->Offers("tools"));
}

TEST(CatalogFacts, InstructionsAreParagraphsHeadedByTheServer) {
  Catalog::Options options;
  options.instructions_header = "Behind this gateway:";
  const auto catalog = Merge({TestServer("b").Instructions("use b\n"),  //
                              TestServer("a").Instructions("use a"), TestServer("c")},
                             options);
  EXPECT_EQ(catalog->Instructions(), "Behind this gateway:\n\n# a\nuse a\n\n# b\nuse b");
}

TEST(CatalogFacts, LongInstructionsAreCutBetweenCharacters) {
  std::string text;
  while (text.size() < 5000) text += "\xc3\xa9";
  const auto catalog = Merge({TestServer("a").Instructions("x" + text)});
  EXPECT_EQ(catalog->Instructions().size(), std::string("# a\n").size() + 4095);
}

}  // namespace
}  // namespace switchyard::catalog
