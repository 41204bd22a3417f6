#include "core/builtin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using ::testing::ElementsAre;
using testing::Exposed;
using ::testing::HasSubstr;
using testing::Merge;
using testing::TestServer;
using testing::Tool;

// Asked for by policies that have something in their only place.
class Spare final : public BuiltinTool {
 public:
  const std::string& definition() const override {
    static const std::string kDefinition =
        R"({"name":"switchyard_spare","inputSchema":{"type":"object"},)"
        R"("annotations":{"readOnlyHint":true}})";
    return kDefinition;
  }
  bool IsOfferedWith(const PolicySet& policies) const override { return policies.At(0) != nullptr; }
  Task<Result<ReplyPtr>> Handle(Call& call) const override {
    co_return ReplyWith(mcp::Message::FromResult(call.message.id(), std::string("{}")));
  }
};

// Tools named so ask for it.
Catalog::Options AskedForBy(const std::string& tool) {
  Catalog::Options options;
  options.builtins = {std::make_shared<const Spare>()};
  options.policies = [tool](const PolicyPlace& place) {
    const bool asks = place.tool && *place.tool == tool;
    std::vector<std::shared_ptr<const void>> by_slot = {asks ? std::make_shared<int>(1) : nullptr};
    return std::make_shared<const PolicySet>(std::move(by_slot));
  };
  return options;
}

TEST(BuiltinTools, AreOfferedWhereThePoliciesOfAToolAskForThem) {
  const TestServer a = TestServer("a").Tools({Tool("read"), Tool("write")});
  const auto with = Merge({a}, AskedForBy("read"));
  EXPECT_THAT(Exposed(*with, ItemKind::kTool),
              ElementsAre("a__read", "a__write", "switchyard_spare"));
  const auto found = with->FindTool("switchyard_spare");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->server, "");
  EXPECT_NE(found->definition->builtin, nullptr);
  EXPECT_TRUE(found->definition->annotations.read_only);
  EXPECT_NE(found->policies, nullptr);
  const auto without = Merge({a}, AskedForBy("delete"));
  EXPECT_THAT(Exposed(*without, ItemKind::kTool), ElementsAre("a__read", "a__write"));
  EXPECT_FALSE(without->FindTool("switchyard_spare"));
}

TEST(BuiltinTools, AreListedForEveryVersionAndTellWhoListens) {
  const TestServer a = TestServer("a").Tools({Tool("read")});
  const auto with = Merge({a}, AskedForBy("read"));
  for (const mcp::Version version : {mcp::kModern, mcp::Version::k2025_03_26}) {
    EXPECT_THAT(**with->List(mcp::Method::kToolsList, version, std::nullopt),
                HasSubstr(R"("name":"switchyard_spare")"));
  }
  EXPECT_TRUE(with->Since(*Merge({a}, AskedForBy("delete"))).tools);
}

TEST(BuiltinTools, TakeTheirNameFromServers) {
  const TestServer a = TestServer("a").Tools({Tool("read")});
  const TestServer rogue = TestServer("r", "").Tools({Tool("switchyard_spare"), Tool("other")});
  const auto with = Merge({a, rogue}, AskedForBy("read"));
  EXPECT_NE(with->FindTool("switchyard_spare")->definition->builtin, nullptr);
  EXPECT_THAT(with->problems(), ElementsAre(HasSubstr("the gateway has a tool of that name")));
  EXPECT_TRUE(with->collisions().empty());
  const auto without = Merge({a, rogue}, AskedForBy("delete"));
  EXPECT_EQ(without->FindTool("switchyard_spare")->server, "r");
}

}  // namespace
}  // namespace switchyard::catalog
