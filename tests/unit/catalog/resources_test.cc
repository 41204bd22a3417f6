#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using ::testing::ElementsAre;
using testing::Exposed;
using testing::Merge;
using testing::TestServer;

// `server name` or "none".
std::string Leads(const Catalog& catalog, std::string_view uri) {
  const auto found = catalog.FindResource(uri);
  if (!found) return "none";
  return std::string(found->server) + " " + std::string(found->name);
}

TEST(Resources, StayVerbatimWhenNobodyElseListsThem) {
  const auto catalog = Merge({TestServer("a").Resource("file:///x"),  //
                              TestServer("b").Resource("file:///y")});
  EXPECT_THAT(Exposed(*catalog, ItemKind::kResource), ElementsAre("file:///x", "file:///y"));
  EXPECT_EQ(Leads(*catalog, "file:///y"), "b file:///y");
  EXPECT_EQ(catalog->ExposedUri("b", "file:///y"), "file:///y");
}

TEST(Resources, ThatAreWithheldLeadNowhereByAnyName) {
  TestServer a = TestServer("a").Resource("file:///x").Template("file:///docs/{p}");
  EXPECT_EQ(Leads(*Merge({a}), "file:///secret"), "a file:///secret") << "the only one with any";
  a.inventory->withheld_uris = {"file:///secret", "file:///docs/1"};
  a.inventory->withheld_templates = {"file:///{any}", "file:///docs/{p}"};
  for (const auto& catalog : {Merge({a}), Merge({a, TestServer("b").Resource("file:///y")})}) {
    for (const char* uri : {"file:///secret", "switchyard://a/file:///secret", "file:///docs/1",
                            "switchyard://a/file:///docs/1", "file:///other"}) {
      EXPECT_EQ(Leads(*catalog, uri), "none") << uri;
    }
    EXPECT_EQ(Leads(*catalog, "file:///x"), "a file:///x");
    EXPECT_EQ(Leads(*catalog, "file:///docs/2"), "a file:///docs/2") << "an offered template";
  }
  const auto shared = Merge({a, TestServer("b").Resource("file:///secret")});
  EXPECT_EQ(Leads(*shared, "file:///secret"), "b file:///secret") << "another server's own";
}

TEST(Resources, ThatTwoServersListAreBothServedRewritten) {
  const auto catalog = Merge({TestServer("a").Resource("file:///x"),  //
                              TestServer("b").Resource("file:///x")});
  EXPECT_THAT(Exposed(*catalog, ItemKind::kResource),
              ElementsAre("switchyard://a/file:///x", "switchyard://b/file:///x"));
  EXPECT_EQ(Leads(*catalog, "switchyard://b/file:///x"), "b file:///x");
  EXPECT_EQ(Leads(*catalog, "file:///x"), "a file:///x");  // the first owner
  EXPECT_EQ(catalog->ExposedUri("b", "file:///x"), "switchyard://b/file:///x");
  EXPECT_TRUE(catalog->collisions().empty());
}

TEST(Resources, HaveANumberForHowTheirUrisRead) {
  const TestServer a = TestServer("a").Resource("file:///x"), tools("t");
  const auto view = [](const auto& catalog) { return catalog->UriViewOf("a"); };
  EXPECT_EQ(view(Merge({a})), 0U) << "verbatim";
  EXPECT_EQ(view(Merge({a, tools})), 0U);
  const TestServer other = TestServer("b").Resource("file:///y"),
                   same = TestServer("b").Resource("file:///x");
  EXPECT_NE(view(Merge({a, other})), 0U);
  EXPECT_NE(view(Merge({a, other})), view(Merge({a, same})));
  EXPECT_EQ(view(Merge({a, same})), view(Merge({a, same, tools}))) << "nothing there has changed";
}

TEST(Resources, ThatClientsMayFetchStayVerbatimForTheFirstOwner) {
  const auto catalog = Merge({TestServer("a").Resource("https://x/1"),  //
                              TestServer("b").Resource("https://x/1")});
  EXPECT_THAT(Exposed(*catalog, ItemKind::kResource),
              ElementsAre("https://x/1", "switchyard://b/https://x/1"));
}

TEST(Resources, ARewrittenUriStillLeadsHomeAfterTheCollisionIsGone) {
  const auto catalog =
      Merge({TestServer("b").Resource("file:///x"), TestServer("c").Resource("y:z")});
  EXPECT_EQ(Leads(*catalog, "switchyard://b/file:///x"), "b file:///x");
  EXPECT_EQ(Leads(*catalog, "switchyard://gone/file:///x"), "none");
}

TEST(Resources, AnExpandedTemplateLeadsToItsServer) {
  const auto catalog = Merge({TestServer("a").Template("file:///{name}"),  //
                              TestServer("b").Template("db://{+table}")});
  EXPECT_EQ(Leads(*catalog, "db://x/y"), "b db://x/y");
  EXPECT_EQ(catalog->FindResource("db://x/y")->definition, nullptr);
  EXPECT_EQ(Leads(*catalog, "other://x"), "none");
}

TEST(Resources, TheSameTemplateOfTwoServersIsRewrittenAndItsExpansionLeadsBack) {
  const auto catalog = Merge({TestServer("a").Template("file:///{+path}"),  //
                              TestServer("b").Template("file:///{+path}")});
  EXPECT_THAT(Exposed(*catalog, ItemKind::kTemplate),
              ElementsAre("switchyard://a/file:///{+path}", "switchyard://b/file:///{+path}"));
  EXPECT_EQ(Leads(*catalog, "switchyard://b/file:///p%20q/r"), "b file:///p%20q/r");
  EXPECT_EQ(catalog->ExposedUri("b", "file:///p"), "switchyard://b/file:///p");
  EXPECT_EQ(catalog->ExposedUri("a", "file:///p"), "file:///p");
}

TEST(Resources, ALinkThatNobodyListsLeadsBackToItsServer) {
  const auto catalog = Merge({TestServer("a").Resource("r://1"),  //
                              TestServer("b").Resource("r://2")});
  const std::string link = catalog->ExposedUri("b", "made://up");
  EXPECT_EQ(Leads(*catalog, link), "b made://up");
  EXPECT_EQ(catalog->ExposedUri("b", "https://site/page"), "https://site/page");
}

TEST(Resources, WithOneServerEveryUriIsItsOwn) {
  const auto catalog = Merge({TestServer("a").Resource("r://1"), TestServer("b")});
  EXPECT_EQ(Leads(*catalog, "made://up"), "a made://up");
  EXPECT_EQ(catalog->ExposedUri("a", "made://up"), "made://up");
}

TEST(Resources, OfAGatewayBehindUsCannotBeTakenForOurOwnForm) {
  const auto catalog = Merge({TestServer("a").Resource("r://1"),  //
                              TestServer("inner").Resource("switchyard://a/r://1")});
  EXPECT_EQ(Leads(*catalog, "switchyard://inner/switchyard://a/r://1"),
            "inner switchyard://a/r://1");
}

TEST(Resources, AUriInTheMetaOfAToolIsRewrittenWithTheResource) {
  const std::string tool =
      R"({"name":"t","inputSchema":{},"_meta":{"ui":{"resourceUri":"ui://x"},"k":1}})";
  const auto catalog = Merge({TestServer("a").Tools({tool}).Resource("ui://x"),  //
                              TestServer("b").Resource("ui://x")});
  const auto list = catalog->List(mcp::Method::kToolsList, mcp::kModern, {});
  ASSERT_TRUE(list);
  EXPECT_TRUE((*list)->contains(R"("_meta":{"ui":{"resourceUri":"switchyard://a/ui://x"},"k":1})"))
      << **list;
}

}  // namespace
}  // namespace switchyard::catalog
