#include "catalog/starting.h"

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

using Named = std::optional<std::string>;

Named OfTool(const std::shared_ptr<const Catalog>& catalog, std::string_view name) {
  return catalog->WhoIsStarting(ItemKind::kTool, name);
}

TEST(Starting, APrefixSaysWhoseANameWillBe) {
  const auto catalog = Merge({TestServer("up").Tools({Tool("x")}), TestServer("a").Starting(),
                              TestServer("b").Down("connection refused")});
  EXPECT_EQ(OfTool(catalog, "a__x"), "a");
  EXPECT_EQ(catalog->WhoIsStarting(ItemKind::kPrompt, "a__x"), "a");
  for (const char* name : {"up__y", "b__x", "a", "a__", "a_x", "ab__x", "x", "", "__x"}) {
    EXPECT_EQ(OfTool(catalog, name), std::nullopt) << name;
  }
}

TEST(Starting, ANameThatNobodyWillBearIsUnknown) {
  TestServer a("a");
  a.Starting().state.naming.include = {"read_*"};
  a.state.naming.exclude = {"*_secret"};
  Catalog::Options options;
  options.view.exclude = {"*_internal"};
  const auto catalog = Merge({a}, options);
  EXPECT_EQ(OfTool(catalog, "a__read_file"), "a");
  EXPECT_EQ(OfTool(catalog, "a__write_file"), std::nullopt);
  EXPECT_EQ(OfTool(catalog, "a__read_secret"), std::nullopt);
  EXPECT_EQ(OfTool(catalog, "a__read_internal"), std::nullopt);
  EXPECT_EQ(OfTool(catalog, "a__read file"), std::nullopt);
  EXPECT_EQ(catalog->WhoIsStarting(ItemKind::kPrompt, "a__write_file"), "a")
      << "filters are for tools";
}

TEST(Starting, WithoutAPrefixItHasWhatNoOtherPrefixClaims) {
  const auto catalog = Merge({TestServer("up").Tools({Tool("x")}), TestServer("a", "").Starting()});
  EXPECT_EQ(OfTool(catalog, "read"), "a");
  EXPECT_EQ(OfTool(catalog, "other__read"), "a");
  EXPECT_EQ(OfTool(catalog, "up__read"), std::nullopt);
}

TEST(Starting, OfATransparentEndpointEveryNameIsItsServers) {
  Catalog::Options options;
  options.view = {.name = "t", .servers = {"a"}, .include = {}, .exclude = {}, .transparent = true};
  const auto catalog = Merge({TestServer("a").Starting(), TestServer("b").Starting()}, options);
  EXPECT_EQ(OfTool(catalog, "b__x"), "a");
  EXPECT_EQ(OfTool(catalog, "any name at all"), "a");
}

TEST(Starting, AnEndpointDoesNotTellOfServersThatItDoesNotShow) {
  Catalog::Options options;
  options.view.servers = {"b"};
  const auto catalog = Merge({TestServer("a").Starting(), TestServer("b").Starting()}, options);
  EXPECT_EQ(OfTool(catalog, "a__x"), std::nullopt);
  EXPECT_EQ(OfTool(catalog, "b__x"), "b");
}

TEST(Starting, AGroupIsWhenNoneOfItsMembersIsUp) {
  Catalog::Options options;
  options.view.groups = {{.name = "g", .prefix = "g", .servers = {"a", "b"}}};
  const auto none = Merge({TestServer("a").Starting(), TestServer("b").Starting()}, options);
  EXPECT_EQ(OfTool(none, "g__x"), "g");
  EXPECT_EQ(OfTool(none, "a__x"), std::nullopt);
  const auto one = Merge({TestServer("a").Starting(), TestServer("b").Tools({Tool("y")})}, options);
  EXPECT_EQ(OfTool(one, "g__x"), std::nullopt) << "members have the same tools";
}

struct Reader final : BuiltinTool {
  const std::string& definition() const override { return json; }
  bool IsOfferedWith(const PolicySet&) const override { return false; }
  Task<Result<ReplyPtr>> Handle(Call&) const override { co_return nullptr; }
  std::string json = R"({"name":"switchyard_read"})";
};

TEST(Starting, TheGatewaysOwnNamesAreNobodyElses) {
  Catalog::Options options;
  options.builtins = {std::make_shared<const Reader>()};
  const auto catalog = Merge({TestServer("a", "").Starting()}, options);
  EXPECT_EQ(OfTool(catalog, "switchyard_read"), std::nullopt);
  EXPECT_EQ(OfTool(catalog, "switchyard_write"), "a");
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

TEST(Starting, WhoMayKnowOfAServerIsToldTheSameOfEveryName) {
  const auto catalog = Merge({TestServer("a").Starting()});
  const Some sight(true);
  for (const char* name : {"a__x", "a__secret_x", "a__nothing"}) {
    EXPECT_EQ(catalog->WhoIsStarting(ItemKind::kTool, name, &sight), "a") << name;
    EXPECT_EQ(catalog->WhoIsStarting(ItemKind::kPrompt, name, &sight), "a") << name;
  }
  EXPECT_EQ(catalog->WhoIsStarting(ItemKind::kTool, "b__x", &sight), std::nullopt);
}

TEST(Starting, WhoMayNotKnowOfAServerIsNotTold) {
  const auto catalog = Merge({TestServer("a").Starting()});
  const Some nothing(false);
  EXPECT_EQ(catalog->WhoIsStarting(ItemKind::kTool, "a__x", &nothing), std::nullopt);
}

}  // namespace
}  // namespace switchyard::catalog
