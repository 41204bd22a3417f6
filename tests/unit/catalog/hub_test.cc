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

TEST_F(HubTest, AServerThatGoesDownTakesItsToolsAlong) {
  Configure({"a"});
  hub.Report("a", With("a", {Tool("x")}), "");
  SettleDown();
  hub.Report("a", nullptr, "exited");
  SettleDown();
  EXPECT_TRUE(Tools().empty());
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
