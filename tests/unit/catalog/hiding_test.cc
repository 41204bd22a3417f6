// A call of a name that nobody has: what it is judged as, so that time tells it from no hidden one.
#include "catalog/hiding.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/catalog/support.h"
#include "unit/core/support.h"

namespace switchyard::catalog {
namespace {

using testing::Merge;
using testing::TestServer;
using testing::Tool;

struct Missed {
  std::string name;
  const PolicySet* policies;
};

// Hides nothing, and keeps what it was asked about names that nobody has.
struct Watching final : Sight {
  explicit Watching(std::vector<Missed>& all) : missed(all) {}
  bool Shows(const Definition&) const override { return true; }
  bool MayLead(const Lead&) const override { return true; }
  std::string Hide(const Lead&, Call&) const override { return "hidden"; }
  void Miss(const Lead& lead) const override {
    missed.push_back({.name = std::string(lead.name), .policies = lead.policies});
  }
  bool ShowsAny(ItemKind, const PolicySet*) const override { return true; }

  std::vector<Missed>& missed;
};

struct HidingTest : ::testing::Test {
  std::shared_ptr<const Catalog> Made(const std::vector<TestServer>& servers,
                                      bool transparent = false) {
    Catalog::Options options;
    options.view.transparent = transparent;
    options.policies = [this](const PolicyPlace& place) {
      auto& set = sets[std::string(place.server)];
      if (set == nullptr) {
        set = std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
      }
      return set;
    };
    return Merge(servers, std::move(options));
  }

  Missed Miss(const std::shared_ptr<const Catalog>& catalog, const std::string& name) {
    const Router router(
        catalog, [](std::string_view) { return nullptr; }, deps, nullptr, {},
        [this](const Call&) { return std::make_shared<const Watching>(missed); });
    Call call;
    call.message =
        mcp::Message::Make("5", "tools/call", R"({"name":")" + name + R"(","arguments":{}})");
    router.Resolve(call);
    missed.clear();
    EXPECT_EQ(router.Hide(call), "") << name;
    EXPECT_EQ(missed.size(), 1U) << name;
    EXPECT_EQ(call.target.policies, sets[""].get()) << "goes on by what no server says";
    return missed.empty() ? Missed{} : missed.front();
  }

  net::io_context context{1};
  ManualClock clock;
  Timers timers{context, clock};
  Deps deps{.context = context, .timers = timers, .clock = clock};
  std::map<std::string, std::shared_ptr<const PolicySet>> sets;
  std::vector<Missed> missed;
};

TEST_F(HidingTest, ANameThatNobodyHasIsJudgedByTheRulesOfTheServerWhosePrefixItHas) {
  const auto catalog = Made({TestServer("a").Tools({Tool("x")}), TestServer("b").Down("no"),
                             TestServer("c", "a__c").Tools({Tool("x")})});
  for (const auto& [name, server, own] :
       std::vector<std::array<std::string, 3>>{{"a__none", "a", "none"},
                                               {"b__none", "b", "none"},
                                               {"a__c__none", "c", "none"},
                                               {"a__none__c", "a", "none__c"},
                                               {"z__none", "", "z__none"},
                                               {"__none", "", "__none"},
                                               {"____", "", "____"},
                                               {"none", "", "none"},
                                               {"a__no ne", "", "a__no ne"}}) {
    const Missed judged = Miss(catalog, name);
    EXPECT_EQ(judged.policies, sets[server].get()) << name;
    EXPECT_EQ(judged.name, own) << name;
  }
}

TEST_F(HidingTest, WithoutAPrefixByThoseOfAServerWithoutOne) {
  const auto bare =
      Made({TestServer("a").Tools({Tool("x")}), TestServer("b", "").Tools({Tool("x")})});
  EXPECT_EQ(Miss(bare, "none").policies, sets["b"].get());
  EXPECT_EQ(Miss(bare, "a__none").policies, sets["a"].get());
  const auto transparent = Made({TestServer("a").Tools({Tool("x")})}, true);
  EXPECT_EQ(Miss(transparent, "b__none").policies, sets["a"].get());
  EXPECT_EQ(Miss(transparent, "b__none").name, "b__none");
}

}  // namespace
}  // namespace switchyard::catalog
