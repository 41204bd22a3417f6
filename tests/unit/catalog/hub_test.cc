#include "catalog/hub.h"

#include <gtest/gtest.h>

#include "unit/base/log_capture.h"
#include "unit/catalog/support.h"

namespace switchyard::catalog {
namespace {

using std::chrono::milliseconds;
using switchyard::testing::LogCapture;
using testing::Exposed;
using testing::TestServer;
using testing::Tool;

struct HubTest : ::testing::Test {
  LogCapture log;
  ManualClock clock;
  net::io_context context{1};
  Timers timers{context, clock};
  std::vector<Catalogs> published;
  Hub hub{context.get_executor(), timers, {}, [this](Catalogs catalogs) {
            published.push_back(std::move(catalogs));
          }};

  void Configure(const std::vector<std::string>& names, const std::vector<std::string>& fresh = {},
                 const std::string& prefix = "") {
    std::vector<ServerNaming> namings;
    for (const std::string& name : names) {
      namings.push_back(
          {.server = name, .prefix = prefix.empty() ? name : prefix, .include = {}, .exclude = {}});
    }
    EndpointView team;
    team.name = "team";
    team.servers = {"a"};
    hub.Configure(std::move(namings), {EndpointView{}, team}, 0, fresh);
  }
  static std::shared_ptr<const Inventory> With(const std::string& server,
                                               std::vector<std::string> tools) {
    return TestServer(server).Tools(std::move(tools)).inventory;
  }
  void Post() {
    context.restart();
    context.poll();
  }
  void SettleDown() {
    Post();
    clock.Advance(milliseconds(10));
    timers.FireDue();
  }
  std::vector<std::string> Tools(const std::string& endpoint = "") {
    return Exposed(*published.back().at(endpoint), ItemKind::kTool);
  }
};

TEST_F(HubTest, PublishesEveryEndpointAtOnceAndNamesWhatIsMissing) {
  Configure({"a", "b"});
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published[0].size(), 2U);
  EXPECT_EQ(published[0].at("")->missing().at("a"), "starting");
  EXPECT_FALSE(hub.settled());
}

TEST_F(HubTest, ReportsThatComeTogetherAreOneCatalog) {
  Configure({"a", "b"});
  hub.Report("a", With("a", {Tool("x")}), "");
  hub.Report("b", With("b", {Tool("y")}), "");
  Post();
  EXPECT_EQ(published.size(), 1U);
  SettleDown();
  ASSERT_EQ(published.size(), 2U);
  EXPECT_EQ(Tools(), (std::vector<std::string>{"a__x", "b__y"}));
  EXPECT_EQ(Tools("team"), (std::vector<std::string>{"a__x"}));
  EXPECT_GT(published[1].at("")->revision(), published[0].at("")->revision());
}

TEST_F(HubTest, OutagesAreReadAgainWhenTheyChangedAndWhenTheyMayBeOver) {
  std::optional<Outage> outage;
  Hub reads(context.get_executor(), timers,
            {.outage = [&outage](const PolicySet&, std::string_view) { return outage; }},
            [this](Catalogs catalogs) { published.push_back(std::move(catalogs)); });
  const auto nothing =
      std::make_shared<const PolicySet>(std::vector<std::shared_ptr<const void>>());
  reads.Configure({{.server = "a", .prefix = "a", .include = {}, .exclude = {}}}, {EndpointView{}},
                  0, {}, [nothing](const PolicyPlace&) { return nothing; });
  const auto pass = [this](Duration time) {
    Post();
    clock.Advance(time);
    timers.FireDue();
    return published.size();
  };
  ASSERT_EQ(published.size(), 1U);
  outage = {.what = "server a", .reason = "r", .until = clock.Now() + std::chrono::seconds(9)};
  for (int i = 0; i < 50; ++i) reads.OutagesChanged();
  EXPECT_EQ(pass(milliseconds(99)), 1U);
  EXPECT_EQ(pass(milliseconds(1)), 2U) << "many changes are one catalog";
  EXPECT_EQ(published.back().at("")->outages_until(), outage->until);
  EXPECT_EQ(pass(milliseconds(8899)), 2U);
  outage = std::nullopt;
  EXPECT_EQ(pass(milliseconds(1)), 3U);
  EXPECT_EQ(published.back().at("")->outages_until(), TimePoint::max());
  EXPECT_EQ(pass(std::chrono::hours(1)), 3U);
}

TEST_F(HubTest, CallersAreToldThatTheySeeOtherThingsOnceASecondAtMost) {
  std::uint64_t sights = 1;
  Hub sees(context.get_executor(), timers, {.sights = [&sights] { return sights; }},
           [this](Catalogs catalogs) { published.push_back(std::move(catalogs)); });
  sees.Configure({{.server = "a", .prefix = "a", .include = {}, .exclude = {}}}, {EndpointView{}},
                 0, {});
  sees.Report("a", With("a", {Tool("x")}), "");
  SettleDown();
  const auto pass = [this](Duration time) {
    Post();
    clock.Advance(time);
    timers.FireDue();
    return published.size();
  };
  ASSERT_EQ(published.size(), 2U);
  for (int i = 0; i < 50; ++i) {
    ++sights;
    sees.SightsChanged();
  }
  EXPECT_EQ(pass(milliseconds(999)), 2U);
  EXPECT_EQ(pass(milliseconds(1)), 3U) << "many changes are one catalog";
  const Catalog::Changes changes = published[2].at("")->Since(*published[1].at(""));
  EXPECT_TRUE(changes.tools);
  EXPECT_FALSE(changes.prompts) << "there are none that anybody could see";
  sees.SightsChanged();
  EXPECT_EQ(pass(std::chrono::seconds(1)), 4U);
  EXPECT_FALSE(published[3].at("")->Since(*published[2].at("")).tools) << "nothing is other";
}

TEST_F(HubTest, IsSettledOnceEveryServerWasHeardOf) {
  Configure({"a", "b"});
  hub.Report("a", With("a", {}), "");
  SettleDown();
  EXPECT_FALSE(hub.settled());
  hub.Report("b", nullptr, "connection refused");
  SettleDown();
  EXPECT_TRUE(hub.settled());
  EXPECT_EQ(published.back().at("")->missing().at("b"), "connection refused");
}

TEST_F(HubTest, AServerThatIsDownForLongTakesItsToolsAlong) {
  Configure({"a"});
  hub.Report("a", With("a", {Tool("x")}), "");
  SettleDown();
  hub.Report("a", nullptr, "exited");
  SettleDown();
  EXPECT_EQ(Tools(), (std::vector<std::string>{"a__x"}));
  EXPECT_EQ(published.back().at("")->missing().at("a"), "exited");
  EXPECT_FALSE(hub.servers().at("a").up);
  clock.Advance(std::chrono::seconds(20));
  hub.Report("a", nullptr, "connection refused");  // no time anew
  SettleDown();
  EXPECT_EQ(published.back().at("")->missing().at("a"), "connection refused");
  clock.Advance(std::chrono::seconds(10));
  timers.FireDue();
  EXPECT_TRUE(Tools().empty());
  EXPECT_EQ(published.back().at("")->missing().at("a"), "connection refused");
}

TEST_F(HubTest, AServerThatIsBackSoonWasNeverOffTheLists) {
  Configure({"a"});
  hub.Report("a", With("a", {Tool("x")}), "");
  SettleDown();
  hub.Report("a", nullptr, "exited");
  SettleDown();
  hub.Report("a", With("a", {Tool("x")}), "");
  SettleDown();
  EXPECT_TRUE(published.back().at("")->missing().empty());
  clock.Advance(std::chrono::hours(1));
  timers.FireDue();
  EXPECT_EQ(Tools(), (std::vector<std::string>{"a__x"}));
}

TEST_F(HubTest, AServerThatIsUpAndFailsToListKeepsWhatItListed) {
  Configure({"a"});
  hub.Report("a", With("a", {Tool("x")}), "");
  SettleDown();
  hub.Report("a", With("a", {Tool("x")}), "tools/list: no answer");
  SettleDown();
  clock.Advance(std::chrono::hours(1));
  timers.FireDue();
  EXPECT_EQ(Tools(), (std::vector<std::string>{"a__x"}));
  EXPECT_EQ(published.back().at("")->missing().at("a"), "tools/list: no answer");
  EXPECT_TRUE(hub.servers().at("a").up);
}

TEST_F(HubTest, AReloadKeepsWhatIsKnownExceptOfFreshServers) {
  Configure({"a", "b"});
  hub.Report("a", With("a", {Tool("x")}), "");
  hub.Report("b", With("b", {Tool("y")}), "");
  SettleDown();
  Configure({"a", "b", "c"}, {"b"});
  EXPECT_EQ(Tools(), (std::vector<std::string>{"a__x"}));
  EXPECT_FALSE(hub.settled());
  EXPECT_EQ(hub.servers().at("b").missing_because, "starting");
}

TEST_F(HubTest, AServerThatWasReloadedAwayIsNotHeardAnyMore) {
  Configure({"a", "b"});
  Configure({"a"});
  hub.Report("b", With("b", {Tool("y")}), "");
  SettleDown();
  EXPECT_EQ(published.size(), 2U);
  EXPECT_TRUE(Tools().empty());
}

TEST_F(HubTest, AReloadWhileAReportWaitsBuildsOnce) {
  Configure({"a"});
  hub.Report("a", With("a", {Tool("x")}), "");
  Post();
  Configure({"a"});
  EXPECT_EQ(Tools(), (std::vector<std::string>{"a__x"}));
  SettleDown();
  EXPECT_EQ(published.size(), 2U);
}

TEST_F(HubTest, CollisionsAreLoggedOnceWithBothOwners) {
  Configure({"a", "b"}, {}, "same");
  hub.Report("a", With("a", {Tool("x")}), "");
  hub.Report("b", With("b", {Tool("x")}), "");
  SettleDown();
  EXPECT_TRUE(Tools().empty());
  EXPECT_EQ(log.count("a and b both offer same__x"), 1) << log.text();
  hub.Report("b", With("b", {Tool("x"), Tool("y")}), "");
  SettleDown();
  EXPECT_EQ(log.count("both offer"), 1) << "nothing new";
  hub.Report("b", With("b", {}), "");
  SettleDown();
  hub.Report("b", With("b", {Tool("x")}), "");
  SettleDown();
  EXPECT_EQ(log.count("both offer"), 2) << "it was gone and is back";
}

TEST_F(HubTest, ReportsMayComeFromOtherThreads) {
  Configure({"a"});
  std::thread([&] { hub.Report("a", With("a", {Tool("x")}), ""); }).join();
  SettleDown();
  EXPECT_EQ(Tools(), (std::vector<std::string>{"a__x"}));
}

}  // namespace
}  // namespace switchyard::catalog
