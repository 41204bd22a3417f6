// Hard caps on sessions and lasting streams.
#include "edge/quota.h"

#include <vector>

#include <gtest/gtest.h>

#include "unit/edge/legacy_support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

TEST(QuotaTest, CrowdsLeaveHalfForThoseWhoAreKnown) {
  const auto quota = Quota::Make({.total = 8});
  std::vector<Quota::Permit> held;
  for (const OwnerId crowd : {1, 1, 2, 2}) held.push_back(*quota->TakeInCrowd(crowd));
  EXPECT_EQ(quota->TakeInCrowd(1).error(), Quota::Refusal::kCrowd) << "a quarter at most";
  EXPECT_EQ(quota->TakeInCrowd(3).error(), Quota::Refusal::kCrowd) << "half at most, together";
  for (int i = 0; i < 4; ++i) held.push_back(*quota->Take(7));
  EXPECT_EQ(quota->Take(7).error(), Quota::Refusal::kTotal);
  EXPECT_EQ(quota->TakeInCrowd(1).error(), Quota::Refusal::kTotal);
  held.clear();
  EXPECT_EQ(quota->held(), 0U);
  EXPECT_TRUE(quota->TakeInCrowd(3).has_value());
}

TEST(QuotaTest, ACrowdHasRoomForOneHoweverLittleThereIs) {
  const auto quota = Quota::Make({.total = 1});
  EXPECT_TRUE(quota->TakeInCrowd(1).has_value());
}

TEST(QuotaTest, CountsWhatIsHeldInTotalAndForEachOwner) {
  const auto quota = Quota::Make({.total = 3, .per_owner = 2});
  auto a1 = quota->Take(1);
  auto a2 = quota->Take(1);
  EXPECT_EQ(quota->Take(1).error(), Quota::Refusal::kOwner);
  auto b = quota->Take(2);
  EXPECT_EQ(quota->Take(3).error(), Quota::Refusal::kTotal);
  *a1 = Quota::Permit();
  EXPECT_TRUE(quota->Take(1).has_value());
  const Quota::Permit moved = std::move(*a2);
  auto c = quota->Take(3);
  EXPECT_TRUE(c.has_value());
  EXPECT_EQ(quota->Take(0).error(), Quota::Refusal::kTotal) << "what was moved counts once";
  EXPECT_EQ(quota->held(), 3U);
}

TEST(QuotaTest, WithoutAnOwnerOnlyTheTotalCounts) {
  const auto quota = Quota::Make({.total = 3, .per_owner = 1});
  std::vector<Quota::Permit> held;
  for (int i = 0; i < 3; ++i) held.push_back(*quota->Take(0));
  EXPECT_EQ(quota->Take(0).error(), Quota::Refusal::kTotal);
  const auto boundless = Quota::Make({.total = 5, .per_owner = 0});
  for (int i = 0; i < 2; ++i) held.push_back(*boundless->Take(1));
  EXPECT_TRUE(boundless->Take(1).has_value());
}

struct CapsTest : ::testing::Test {
  ManualClock clock;
  const Sealer sealer{Sealer::RandomKey()};
};

TEST_F(CapsTest, WhoProvesNothingLeavesRoomForThoseWhoDo) {
  Sessions::Options options;
  options.sessions = Quota::Make({.total = 8});
  options.streams = Quota::Make({.total = 8});
  Sessions sessions(sealer, clock, options, [](const auto&) {});
  constexpr OwnerId kAda = 7;
  const auto take = [&](OwnerId owner, std::string_view endpoint) {
    std::vector<Quota::Permit> held;
    for (;;) {
      auto permit = sessions.PermitSession(owner, endpoint);
      if (!permit) {
        EXPECT_EQ(permit.error().code, Code::kUnavailable);
        return held;
      }
      held.push_back(std::move(*permit));
    }
  };
  EXPECT_EQ(take(0, "open").size(), 8U) << "where nobody proves anything";
  sessions.SetSomeAreKnown(true);
  const auto open = take(0, "open"), other = take(0, "other");
  EXPECT_EQ(open.size(), 2U);
  EXPECT_EQ(other.size(), 2U);
  EXPECT_TRUE(take(0, "third").empty());
  EXPECT_EQ(take(kAda, "").size(), 4U);
  EXPECT_TRUE(sessions.PermitStream(0, "open")) << "each is counted for itself";
}

TEST_F(CapsTest, WorkersShareThemAndWhatEndsOrIsReapedMakesRoom) {
  Sessions::Options options;
  options.sessions = Quota::Make({.total = 2, .per_owner = 0});
  options.workers = 2;
  std::vector<std::unique_ptr<Sessions>> workers;
  for (unsigned i = 0; i < 2; ++i) {
    options.worker = i;
    workers.push_back(std::make_unique<Sessions>(
        sealer, clock, options, [&workers, i](const auto& run) { run(*workers[1 - i]); }));
  }
  const auto open = [&](unsigned worker) -> std::string {
    auto permit = workers[worker]->PermitSession(0, "");
    if (!permit) return "";
    return workers[worker]->Open(Client{}, "", 0, std::move(*permit))->client->session;
  };
  const std::string first = open(0);
  EXPECT_NE(open(1), "");
  EXPECT_EQ(open(0), "");
  EXPECT_EQ(open(1), "");
  ASSERT_NE(workers[1]->Find(first, ""), nullptr) << "picking one up elsewhere counts nothing";
  workers[1]->End(first);
  EXPECT_NE(open(1), "");
  EXPECT_EQ(open(0), "");
  clock.Advance(std::chrono::minutes(61));
  for (const auto& worker : workers) worker->Tick();
  EXPECT_NE(open(0), "");
}

// An edge whose caps are small.
struct SmallEdge : LegacyEdge {
  explicit SmallEdge(Quota::Limits streams = {.total = 1, .per_owner = 1}) : streams(streams) {}
  Sessions::Options Small() {
    Sessions::Options options{.timers = &timers};
    options.sessions = Quota::Make({.total = 3, .per_owner = 2});
    options.streams = Quota::Make(streams);
    return options;
  }
  const Quota::Limits streams;
  Sessions capped{sealer, clock, Small(), [](const std::function<void(Sessions&)>&) {}};
  Endpoint small{Access{.legacy_sse = true},
                 [this](std::string_view) -> std::shared_ptr<Service> { return service; },
                 [](PlainRequest) -> Task<std::optional<PlainAnswer>> { co_return std::nullopt; },
                 capped};
  std::unique_ptr<Peer> Reach() {
    std::unique_ptr<Peer> reached = ConnectTo(small);
    return reached;
  }
};

struct RefusalsTest : ::testing::Test, SmallEdge {
  ~RefusalsTest() override { CloseAll(); }
  std::optional<testing::Answer> Initialize() {
    return Ask(*Reach(),
               Post(Plain("initialize", R"({"protocolVersion":"2025-11-25","capabilities":{},)"
                                        R"("clientInfo":{"name":"a","version":"1"}})")));
  }
  void CallerIs(std::string subject) {
    service->answers.clear();
    service->On("server/discover", [subject](struct switchyard::Call& call) -> Result<ReplyPtr> {
      call.caller = MakeCaller({.subject = subject});
      return ReplyWith(mcp::Message::FromResult("1", std::string(R"({"capabilities":{}})")));
    });
  }
};

TEST_F(RefusalsTest, OneSessionTooManyIsToldWhatToDo) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Initialize()->status, 200);
  const auto answer = Initialize();
  EXPECT_EQ(answer->status, 503);
  EXPECT_NE(answer->Header("retry-after"), "");
  EXPECT_EQ(answer->Header("mcp-session-id"), "");
  EXPECT_EQ(At(answer->Json(), "/id"), 5);
  EXPECT_TRUE(TextAt(answer->Json(), "/error/message").contains("DELETE")) << answer->body;
}

TEST_F(RefusalsTest, OneCallerHasHisOwnCapAndTheOthersDoNotFeelIt) {
  CallerIs("greedy");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Initialize()->status, 200);
  const auto answer = Initialize();
  EXPECT_EQ(answer->status, 429);
  EXPECT_TRUE(TextAt(answer->Json(), "/error/message").contains("you have 2 sessions"));
  CallerIs("modest");
  EXPECT_EQ(Initialize()->status, 200);
}

TEST_F(RefusalsTest, StreamsThatLastAreCountedAsLongAsTheyAreOpen) {
  const std::string session = Initialize()->Header("mcp-session-id");
  std::unique_ptr<Peer> holder = Reach();
  Begin(*holder, Stream(session));
  auto answer = Ask(*Reach(), Stream(session));
  EXPECT_EQ(answer->status, 503);
  EXPECT_TRUE(TextAt(answer->Json(), "/error/message").contains("streams"));
  Request sse = Stream("");
  sse.target = "/sse";
  EXPECT_EQ(Ask(*Reach(), sse)->status, 503);
  holder->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return service->scripts.back()->dropped; }));
  Settle(context);
  holder = Reach();
  Begin(*holder, Stream(session));
  EXPECT_TRUE(holder->WaitFor("text/event-stream"));
}

struct ModernStreamsTest : ::testing::Test, SmallEdge {
  ModernStreamsTest() : SmallEdge({.total = 2, .per_owner = 1}) {}
  ~ModernStreamsTest() override { CloseAll(); }
  static Request Listen() {
    return Modern("subscriptions/listen", R"("notifications":{},)", "5")
        .Set("Accept", "application/json, text/event-stream");
  }
  void CallerIs(std::string subject) {
    service->answers.clear();
    service->On("subscriptions/listen",
                [this, subject](struct switchyard::Call& call) -> Result<ReplyPtr> {
                  call.caller = MakeCaller({.subject = subject});
                  service->scripts.push_back(std::make_shared<Script>());
                  return std::make_unique<ScriptedReply>(service->scripts.back());
                });
  }
};

TEST_F(ModernStreamsTest, CountForTheirCallerAsLongAsTheyAreOpen) {
  CallerIs("a");
  std::unique_ptr<Peer> first = Reach();
  Begin(*first, Listen());
  auto answer = Ask(*Reach(), Listen());
  EXPECT_EQ(answer->status, 429);
  EXPECT_NE(answer->Header("retry-after"), "");
  EXPECT_EQ(At(answer->Json(), "/id"), 5);
  EXPECT_TRUE(TextAt(answer->Json(), "/error/message").contains("you have 1 streams"));
  EXPECT_TRUE(service->scripts.back()->dropped);
  CallerIs("b");
  std::unique_ptr<Peer> second = Reach();
  Begin(*second, Listen());
  CallerIs("c");
  EXPECT_EQ(Ask(*Reach(), Listen())->status, 503);
  first->Close();
  EXPECT_TRUE(RunUntil(context, [&] { return service->scripts[0]->dropped; }));
  Settle(context);
  std::unique_ptr<Peer> third = Reach();
  Begin(*third, Listen())
      ->Say(Notification("notifications/subscriptions/acknowledged",
                         R"({"notifications":{},"_meta":{)"
                         R"("io.modelcontextprotocol/subscriptionId":5}})"));
  EXPECT_TRUE(third->WaitFor("acknowledged"));
}

}  // namespace
}  // namespace switchyard::edge
