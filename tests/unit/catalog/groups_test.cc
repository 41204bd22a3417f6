#include "catalog/groups.h"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Lt;
using testing::Merge;
using ::testing::SizeIs;
using testing::TestServer;
using testing::Tool;

Catalog::Options OfGroup(std::vector<std::string> servers, bool by_load = false) {
  Catalog::Options options;
  options.view.groups = {
      {.name = "g", .prefix = "g", .servers = std::move(servers), .by_load = by_load}};
  return options;
}

std::vector<std::string> MembersOf(const Catalog& catalog, const std::string& tool) {
  std::vector<std::string> servers;
  const auto found = catalog.FindTool(tool);
  if (!found) return servers;
  for (const auto& member : found->definition->members) {
    EXPECT_EQ(member->listed, found->definition);
    servers.push_back(member->server);
  }
  return servers;
}

TEST(Group, ListsEachToolOnceAsItsBestMemberHasIt) {
  const auto catalog = Merge(
      {TestServer("a").Tools({Tool("t", R"(,"title":"a's")"), Tool("only")}),
       TestServer("b").Tools({Tool("t", R"(,"title":"b's")")}), TestServer("z").Tools({Tool("t")})},
      OfGroup({"b", "a"}));
  EXPECT_THAT(testing::Exposed(*catalog, ItemKind::kTool), ElementsAre("g__t", "g__only", "z__t"));
  EXPECT_THAT(MembersOf(*catalog, "g__t"), ElementsAre("b", "a"));
  EXPECT_THAT(MembersOf(*catalog, "g__only"), ElementsAre("a"));
  EXPECT_THAT(catalog->FindTool("g__t")->definition->json, HasSubstr("b's"));
  EXPECT_EQ(catalog->FindToolOf("a", "t")->server, "a") << "a member can be meant by itself";
  EXPECT_TRUE(catalog->problems().empty());
}

TEST(Group, ListsSayItsNameAndNotThoseOfItsMembers) {
  const auto catalog =
      Merge({TestServer("a").Tools({Tool("t")}), TestServer("b").Tools({Tool("t")}),
             TestServer("z").Tools({Tool("t"), Tool("u")})},
            OfGroup({"b", "a"}));
  const auto list = catalog->List(mcp::Method::kToolsList, mcp::kModern, std::nullopt);
  ASSERT_TRUE(list);
  EXPECT_THAT(
      **list,
      HasSubstr(R"("switchyard/servers":[{"server":"g","items":1},{"server":"z","items":2}])"));
}

TEST(Group, AMemberWithAnotherSchemaServesNoCalls) {
  const auto with = [](const std::string& schema) {
    return R"({"name":"t","inputSchema":)" + schema + "}";
  };
  const auto catalog =
      Merge({TestServer("a").Tools({with(R"({"type":"object","required":["x"]})")}),
             TestServer("b").Tools({with(R"({"required":["x"], "type":"object"})")}),
             TestServer("c").Tools({with(R"({"type":"object"})")})},
            OfGroup({"a", "b", "c"}));
  EXPECT_THAT(MembersOf(*catalog, "g__t"), ElementsAre("a", "b")) << "order means nothing";
  EXPECT_THAT(
      catalog->problems(),
      ElementsAre("tool \"t\" of server c serves no calls of group g: its inputSchema differs "
                  "from that of server a, first at \"/required\": here nothing, there [\"x\"]"));
}

TEST(Group, TellsWhereTwoSchemasDiffer) {
  const auto told = [](const std::string& a, const std::string& b) {
    const auto with = [](const std::string& schema) {
      return R"({"name":"t","inputSchema":)" + schema + "}";
    };
    const auto catalog = Merge({TestServer("a").Tools({with(a)}), TestServer("b").Tools({with(b)})},
                               OfGroup({"a", "b"}));
    return catalog->problems().empty() ? "" : catalog->problems().front();
  };
  constexpr const char* kString = R"({"type":"object","properties":{"q":{"type":"string"}}})";
  EXPECT_THAT(told(kString, R"({"type":"object","properties":{"q":{"type":"number"}}})"),
              EndsWith(R"(first at "/properties/q/type": here "number", there "string")"));
  EXPECT_THAT(told(kString, R"({"type":"object","properties":{"q":{"type":"string"},"r":{}}})"),
              EndsWith(R"(first at "/properties/r": here {}, there nothing)"));
  EXPECT_THAT(told(R"({"type":"object","enum":[1,2]})", R"({"type":"object","enum":[1,2,3]})"),
              EndsWith(R"(first at "/enum/2": here 3, there nothing)"));
  EXPECT_THAT(told(R"({"type":"object","enum":[1]})",
                   R"({"type":"object","enum":[")" + std::string(5000, 'x') + "\"]}"),
              SizeIs(Lt(400U)));
}

TEST(Group, AMemberWithAnotherResultServesNoCalls) {
  const auto problems = [](TestServer a, TestServer b) {
    return Merge({std::move(a), std::move(b)}, OfGroup({"a", "b"}))->problems();
  };
  const auto with = [](const std::string& server, const std::string& more) {
    return TestServer(server)
        .Tools({Tool("t", more)})
        .Capabilities(R"({"tools":{},"extensions":{"io.modelcontextprotocol/tasks":{}}})");
  };
  constexpr const char* kSchema = R"(,"outputSchema":{"type":"object"})";
  EXPECT_THAT(problems(with("a", kSchema), with("b", kSchema)), ElementsAre());
  EXPECT_THAT(problems(with("a", kSchema), with("b", "")),
              ElementsAre(HasSubstr("its outputSchema differs from that of server a, first: here "
                                    "null, there {\"type\":\"object\"}")));
  EXPECT_THAT(problems(with("a", ""), TestServer("b").Tools({Tool("t")})),
              ElementsAre(HasSubstr("whether it can be a task differs from server a")));
}

TEST(Group, IsMissingOnlyWhenAllOfItIsDown) {
  EXPECT_TRUE(
      Merge({TestServer("a").Down("gone"), TestServer("b").Tools({Tool("t")})}, OfGroup({"a", "b"}))
          ->missing()
          .empty());
  const auto down =
      Merge({TestServer("a").Down("gone"), TestServer("b").Down("lost")}, OfGroup({"b", "a"}));
  EXPECT_THAT(down->missing(), ElementsAre(::testing::Pair("g", "lost")));
}

TEST(Group, OfAResourceThatSeveralHaveTheBestOnesIsShown) {
  const std::string capabilities = R"({"resources":{}})";
  const auto catalog =
      Merge({TestServer("a").Capabilities(capabilities).Resource("x://1").Resource("x://a"),
             TestServer("b").Capabilities(capabilities).Resource("x://1")},
            OfGroup({"b", "a"}));
  EXPECT_THAT(testing::Exposed(*catalog, ItemKind::kResource), ElementsAre("x://1", "x://a"));
  EXPECT_EQ(catalog->FindResource("x://1")->server, "b");
  EXPECT_EQ(catalog->FindResource("x://a")->server, "a");
  EXPECT_EQ(catalog->ExposedUri("a", "x://1"), "switchyard://a/x://1") << "a's own is another";
}

TEST(Group, ChoosesWhoIsNotRefusedAndHasTheLeastToDo) {
  const auto choose = [](bool by_load, const std::map<std::string, std::size_t>& load,
                         const std::string& refused) {
    Catalog::Options options = OfGroup({"a", "b", "c"}, by_load);
    options.policies = [](const PolicyPlace&) {
      return std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
    };
    const auto catalog =
        Merge({TestServer("a").Tools({Tool("t")}), TestServer("b").Tools({Tool("t")}),
               TestServer("c").Tools({Tool("t")})},
              std::move(options));
    std::map<const PolicySet*, std::string> owners;
    const Definition& listed = *catalog->FindTool("g__t")->definition;
    for (const auto& member : listed.members) owners[member->policies.get()] = member->server;
    const Choosing choosing{
        .load = [&load](std::string_view server) { return load.at(std::string(server)); },
        .outage = [&](const PolicySet& set, std::string_view) -> std::optional<Outage> {
          if (!refused.contains(owners.at(&set))) return std::nullopt;
          return Outage{.what = "", .reason = "", .until = TimePoint()};
        }};
    return ChooseMember(listed, choosing, [](std::string_view) { return true; }).server;
  };
  const std::map<std::string, std::size_t> load = {{"a", 3}, {"b", 2}, {"c", 2}};
  EXPECT_EQ(choose(false, load, ""), "a");
  EXPECT_EQ(choose(false, load, "a"), "b");
  EXPECT_EQ(choose(true, load, ""), "b") << "of equals the first";
  EXPECT_EQ(choose(true, load, "b"), "c");
  EXPECT_EQ(choose(true, load, "abc"), "a") << "whoever is asked says why";
}

TEST(Group, AMemberThatIsDownGoesLast) {
  const auto chosen = [](bool by_load, const std::vector<std::string>& down) {
    std::vector<TestServer> servers;
    for (const char* name : {"a", "b", "c"}) {
      servers.push_back(TestServer(name).Tools({Tool("t")}));
      if (std::ranges::count(down, name) > 0) servers.back().Kept("gone");
    }
    const auto catalog = Merge(servers, OfGroup({"a", "b", "c"}, by_load));
    const Choosing choosing{.load = [](std::string_view server) -> std::size_t {
      return server == "a" ? 0 : server == "b" ? 2 : 1;
    }};
    return ChooseMember(*catalog->FindTool("g__t")->definition, choosing,
                        std::bind_front(&Catalog::IsUp, catalog.get()))
        .server;
  };
  EXPECT_EQ(chosen(false, {}), "a");
  EXPECT_EQ(chosen(false, {"a"}), "b");
  EXPECT_EQ(chosen(false, {"a", "b"}), "c");
  EXPECT_EQ(chosen(false, {"a", "b", "c"}), "a");
  EXPECT_EQ(chosen(true, {"a"}), "c");
  EXPECT_EQ(chosen(true, {"b", "c"}), "a");
  EXPECT_EQ(chosen(true, {"a", "b", "c"}), "a");
  const auto catalog = Merge({TestServer("a").Tools({Tool("t", R"(,"title":"a's")")}).Kept("gone"),
                              TestServer("b").Tools({Tool("t", R"(,"title":"b's")")})},
                             OfGroup({"a", "b"}));
  EXPECT_THAT(MembersOf(*catalog, "g__t"), ElementsAre("b", "a")) << "also when one has failed";
  EXPECT_THAT(catalog->FindTool("g__t")->definition->json, HasSubstr("b's"));
}

TEST(Catalog, KeepsToolsOfAServerThatIsDownWhereOthersAnswer) {
  Catalog::Options options;
  const auto with = std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
  const auto without =
      std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
  options.policies = [=](const PolicyPlace& place) { return place.tool == "t" ? with : without; };
  options.stand_in = [=](const PolicySet& set) { return &set == with.get(); };
  TestServer a("a");
  a.Tools({Tool("t"), Tool("u")}).Down("gone");
  a.state.last = a.inventory;
  const auto catalog = Merge({a}, std::move(options));
  EXPECT_THAT(testing::Exposed(*catalog, ItemKind::kTool), ElementsAre("a__t"));
  EXPECT_EQ(catalog->FindToolOf("a", "t"), nullptr) << "it is no alternative itself";
  EXPECT_THAT(catalog->missing(), ElementsAre(::testing::Pair("a", "gone")));
}

TEST(Group, KeepsToolsOfMembersThatAreAllDownWhereOthersAnswer) {
  const auto merged = [](const std::vector<std::string>& down) {
    Catalog::Options options = OfGroup({"a", "b"});
    const auto with = std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
    const auto without =
        std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
    options.policies = [=](const PolicyPlace& place) {
      return place.tool && *place.tool != "u" ? with : without;
    };
    options.stand_in = [=](const PolicySet& set) { return &set == with.get(); };
    std::vector<TestServer> servers = {
        TestServer("a").Tools({Tool("t", R"(,"title":"a's")"), Tool("u"), Tool("only")}),
        TestServer("b").Tools({Tool("t", R"(,"title":"b's")"), Tool("u")})};
    for (TestServer& server : servers) {
      if (std::ranges::count(down, server.state.naming.server) == 0) continue;
      server.Down("gone");
      server.state.last = server.inventory;
    }
    return Merge(servers, std::move(options));
  };
  const auto all = merged({"a", "b"});
  EXPECT_THAT(testing::Exposed(*all, ItemKind::kTool), ElementsAre("g__t", "g__only"));
  EXPECT_THAT(MembersOf(*all, "g__t"), ElementsAre("a", "b"));
  EXPECT_THAT(all->missing(), ElementsAre(::testing::Pair("g", "gone")));
  const auto one = merged({"a"});
  EXPECT_THAT(testing::Exposed(*one, ItemKind::kTool), ElementsAre("g__t", "g__u", "g__only"));
  EXPECT_THAT(MembersOf(*one, "g__t"), ElementsAre("b")) << "who is up serves it";
  EXPECT_THAT(MembersOf(*one, "g__only"), ElementsAre("a"));
}

}  // namespace
}  // namespace switchyard::catalog
