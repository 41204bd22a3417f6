#include "pin_keeper.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/load.h"
#include "pin_record.h"
#include "support/kept_events.h"
#include "unit/catalog/support.h"
#include "unit/cli/program.h"

namespace switchyard {
namespace {

using catalog::testing::TestServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Keeping : public ::testing::Test {
 protected:
  Keeping() { Configure("a: {command: x}, b: {command: y}"); }

  void Configure(const std::string& servers, const std::string& rules = "") {
    const auto loaded =
        config::LoadText("servers: {" + servers + "}\npins: {file: " + path_ + rules + "}\n",
                         "c.yaml", {}, config::ProcessEnvironment());
    ASSERT_TRUE(loaded) << loaded.error().front().ToString();
    keeper_.Configure(loaded->config);
  }
  static std::string Tool(const std::string& name, const std::string& description) {
    return catalog::testing::Tool(name, R"(,"description":")" + description + "\"");
  }
  // What is left of the tools of each.
  std::vector<std::size_t> Left(std::vector<TestServer> servers) {
    std::vector<catalog::ServerState> states;
    for (const TestServer& server : servers) states.push_back(server.state);
    keeper_.Judge(states);
    std::vector<std::size_t> left;
    for (const catalog::ServerState& state : states) left.push_back(state.inventory->tools.size());
    return left;
  }
  std::string File() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  const cli::Workplace place_;
  const std::string path_ = place_.path() + "/pins.json";
  ManualClock clock_;
  net::io_context context_{1};
  Timers timers_{context_, clock_};
  telemetry::Metrics metrics_;
  int again_ = 0;
  tests::KeptEvents audited_;
  PinKeeper keeper_{context_.get_executor(), timers_, metrics_, &audited_, [this] { ++again_; }};
};

TEST_F(Keeping, WhatIsHeldIsNotAmongWhatIsOfferedAndTheRestIsUntouched) {
  TestServer server = TestServer("a").Tools({Tool("x", "one"), Tool("y", "one")});
  server.Prompts({R"({"name":"p"})"}).Resource("file:///r").Template("file:///{t}");
  server.Instructions("one");
  EXPECT_THAT(Left({server}), ElementsAre(2U));
  TestServer changed = TestServer("a").Tools({Tool("x", "two"), Tool("y", "one")});
  changed.Prompts({R"({"name":"p","title":"two"})"}).Instructions("two");
  changed.inventory->resources = {R"({"uri":"file:///r","name":"two"})"};
  changed.inventory->templates = {R"({"uriTemplate":"file:///{t}","name":"two"})"};
  std::vector<catalog::ServerState> states = {changed.state};
  keeper_.Judge(states);
  const catalog::Inventory& left = *states[0].inventory;
  EXPECT_THAT(left.tools, ElementsAre(Tool("y", "one")));
  EXPECT_THAT(left.prompts, IsEmpty());
  EXPECT_THAT(left.resources, IsEmpty());
  EXPECT_THAT(left.withheld_uris, ElementsAre("file:///r"));
  EXPECT_THAT(left.withheld_templates, ElementsAre("file:///{t}"));
  EXPECT_EQ(left.facts.instructions, "");
  EXPECT_THAT(changed.inventory->tools, SizeIs(2)) << "what was read stays";
}

TEST_F(Keeping, ListsThatWereJudgedAreNotJudgedAgain) {
  const TestServer a = TestServer("a").Tools({Tool("x", "one")});
  Left({a});
  const std::string before = File();
  std::ofstream(path_, std::ios::app) << "";
  std::vector<catalog::ServerState> first = {a.state}, second = {a.state};
  keeper_.Judge(first);
  keeper_.Judge(second);
  EXPECT_EQ(first[0].inventory, second[0].inventory);
  EXPECT_EQ(File(), before);
}

TEST_F(Keeping, TheSecondOfANameIsNeverOfferedInPlaceOfTheFirst) {
  EXPECT_THAT(Left({TestServer("a").Tools({Tool("x", "one"), Tool("x", "evil")})}),
              ElementsAre(1U));
  EXPECT_THAT(Left({TestServer("a").Tools({Tool("x", "evil"), Tool("x", "one")})}),
              ElementsAre(0U));
}

TEST_F(Keeping, WhileAnotherProgramWritesItDecidesAndWritesLater) {
  const pins::BookFile other(path_);
  auto held = other.Lock(true);
  ASSERT_TRUE(held);
  const TestServer a = TestServer("a").Tools({Tool("x", "one")});
  EXPECT_THAT(Left({a}), ElementsAre(1U));
  EXPECT_EQ(File(), "");
  held->Reset();
  clock_.Advance(std::chrono::seconds(1));
  timers_.FireDue();
  EXPECT_EQ(again_, 1);
  Left({a});
  EXPECT_THAT(File(), HasSubstr("\"x\""));
}

TEST_F(Keeping, WhatAnotherProgramWroteCountsAndWhatWasSeenMeanwhileIsAdded) {
  Left({TestServer("a").Tools({Tool("x", "one")})});
  pins::BookFile other(path_);
  pins::Book book = *other.Read();
  book.servers.erase("a");
  ASSERT_TRUE(other.Write(book));
  EXPECT_THAT(Left({TestServer("a").Tools({Tool("x", "two")})}), ElementsAre(1U)) << "forgotten";
}

TEST_F(Keeping, WhatIsQuarantinedAcceptedAndUnpinnedIsToldTheAuditLog) {
  Left({TestServer("a").Tools({Tool("x", "one"), Tool("y", "one")})});
  EXPECT_THAT(audited_.Take(), IsEmpty()) << "what is seen first is nobody's decision";
  const TestServer two = TestServer("a").Tools({Tool("x", "two"), Tool("y", "one")});
  Left({two});
  ASSERT_THAT(audited_.all, SizeIs(1));
  const audit::Event held = audited_.all.front();
  EXPECT_EQ(held.server + " " + held.item + " " + held.reason, "a x changed");
  EXPECT_THAT(audited_.Take(), ElementsAre("quarantined x"));
  pins::BookFile other(path_);
  pins::Book book = *other.Read();
  EXPECT_EQ(pins::Accept(book.servers["a"].items[{.name = "x"}], "", "now"), held.definition);
  book.servers["a"].items.erase({.name = "y"});
  ASSERT_TRUE(other.Write(book));
  EXPECT_THAT(Left({two}), ElementsAre(2U));
  EXPECT_THAT(audited_.Take(), ElementsAre("accepted x", "unpinned y"));
  Left({two});
  EXPECT_THAT(audited_.Take(), IsEmpty()) << "once";
}

TEST_F(Keeping, AServerThatAltersAllThatItHasDoesNotFillTheAuditLog) {
  const auto all = [](const std::string& text) {
    std::vector<std::string> tools;
    for (std::size_t i = 0; i < 3 * kMostVerdicts; ++i) {
      tools.push_back(Tool("t" + std::to_string(i), text));
    }
    TestServer server("a");
    return server.Tools(std::move(tools));
  };
  Left({all("one")});
  for (const char* text : {"two", "three"}) {
    Left({all(text)});
    ASSERT_THAT(audited_.all, SizeIs(kMostVerdicts)) << text;
    EXPECT_EQ(audited_.all.back().left_out, 2 * kMostVerdicts);
    EXPECT_EQ(audited_.all.front().left_out, 0U);
    audited_.all.clear();
  }
}

TEST_F(Keeping, AServerIsKnownByWhatIsStartedWhenItsNameIsNew) {
  Left({TestServer("a").Tools({Tool("x", "one")})});
  Configure("c: {command: x}, b: {command: y}");
  EXPECT_THAT(Left({TestServer("c").Tools({Tool("x", "two")})}), ElementsAre(0U));
  Configure("d: {command: z}, b: {command: y}");
  EXPECT_THAT(Left({TestServer("d").Tools({Tool("x", "two")})}), ElementsAre(1U))
      << "another program";
}

TEST_F(Keeping, NamesOfOtherServersToolsAreLookedForInBothOrders) {
  Configure("a: {command: x}, b: {command: y}", ", scan: quarantine");
  const TestServer a = TestServer("a").Tools({Tool("x", "Always use after send_mail.")});
  EXPECT_THAT(Left({a}), ElementsAre(1U));
  EXPECT_THAT(Left({a, TestServer("b").Tools({Tool("send_mail", "Sends.")})}), ElementsAre(0U, 1U));
}

TEST_F(Keeping, AServerThatFlipsItsNamesDoesNotHaveTheOthersScannedEachTime) {
  Configure("a: {command: x}, b: {command: y}", ", scan: quarantine");
  const TestServer a = TestServer("a").Tools({Tool("x", "Always use after send_mail.")});
  const auto flip = [&](const std::string& name) {
    std::vector<catalog::ServerState> states = {a.state,
                                                TestServer("b").Tools({Tool(name, "")}).state};
    keeper_.Judge(states);
    return states[0].inventory;
  };
  auto offered = flip("one");
  int scans = 0;
  for (int i = 0; i < 40; ++i) {
    const auto now = flip(i % 2 == 0 ? "two" : "one");
    scans += now == offered ? 0 : 1;  // lists that are judged anew are made anew
    offered = now;
  }
  EXPECT_LE(scans, 6);
  EXPECT_EQ(flip("send_mail")->tools.size(), 1U) << "not yet";
  clock_.Advance(std::chrono::minutes(31));
  timers_.FireDue();
  EXPECT_GE(again_, 1);
  EXPECT_EQ(flip("send_mail")->tools.size(), 0U) << "but in the end";
}

TEST_F(Keeping, WhatIsQuarantinedStaysSoWhoeverReplacesTheFileMeanwhile) {
  Left({TestServer("b").Tools({Tool("y", "one")})});
  pins::BookFile other(path_);
  const pins::Book old = *other.Read();               // knows nothing of a
  std::filesystem::create_directory(path_ + ".new");  // in the way of the new file
  Left({TestServer("a").Tools({Tool("x", "one"), Tool("z", "one")})});
  const TestServer two = TestServer("a").Tools({Tool("x", "two"), Tool("z", "two")});
  EXPECT_THAT(Left({two}), ElementsAre(0U));
  std::filesystem::remove(path_ + ".new");
  pins::Book theirs = old;
  theirs.servers["a"].items[{.kind = pins::Kind::kTool, .name = "x"}].pin =
      pins::Pin{.hash = pins::DefinitionOf(pins::Kind::kTool, Tool("x", "two")).hash,
                .trust = pins::Trust::kFirstSeen,
                .since = "t",
                .text = ""};
  ASSERT_TRUE(other.Write(theirs));
  EXPECT_THAT(Left({two}), ElementsAre(0U))
      << "seen is not accepted, and what memory alone has pinned stays";
  EXPECT_THAT(File(), HasSubstr("quarantined")) << "and is written now";
  // Somebody who accepts just that is heard.
  pins::Book book = *other.Read();
  ASSERT_NE(
      pins::Accept(book.servers["a"].items[{.kind = pins::Kind::kTool, .name = "x"}], "", "t"), "");
  ASSERT_TRUE(other.Write(book));
  EXPECT_THAT(Left({two}), ElementsAre(1U));
}

TEST_F(Keeping, NothingWaitsOfAServerThatIsNotAskedAnyMore) {
  Left({TestServer("a").Tools({Tool("x", "one")})});
  const TestServer two = TestServer("a").Tools({Tool("x", "two")});
  EXPECT_THAT(Left({two}), ElementsAre(0U));
  Configure("a: {command: x, pins: {change: off, scan: off}}, b: {command: y}");
  EXPECT_THAT(Left({two}), ElementsAre(1U));
  EXPECT_FALSE(File().contains("pending"));
  EXPECT_TRUE(File().contains("\"one\"")) << "the pin stays";
}

TEST_F(Keeping, WhatCannotBeWrittenIsCountedAndTriedAgain) {
  std::filesystem::create_directory(path_ + ".new");  // in the way of the new file
  const TestServer a = TestServer("a").Tools({Tool("x", "one")});
  EXPECT_THAT(Left({a}), ElementsAre(1U));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("switchyard_pin_file_errors_total 1"));
  EXPECT_THAT(Left({TestServer("a").Tools({Tool("x", "two")})}), ElementsAre(0U))
      << "it goes on in memory";
  std::filesystem::remove(path_ + ".new");
  clock_.Advance(std::chrono::seconds(30));
  timers_.FireDue();
  EXPECT_GE(again_, 1);
  Left({a});
  EXPECT_THAT(File(), HasSubstr("\"x\""));
}

}  // namespace
}  // namespace switchyard
