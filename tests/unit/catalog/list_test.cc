#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using mcp::Method;
using mcp::Version;
using testing::Merge;
using testing::TestServer;
using testing::Tool;

std::string ListText(const Catalog& catalog, Method method, Version version,
                     std::optional<std::string_view> cursor = std::nullopt) {
  const auto result = catalog.List(method, version, cursor);
  return result ? **result : "error: " + result.error().message;
}

boost::json::value List(const Catalog& catalog, Method method, Version version,
                        std::optional<std::string_view> cursor = std::nullopt) {
  return boost::json::parse(ListText(catalog, method, version, cursor));
}

TEST(List, AModernResultHasTheMembersThatTheSpecificationRequires) {
  const auto catalog = Merge({TestServer("a").Tools({Tool("t", R"(,"future":[1, 2])")})});
  EXPECT_EQ(
      ListText(*catalog, Method::kToolsList, mcp::kModern),
      R"({"tools":[{"name":"a__t","inputSchema":{"type":"object"},"future":[1, 2]}],)"
      R"("resultType":"complete","ttlMs":5000,"cacheScope":"private",)"
      R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"switchyard","version":")" SWITCHYARD_VERSION
      R"("},"switchyard/servers":[{"server":"a","items":1}]}})");
}

TEST(List, NothingModernReachesLegacyClients) {
  const auto catalog = Merge({TestServer("a").Tools({Tool("t")})});
  EXPECT_EQ(ListText(*catalog, Method::kToolsList, mcp::kNewestLegacy),
            R"({"tools":[{"name":"a__t","inputSchema":{"type":"object"}}]})");
}

TEST(List, AMissingServerIsNamedAndTheListGoesStaleAtOnce) {
  const auto catalog =
      Merge({TestServer("a").Tools({Tool("t")}), TestServer("b").Down("refused \"")});
  const auto modern = List(*catalog, Method::kToolsList, mcp::kModern);
  EXPECT_EQ(modern.at("ttlMs").as_int64(), 0);
  EXPECT_EQ(modern.at("_meta").at("switchyard/missing").at(0).at("server").as_string(), "b");
  EXPECT_EQ(modern.at("_meta").at("switchyard/missing").at(0).at("reason").as_string(),
            "refused \"");
  const auto legacy = List(*catalog, Method::kToolsList, mcp::kNewestLegacy);
  EXPECT_EQ(legacy.at("_meta").as_object().size(), 1U);
}

// With an outage of some tools; each tool's set is one of its own.
std::shared_ptr<const Catalog> MergeWithOutage(std::vector<std::string> tools, Outage outage,
                                               const std::string& only) {
  const auto set = std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
  Catalog::Options options;
  options.policies = [set](const PolicyPlace&) { return set; };
  options.outage = [outage, only](const PolicySet&, std::string_view tool) {
    return tool == only ? std::optional(outage) : std::nullopt;
  };
  return Merge({TestServer("a").Tools(std::move(tools))}, std::move(options));
}

TEST(List, WhatIsRefusedAtPresentIsNamed) {
  const Outage outage{.what = "tool t of server a", .reason = "open", .until = TimePoint()};
  const auto catalog = MergeWithOutage({Tool("s"), Tool("t")}, outage, "t");
  const auto list = List(*catalog, Method::kToolsList, mcp::kNewestLegacy);
  EXPECT_EQ(boost::json::serialize(list.at("_meta")),
            R"({"switchyard/outages":[{"what":"tool t of server a","reason":"open"}]})");
  EXPECT_EQ(list.at("tools").as_array().size(), 2U);
  EXPECT_EQ(catalog->outages_until(), TimePoint());
  EXPECT_FALSE(catalog->Since(*MergeWithOutage({Tool("s"), Tool("t")}, outage, "none")).tools);
}

TEST(List, AHiddenToolIsOnNoListAndIsFoundAllTheSame) {
  const Outage outage{.what = "w", .reason = "r", .until = TimePoint(), .hides = true};
  const std::vector<std::string> tools = {Tool("r"), Tool("s"), Tool("t")};
  const auto hiding = MergeWithOutage(tools, outage, "s");
  const auto list = List(*hiding, Method::kToolsList, mcp::kModern);
  ASSERT_EQ(list.at("tools").as_array().size(), 2U);
  EXPECT_EQ(list.at("tools").at(0).at("name").as_string(), "a__r");
  EXPECT_EQ(list.at("tools").at(1).at("name").as_string(), "a__t");
  EXPECT_EQ(list.at("ttlMs").as_int64(), 0) << "it comes back";
  const auto found = hiding->FindTool("a__s");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "s");
  const auto before = MergeWithOutage(tools, outage, "none");
  EXPECT_TRUE(hiding->Since(*before).tools);
  EXPECT_TRUE(before->Since(*hiding).tools);
}

TEST(List, TheTitleOfAToolGoesWhereOlderClientsLook) {
  const auto catalog = Merge(
      {TestServer("a").Tools({Tool("t", R"(,"title":"T","annotations":{"readOnlyHint":true})"),
                              Tool("u", R"(,"title":"U","annotations":{"title":"own"})"),
                              Tool("v", R"(,"title":"V","description":"d")")})});
  const auto list = List(*catalog, Method::kToolsList, Version::k2025_03_26).at("tools");
  EXPECT_EQ(list.at(0).at("annotations"),
            boost::json::parse(R"({"title":"T","readOnlyHint":true})"));
  EXPECT_EQ(list.at(1).at("annotations"), boost::json::parse(R"({"title":"own"})"));
  EXPECT_EQ(list.at(2).at("annotations"), boost::json::parse(R"({"title":"V"})"));
  const auto oldest = List(*catalog, Method::kToolsList, Version::k2024_11_05).at("tools");
  EXPECT_EQ(oldest.at(0).at("description"), "T");
  EXPECT_EQ(oldest.at(2).at("description"), "d");
}

TEST(List, EachVersionGetsTheMembersItKnows) {
  const auto catalog = Merge({TestServer("a").Tools(
      {Tool("t", R"(,"title":"T","icons":[],"execution":{},"outputSchema":{"type":"object"},)"
                 R"("annotations":{"readOnlyHint":true},"_meta":{"k":1})")})});
  const auto has = [&](Version version, std::string_view member) {
    const auto list = List(*catalog, Method::kToolsList, version);
    return list.at("tools").at(0).as_object().contains(member);
  };
  EXPECT_TRUE(has(mcp::kModern, "icons"));
  EXPECT_FALSE(has(mcp::kModern, "execution"));
  EXPECT_TRUE(has(Version::k2025_11_25, "execution"));
  EXPECT_TRUE(has(Version::k2025_11_25, "icons"));
  EXPECT_FALSE(has(Version::k2025_06_18, "icons"));
  EXPECT_FALSE(has(Version::k2025_06_18, "execution"));
  EXPECT_TRUE(has(Version::k2025_06_18, "title"));
  EXPECT_TRUE(has(Version::k2025_06_18, "outputSchema"));
  EXPECT_TRUE(has(Version::k2025_06_18, "_meta"));
  EXPECT_FALSE(has(Version::k2025_03_26, "title"));
  EXPECT_FALSE(has(Version::k2025_03_26, "outputSchema"));
  EXPECT_TRUE(has(Version::k2025_03_26, "annotations"));
  EXPECT_FALSE(has(Version::k2024_11_05, "annotations"));
  EXPECT_TRUE(has(Version::k2024_11_05, "description"));  // made of the title
}

TEST(List, ATitleMovesToTheAnnotationsOfClientsThatReadItThere) {
  const auto catalog = Merge({TestServer("a").Tools({Tool("t", R"(,"title":"T")")})});
  const auto list = List(*catalog, Method::kToolsList, Version::k2025_03_26);
  EXPECT_EQ(list.at("tools").at(0).at("annotations").at("title").as_string(), "T");
}

TEST(List, OutputSchemasThatAreNoObjectsAreKeptFromLegacyClients) {
  const auto catalog =
      Merge({TestServer("a").Tools({Tool("t", R"(,"outputSchema":{"type":"array"})")})});
  const auto contains = [&](Version version) {
    return ListText(*catalog, Method::kToolsList, version).contains("outputSchema");
  };
  EXPECT_TRUE(contains(mcp::kModern));
  EXPECT_FALSE(contains(mcp::kNewestLegacy));
}

TEST(List, HeaderAnnotationsAreStrippedUnlessTheEndpointIsTransparent) {
  const TestServer a = TestServer("a").Tools(
      {R"({"name":"t","inputSchema":{"properties":{"p":{"type":"string","x-mcp-header":"P"}}}})"});
  EXPECT_FALSE(ListText(*Merge({a}), Method::kToolsList, mcp::kModern).contains("x-mcp-header"));
  Catalog::Options options;
  options.view.transparent = true;
  const auto transparent = Merge({a}, options);
  EXPECT_TRUE(ListText(*transparent, Method::kToolsList, mcp::kModern).contains("x-mcp-header"));
}

TEST(List, AllFourKindsHaveTheirOwnKey) {
  const auto catalog =
      Merge({TestServer("a").Prompts({R"({"name":"p"})"}).Resource("r://1").Template("r://{x}")});
  const auto at = [&](Method method) { return List(*catalog, method, mcp::kNewestLegacy); };
  EXPECT_EQ(at(Method::kPromptsList).at("prompts").at(0).at("name").as_string(), "a__p");
  EXPECT_EQ(at(Method::kResourcesList).at("resources").at(0).at("uri").as_string(), "r://1");
  EXPECT_EQ(at(Method::kTemplatesList).at("resourceTemplates").at(0).at("uriTemplate").as_string(),
            "r://{x}");
  EXPECT_EQ(ListText(*catalog, Method::kToolsList, mcp::kNewestLegacy), R"({"tools":[]})");
}

TEST(List, TheSameBytesAreHandedOutAgain) {
  const auto catalog = Merge({TestServer("a").Tools({Tool("t")})});
  EXPECT_EQ(catalog->List(Method::kToolsList, mcp::kModern, {})->get(),
            catalog->List(Method::kToolsList, mcp::kModern, "")->get());
}

class Pages : public ::testing::Test {
 protected:
  static std::shared_ptr<const Catalog> Of(int tools, int revision = 1, std::size_t page_size = 2,
                                           const std::string& endpoint = "") {
    std::vector<std::string> list;
    for (int i = 0; i < tools; ++i) list.push_back(Tool("t" + std::to_string(i)));
    Catalog::Options options;
    options.page_size = page_size;
    options.view.name = endpoint;
    return Merge({TestServer("a").Tools(list)}, options, revision);
  }
  static std::string NextOf(const boost::json::value& page) {
    const auto* next = page.as_object().if_contains("nextCursor");
    return next == nullptr ? "" : std::string(next->as_string());
  }
};

TEST_F(Pages, WalkingTheCursorsGivesEveryToolOnceInOrder) {
  const auto catalog = Of(5);
  std::string names, cursor;
  int pages = 0;
  do {
    const auto page = List(*catalog, Method::kToolsList, mcp::kModern, cursor);
    for (const auto& tool : page.at("tools").as_array()) {
      names += std::string(tool.at("name").as_string()) + " ";
    }
    EXPECT_EQ(page.at("cacheScope").as_string(), "private");
    cursor = NextOf(page);
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(names, "a__t0 a__t1 a__t2 a__t3 a__t4 ");
  EXPECT_EQ(pages, 3);
}

TEST_F(Pages, ATamperedCursorIsInvalid) {
  const auto catalog = Of(5);
  std::string cursor = NextOf(List(*catalog, Method::kToolsList, mcp::kModern));
  cursor[cursor.size() / 2] = cursor[cursor.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& bad : {cursor, std::string("rubbish"), std::string(100'000, 'A')}) {
    const auto result = catalog->List(Method::kToolsList, mcp::kModern, bad);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kInvalid);
    EXPECT_EQ(result.error().message, "invalid cursor");
  }
}

TEST_F(Pages, ACursorOfAnotherListOrEndpointIsInvalid) {
  const std::string cursor = NextOf(List(*Of(5), Method::kToolsList, mcp::kModern));
  EXPECT_FALSE(Of(5)->List(Method::kPromptsList, mcp::kModern, cursor));
  EXPECT_FALSE(Of(5, 1, 2, "other")->List(Method::kToolsList, mcp::kModern, cursor));
}

TEST_F(Pages, ACursorOfAnOlderCatalogGoesOnAtItsPlaceAndPastTheEndIsEmpty) {
  const std::string cursor = NextOf(List(*Of(5), Method::kToolsList, mcp::kModern));
  const auto newer = List(*Of(4, 2), Method::kToolsList, mcp::kModern, cursor);
  EXPECT_EQ(newer.at("tools").at(0).at("name").as_string(), "a__t2");
  const auto shorter = List(*Of(1, 3), Method::kToolsList, mcp::kModern, cursor);
  EXPECT_TRUE(shorter.at("tools").as_array().empty());
  EXPECT_EQ(NextOf(shorter), "");
}

TEST(List, ManyThreadsMayAskFirst) {
  const auto catalog = Merge({TestServer("a").Tools({Tool("t")})});
  std::vector<const std::string*> seen(4);
  std::vector<std::jthread> threads;
  for (auto& result : seen) {
    threads.emplace_back(
        [&] { result = catalog->List(Method::kToolsList, mcp::kModern, {})->get(); });
  }
  threads.clear();
  for (const std::string* result : seen) EXPECT_EQ(result, seen[0]);
}

}  // namespace
}  // namespace switchyard::catalog
