#include "catalog/absent.h"

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using testing::Merge;
using testing::TestServer;
using testing::Tool;

using Merged = std::shared_ptr<const Catalog>;

// Whose it is for sure, or "perhaps" whose, and "nobody" otherwise.
std::string Whose(const Merged& catalog, ItemKind kind, std::string_view name,
                  const Sight* sight = nullptr) {
  const std::optional<Absence> absence = catalog->WhoIsAbsent(kind, name, sight);
  if (!absence) return "nobody";
  return (absence->sure ? "" : "perhaps ") + std::string(absence->server);
}

std::string OfTool(const Merged& catalog, std::string_view name, const Sight* sight = nullptr) {
  return Whose(catalog, ItemKind::kTool, name, sight);
}

TEST(Absent, APrefixSaysWhoseANameWillBe) {
  const auto catalog = Merge({TestServer("up").Tools({Tool("x")}), TestServer("a").Starting(),
                              TestServer("b").Down("connection refused")});
  EXPECT_EQ(OfTool(catalog, "a__x"), "a");
  EXPECT_EQ(Whose(catalog, ItemKind::kPrompt, "a__x"), "a");
  EXPECT_EQ(OfTool(catalog, "b__x"), "b");
  for (const char* name : {"up__y", "a", "a__", "a_x", "ab__x", "x", "", "__x"}) {
    EXPECT_EQ(OfTool(catalog, name), "nobody") << name;
  }
}

TEST(Absent, OneThatIsStartingIsToldFromOneThatIsDown) {
  const auto catalog =
      Merge({TestServer("a").Down("connection refused"), TestServer("b").Starting()});
  const std::optional<Absence> down = catalog->WhoIsAbsent(ItemKind::kTool, "a__x");
  ASSERT_TRUE(down);
  EXPECT_FALSE(down->starting);
  EXPECT_EQ(down->because, "connection refused");
  const std::optional<Absence> starting = catalog->WhoIsAbsent(ItemKind::kTool, "b__x");
  ASSERT_TRUE(starting);
  EXPECT_TRUE(starting->starting);
  EXPECT_EQ(catalog->WhoIsAbsent(ItemKind::kResource, "file:///x")->server, "b")
      << "what starts may have it soonest";
}

TEST(Absent, WhoseListsAreKeptIsNot) {
  const auto catalog = Merge({TestServer("a").Tools({Tool("x")}).Kept("connection refused")});
  EXPECT_EQ(OfTool(catalog, "a__y"), "nobody");
  EXPECT_EQ(Whose(catalog, ItemKind::kResource, "file:///x"), "nobody");
}

TEST(Absent, AUriIsOfAnyUnlessItSaysWhose) {
  const auto catalog = Merge({TestServer("up").Resource("file:///y"), TestServer("a").Starting()});
  for (const ItemKind kind : {ItemKind::kResource, ItemKind::kTemplate}) {
    EXPECT_EQ(Whose(catalog, kind, "file:///x"), "perhaps a");
    EXPECT_EQ(Whose(catalog, kind, "switchyard://a/file:///x"), "a");
    EXPECT_EQ(Whose(catalog, kind, "switchyard://up/file:///x"), "nobody");
    EXPECT_EQ(Whose(catalog, kind, ""), "perhaps a");
  }
}

TEST(Absent, ANameThatNobodyWillBearIsUnknown) {
  TestServer a("a");
  a.Starting().state.naming.include = {"read_*"};
  a.state.naming.exclude = {"*_secret"};
  Catalog::Options options;
  options.view.exclude = {"*_internal"};
  const auto catalog = Merge({a}, options);
  EXPECT_EQ(OfTool(catalog, "a__read_file"), "a");
  EXPECT_EQ(OfTool(catalog, "a__write_file"), "nobody");
  EXPECT_EQ(OfTool(catalog, "a__read_secret"), "nobody");
  EXPECT_EQ(OfTool(catalog, "a__read_internal"), "nobody");
  EXPECT_EQ(OfTool(catalog, "a__read file"), "nobody");
  EXPECT_EQ(Whose(catalog, ItemKind::kPrompt, "a__write_file"), "a") << "filters are for tools";
}

TEST(Absent, WithoutAPrefixItHasWhatNoOtherPrefixClaims) {
  const auto catalog = Merge({TestServer("up").Tools({Tool("x")}), TestServer("a", "").Starting()});
  EXPECT_EQ(OfTool(catalog, "read"), "perhaps a");
  EXPECT_EQ(OfTool(catalog, "other__read"), "perhaps a");
  EXPECT_EQ(OfTool(catalog, "up__read"), "nobody");
}

TEST(Absent, OfATransparentEndpointEveryNameIsItsServers) {
  Catalog::Options options;
  options.view = {.name = "t", .servers = {"a"}, .include = {}, .exclude = {}, .transparent = true};
  const auto catalog = Merge({TestServer("a").Starting(), TestServer("b").Starting()}, options);
  EXPECT_EQ(OfTool(catalog, "b__x"), "a");
  EXPECT_EQ(OfTool(catalog, "any name at all"), "a");
  EXPECT_EQ(Whose(catalog, ItemKind::kResource, "file:///x"), "a");
}

TEST(Absent, AnEndpointDoesNotTellOfServersThatItDoesNotShow) {
  Catalog::Options options;
  options.view.servers = {"b"};
  const auto catalog = Merge({TestServer("a").Starting(), TestServer("b").Starting()}, options);
  EXPECT_EQ(OfTool(catalog, "a__x"), "nobody");
  EXPECT_EQ(OfTool(catalog, "b__x"), "b");
}

TEST(Absent, AGroupIsWhenNoneOfItsMembersIsUp) {
  Catalog::Options options;
  options.view.groups = {{.name = "g", .prefix = "g", .servers = {"a", "b"}}};
  const auto none = Merge({TestServer("a").Starting(), TestServer("b").Starting()}, options);
  EXPECT_EQ(OfTool(none, "g__x"), "g");
  EXPECT_EQ(OfTool(none, "a__x"), "nobody");
  const auto one = Merge({TestServer("a").Starting(), TestServer("b").Tools({Tool("y")})}, options);
  EXPECT_EQ(OfTool(one, "g__x"), "nobody") << "members have the same tools";
}

struct Reader final : BuiltinTool {
  const std::string& definition() const override { return json; }
  bool IsOfferedWith(const PolicySet&) const override { return false; }
  Task<Result<ReplyPtr>> Handle(Call&) const override { co_return nullptr; }
  std::string json = R"({"name":"switchyard_read"})";
};

TEST(Absent, TheGatewaysOwnNamesAreNobodyElses) {
  Catalog::Options options;
  options.builtins = {std::make_shared<const Reader>()};
  const auto catalog = Merge({TestServer("a", "").Starting()}, options);
  EXPECT_EQ(OfTool(catalog, "switchyard_read"), "nobody");
  EXPECT_EQ(OfTool(catalog, "switchyard_write"), "perhaps a");
}

// Knows of no tool or prompt but x, by the server's own name, and of some at any server or not.
struct Some final : Sight {
  explicit Some(bool any) : any_(any) {}
  bool Shows(const Definition&) const override { return false; }
  bool MayLead(const Lead& lead) const override { return lead.name == "x"; }
  std::string Hide(const Lead&, Call&) const override { return "hidden"; }
  void Miss(const Lead&) const override {}
  bool ShowsAny(ItemKind, const PolicySet*) const override { return any_; }

  const bool any_;
};

TEST(Absent, WhoMayKnowOfAServerIsToldTheSameOfEveryName) {
  const auto catalog = Merge({TestServer("a").Starting()});
  const Some sight(true);
  for (const char* name : {"a__x", "a__secret_x", "a__nothing"}) {
    EXPECT_EQ(OfTool(catalog, name, &sight), "a") << name;
    EXPECT_EQ(Whose(catalog, ItemKind::kPrompt, name, &sight), "a") << name;
  }
  EXPECT_EQ(OfTool(catalog, "b__x", &sight), "nobody");
}

TEST(Absent, WhoMayNotKnowOfAServerIsNotTold) {
  const auto catalog = Merge({TestServer("a").Starting()});
  const Some nothing(false);
  EXPECT_EQ(OfTool(catalog, "a__x", &nothing), "nobody");
}

}  // namespace
}  // namespace switchyard::catalog
