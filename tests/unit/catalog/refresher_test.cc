#include "catalog/refresher.h"

#include <gtest/gtest.h>

#include "unit/base/log_capture.h"
#include "unit/catalog/support.h"
#include "unit/core/support.h"

namespace switchyard::catalog {
namespace {

using namespace switchyard::testing;  // NOLINT: one vocabulary for tests
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Tool;

class FakeDownstream final : public Downstream {
 public:
  std::string_view name() const override { return "wiki"; }
  Task<Result<ServerFacts>> Connect() override {
    ++connects;
    if (!up) co_return Failure(Code::kUnavailable, Origin::kServer, "connection refused");
    co_return ServerFacts{.capabilities = capabilities, .instructions = "", .info = ""};
  }
  Task<Result<ReplyPtr>> Handle(Call& call) override {
    Result<ReplyPtr> reply = co_await service.Handle(call);
    co_return reply;
  }
  Task<void> Close() override { co_return; }

  bool up = true;
  int connects = 0;
  std::string capabilities = R"({"tools":{}})";
  FakeService service;  // a listen gets a script, lists are answered as told
};

struct RefresherTest : ::testing::Test {
  LogCapture log;
  ManualClock clock;
  net::io_context context{1};
  Timers timers{context, clock};
  FakeDownstream downstream;
  std::vector<std::pair<std::shared_ptr<const Inventory>, std::string>> published;
  Refresher refresher{downstream,
                      {},
                      Deps{.context = context, .timers = timers, .clock = clock},
                      [this](std::shared_ptr<const Inventory> inventory, std::string reason) {
                        published.emplace_back(std::move(inventory), std::move(reason));
                      }};
  TaskHandle running;
  std::vector<std::string> tools = {Tool("x")};
  bool unwound = false;

  RefresherTest() {
    downstream.service.On("tools/list", [this](Call&) -> Result<ReplyPtr> {
      return ReplyWith(ResultOf(List("tools", tools)));
    });
  }
  ~RefresherTest() override {
    running.Cancel();
    WaitUntilUnwound();
    EXPECT_TRUE(unwound);
  }
  static std::string List(std::string_view key, const std::vector<std::string>& items,
                          const std::string& more = "") {
    std::string text = "{\"" + std::string(key) + "\":[";
    for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ",") + items[i];
    return text + "]" + more + "}";
  }
  void Run() {
    context.restart();
    context.poll();
  }
  void Start() {
    running = TaskHandle(context.get_executor(), "refresher", refresher.Run());
    Run();
  }
  void Pass(Duration time) {
    clock.Advance(time);
    timers.FireDue();
    Run();
  }
  void WaitUntilUnwound() {
    Spawn(context.get_executor(), "closing", [](RefresherTest& test) -> Task<void> {
      co_await test.refresher.Unwound();
      test.unwound = true;
    }(*this));
    Run();
  }
  std::shared_ptr<Script> listen() { return downstream.service.scripts.back(); }
  void Acknowledge(const char* honoured = R"({"toolsListChanged":true})") {
    listen()->Say(Notification("notifications/subscriptions/acknowledged",
                               R"({"notifications":)" + std::string(honoured) + "}"));
    Run();
  }
  void Announce() { listen()->Say(Notification("notifications/tools/list_changed", "{}")); }
  const Inventory& last() { return *published.back().first; }
};

TEST_F(RefresherTest, PublishesWhatTheServerOffers) {
  downstream.capabilities = R"({"tools":{},"prompts":{},"resources":{}})";
  downstream.service.OnResult("prompts/list", List("prompts", {R"({"name":"p"})"}));
  downstream.service.OnResult("resources/list", List("resources", {R"({"uri":"a:b"})"}));
  downstream.service.OnResult("resources/templates/list",
                              List("resourceTemplates", {R"({"uriTemplate":"a:{b}"})"}));
  Start();
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(last().server, "wiki");
  EXPECT_EQ(last().tools, tools);
  EXPECT_EQ(last().prompts.size(), 1U);
  EXPECT_EQ(last().resources.size(), 1U);
  EXPECT_EQ(last().templates.size(), 1U);
}

TEST_F(RefresherTest, AsksOnlyForWhatTheServerSaysItHas) {
  downstream.capabilities = R"({"prompts":{}})";
  downstream.service.OnResult("prompts/list", List("prompts", {R"({"name":"p"})"}));
  Start();
  EXPECT_EQ(downstream.service.seen,
            (std::vector<std::string>{"prompts/list", "subscriptions/listen"}));
  EXPECT_TRUE(last().tools.empty());
}

TEST_F(RefresherTest, AListThatTheServerDoesNotKnowAfterAllIsEmpty) {
  downstream.capabilities = R"({"tools":{},"resources":{}})";
  downstream.service.OnResult("resources/list", List("resources", {R"({"uri":"a:b"})"}));
  downstream.service.On("resources/templates/list", [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(mcp::Message::MakeError("99", -32601, "unknown method"));
  });
  Start();
  ASSERT_NE(published.at(0).first, nullptr);
  EXPECT_EQ(last().resources.size(), 1U);
  EXPECT_TRUE(last().templates.empty());
}

TEST_F(RefresherTest, ReadsAllPages) {
  downstream.service.answers.clear();
  std::vector<std::string> cursors;
  downstream.service.On("tools/list", [&](Call& call) -> Result<ReplyPtr> {
    const std::string cursor(call.message.Get(mcp::Key::kCursor));
    cursors.push_back(cursor);
    // "" is a cursor like any other.
    const char* more = cursor.empty()       ? R"(,"nextCursor":"")"
                       : cursor == R"("")"  ? R"(,"nextCursor":"2")"
                       : cursor == R"("2")" ? R"(,"nextCursor":null)"
                                            : "";
    return ReplyWith(ResultOf(List("tools", {Tool("t" + std::to_string(cursors.size()))}, more)));
  });
  Start();
  EXPECT_EQ(cursors, (std::vector<std::string>{"", R"("")", R"("2")"}));
  EXPECT_EQ(last().tools.size(), 3U);
}

TEST_F(RefresherTest, AServerThatPagesInCirclesIsDownAndNamed) {
  downstream.service.answers.clear();
  downstream.service.OnResult("tools/list", List("tools", {Tool("x")}, R"(,"nextCursor":"again")"));
  Start();
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published[0].first, nullptr);
  EXPECT_TRUE(published[0].second.contains("server wiki: tools/list: nextCursor repeats"));
}

TEST_F(RefresherTest, AListThatIsNoneIsSaidSo) {
  downstream.service.answers.clear();
  downstream.service.OnResult("tools/list", R"({"tools":7})");
  Start();
  EXPECT_EQ(published.at(0).first, nullptr);
  EXPECT_TRUE(published[0].second.starts_with("server wiki: tools/list: "));
}

TEST_F(RefresherTest, ListsAgainWhenAChangeIsAnnounced) {
  Start();
  Acknowledge();
  tools.push_back(Tool("y"));
  Announce();
  Announce();
  Announce();
  Run();
  ASSERT_EQ(published.size(), 2U);
  EXPECT_EQ(last().tools.size(), 2U);
  Pass(seconds(3600));
  EXPECT_EQ(published.size(), 2U) << "who announces is not polled";
}

TEST_F(RefresherTest, AListThatDidNotChangeIsNotPublished) {
  Start();
  Acknowledge();
  Announce();
  Run();
  EXPECT_EQ(std::ranges::count(downstream.service.seen, "tools/list"), 3);
  EXPECT_EQ(published.size(), 1U);
}

TEST_F(RefresherTest, ListsAgainWhenACallMetANewerListButNotForEachCall) {
  Start();
  Acknowledge();
  tools.push_back(Tool("y"));
  for (int i = 0; i < 3; ++i) {
    refresher.NoteStale();
    Run();
  }
  EXPECT_EQ(published.size(), 2U);
  const auto lists = [this] { return std::ranges::count(downstream.service.seen, "tools/list"); };
  EXPECT_EQ(lists(), 3);
  Pass(seconds(30));
  refresher.NoteStale();
  Run();
  EXPECT_EQ(lists(), 4);
}

TEST_F(RefresherTest, AListThatChangesWhileItIsReadIsReadAgainBeforeAnybodySeesIt) {
  Start();
  Acknowledge();
  downstream.service.answers.clear();  // each listing waits for its script
  const std::shared_ptr<Script> listening = listen();
  const auto lists = [this](const char* tool) {
    downstream.service.scripts.back()->Say(ResultOf(List("tools", {Tool(tool)})));
    Run();
  };
  const auto announces = [&] {
    listening->Say(Notification("notifications/tools/list_changed", "{}"));
    Run();
  };
  announces();
  ASSERT_NE(downstream.service.scripts.back(), listening);
  announces();
  lists("torn");
  EXPECT_EQ(published.size(), 1U);
  lists("whole");
  ASSERT_EQ(published.size(), 2U);
  EXPECT_EQ(last().tools, std::vector<std::string>{Tool("whole")});

  announces();
  for (int i = 0; i < 4; ++i) {  // who never rests is not waited for
    announces();
    lists("restless");
  }
  EXPECT_EQ(published.size(), 3U);
}

TEST_F(RefresherTest, PollsAServerThatHonoursNothingAndStillSeesItGo) {
  Start();
  Acknowledge("{}");
  tools.push_back(Tool("y"));
  Pass(seconds(29));
  EXPECT_EQ(published.size(), 1U);
  Pass(seconds(1));
  ASSERT_EQ(published.size(), 2U);
  EXPECT_EQ(last().tools.size(), 2U);
  listen()->Fail(Error{.code = Code::kUnavailable, .message = "exited"});
  Run();
  ASSERT_EQ(published.size(), 3U);
  EXPECT_EQ(published[2].second, "exited");
}

TEST_F(RefresherTest, PollsAServerThatKnowsNoListening) {
  downstream.service.On("subscriptions/listen", [](Call&) -> Result<ReplyPtr> {
    return ReplyWith(mcp::Message::MakeError("99", -32601, "unknown method"));
  });
  Start();
  tools.push_back(Tool("y"));
  Pass(seconds(30));
  EXPECT_EQ(published.size(), 2U);
  refresher.NoteDown("exited with status 1");
  Run();
  EXPECT_EQ(published.back().second, "exited with status 1");
}

TEST_F(RefresherTest, AListenThatTheServerEndsIsOpenedAgainWithAGrowingPause) {
  const auto listens = [this] {
    return std::ranges::count(downstream.service.seen, "subscriptions/listen");
  };
  Start();
  Acknowledge();
  listen()->Say(ResultOf(R"({"resultType":"complete"})"));
  Run();
  tools.push_back(Tool("y"));  // announced to nobody
  Pass(milliseconds(124));     // half of the first step is the least
  EXPECT_EQ(listens(), 1);
  Pass(milliseconds(126));
  EXPECT_EQ(listens(), 2);
  ASSERT_EQ(published.size(), 2U) << "it was never down";
  EXPECT_EQ(last().tools, tools);
  Acknowledge();
  tools.push_back(Tool("z"));
  Announce();
  Run();
  EXPECT_EQ(last().tools, tools);
  listen()->Say(ResultOf(R"({"resultType":"complete"})"));
  Run();
  Pass(milliseconds(249));
  EXPECT_EQ(listens(), 2);
  Pass(milliseconds(251));
  EXPECT_EQ(listens(), 3);
  EXPECT_EQ(downstream.connects, 1);
}

TEST_F(RefresherTest, ADownServerIsTriedAgainWithAGrowingPause) {
  downstream.up = false;
  Start();
  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published[0].first, nullptr);
  EXPECT_EQ(published[0].second, "connection refused");
  EXPECT_EQ(log.count("server wiki is down: connection refused"), 1);
  EXPECT_EQ(downstream.connects, 1);
  Pass(milliseconds(124));  // half of the first step is the least
  EXPECT_EQ(downstream.connects, 1);
  Pass(milliseconds(126));
  EXPECT_EQ(downstream.connects, 2);
  Pass(milliseconds(249));
  EXPECT_EQ(downstream.connects, 2);
  downstream.up = true;
  Pass(milliseconds(251));
  EXPECT_EQ(downstream.connects, 3);
  EXPECT_NE(published.back().first, nullptr);
}

TEST_F(RefresherTest, AServerThatGoesDownComesBackWithWhatItHasThen) {
  Start();
  Acknowledge();
  tools = {Tool("other")};
  const std::shared_ptr<Script> before = listen();
  before->Fail(Error{.code = Code::kUnavailable, .message = "exited"});
  Run();
  EXPECT_TRUE(before->dropped);
  EXPECT_EQ(published.at(1).first, nullptr);
  EXPECT_EQ(published[1].second, "exited");
  Pass(milliseconds(250));
  ASSERT_EQ(published.size(), 3U);
  EXPECT_EQ(last().tools, tools);
  EXPECT_NE(listen(), before);
}

TEST_F(RefresherTest, AListingThatFailsLaterLeavesTheLastOneInPlace) {
  Start();
  Acknowledge();
  const std::shared_ptr<const Inventory> before = published.back().first;
  downstream.service.answers.clear();
  downstream.service.On("tools/list", [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kDeadline, Origin::kServer, "no answer within 10s");
  });
  Announce();
  Run();
  EXPECT_EQ(published.back().first, before);
  EXPECT_TRUE(published.back().second.contains("tools/list: no answer within 10s"));
  EXPECT_EQ(log.count("server wiki keeps its last lists: "), 1);
  Pass(seconds(1));
  EXPECT_EQ(downstream.connects, 2);
  EXPECT_EQ(published.back().first, before) << "it still shakes hands";
  downstream.up = false;
  Pass(seconds(2));
  EXPECT_EQ(published.back().first, nullptr);
  EXPECT_EQ(published.back().second, "connection refused");
}

TEST_F(RefresherTest, AListingThatFindsNobodyTakesTheServerDown) {
  Start();
  Acknowledge();
  downstream.service.answers.clear();
  downstream.service.On("tools/list", [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kUnavailable, Origin::kServer, "connection refused");
  });
  Announce();
  Run();
  EXPECT_EQ(published.back().first, nullptr);
}

TEST_F(RefresherTest, ACancelUnwindsEverythingAndReportsNothing) {
  for (const bool polling : {false, true}) {
    Start();
    Acknowledge(polling ? "{}" : R"({"toolsListChanged":true})");
    const std::shared_ptr<Script> listening = listen();
    const std::size_t before = published.size();
    running.Cancel();
    unwound = false;
    WaitUntilUnwound();
    EXPECT_TRUE(unwound);
    EXPECT_TRUE(listening->dropped);
    EXPECT_EQ(timers.size(), 0U);
    EXPECT_EQ(published.size(), before);
  }
}

}  // namespace
}  // namespace switchyard::catalog
