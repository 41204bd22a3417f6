// What a legacy session remembers of the lists that its client was told of, from stream to stream.
#include "edge/legacy_lists.h"

#include <gtest/gtest.h>

#include "unit/edge/legacy_support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

struct LegacyListsTest : ::testing::Test, LegacyEdge {
  std::vector<ListsKnown> begun;  // what each listen was to go on from
  std::weak_ptr<News> news;       // of the last
  std::string session;

  LegacyListsTest() {
    const auto discovered = [answer = service->answers.back().second](switchyard::Call& call) {
      if (call.news != nullptr) call.news->Knows({.tools = 3, .prompts = 3, .resources = 3});
      return answer(call);
    };
    service->answers.back() = {"server/discover", discovered};
    service->On("subscriptions/listen", [this](switchyard::Call& call) -> Result<ReplyPtr> {
      begun.push_back(call.news->Lists().value_or(ListsKnown()));
      news = call.news;
      service->scripts.push_back(std::make_shared<Script>());
      return std::make_unique<ScriptedReply>(service->scripts.back());
    });
    session = LegacyEdge::Open();
  }

  static mcp::Message Changed() { return Notification("notifications/tools/list_changed", "{}"); }
  // As the catalog does once the change was said.
  void Tell(Script& stream, std::uint64_t revision) {
    stream.Say(Changed());
    Settle(context);
    news.lock()->Knows({.tools = revision});
  }
};

TEST_F(LegacyListsTest, TheFirstStreamGoesOnFromInitialize) {
  Begin(*peer, Stream(session));
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_EQ(begun[0].tools, 3U);
  EXPECT_EQ(begun[0].prompts, 3U);
  EXPECT_EQ(begun[0].resources, 3U);
}

TEST_F(LegacyListsTest, TheNextStreamGoesOnFromWhatTheOneThatWasClosedTold) {
  Tell(*Begin(*peer, Stream(session)), 7);
  ASSERT_TRUE(peer->WaitFor("list_changed"));
  peer->Close();
  Settle(context);
  const std::unique_ptr<Peer> next = Connect();
  Begin(*next, Stream(session));
  ASSERT_EQ(begun.size(), 2U);
  EXPECT_EQ(begun[1].tools, 7U);
  EXPECT_EQ(begun[1].prompts, 3U);
}

TEST_F(LegacyListsTest, WhatWasSaidAfterTheClientLeftIsNotKnown) {
  const auto script = Begin(*peer, Stream(session));
  Tell(*script, 7);
  ASSERT_TRUE(peer->WaitFor("list_changed"));
  peer->Close();
  Settle(context);
  Tell(*script, 9);
  const std::unique_ptr<Peer> next = Connect();
  Begin(*next, Stream(session));
  ASSERT_EQ(begun.size(), 2U);
  EXPECT_EQ(begun[1].tools, 7U);
}

TEST_F(LegacyListsTest, WhatAStreamToldThatNobodyClosedMayBeLost) {
  Tell(*Begin(*peer, Stream(session)), 7);
  const std::unique_ptr<Peer> next = Connect();
  Begin(*next, Stream(session));
  ASSERT_EQ(begun.size(), 2U);
  EXPECT_EQ(begun[1].tools, 3U);
}

TEST_F(LegacyListsTest, AfterAnEventThatIsNotKeptNothingIsKnown) {
  Begin(*peer, Stream(session, "0-s00000000000000000000000000000000-1"));
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_FALSE(begun[0].any());
}

// Two workers that tell each other at once.
struct TwoWorkersLists : ::testing::Test {
  ManualClock clock;
  net::io_context context{1};
  Sealer sealer{Sealer::RandomKey()};
  std::vector<std::unique_ptr<Sessions>> workers;

  TwoWorkersLists() {
    for (unsigned own = 0; own < 2; ++own) {
      workers.push_back(std::make_unique<Sessions>(
          sealer, clock, Sessions::Options{.worker = own, .workers = 2},
          [this, own](const std::function<void(Sessions&)>& run) { run(*workers[1 - own]); }));
    }
  }
  ListsKnown LearnAt(unsigned worker, const std::string& id) {
    const std::shared_ptr<Session> session = workers[worker]->Find(id, "");
    Spawn(context.get_executor(), "learn", LearnLists(session, *workers[worker]));
    context.restart();
    context.poll();
    return session->lists;
  }
};

TEST_F(TwoWorkersLists, EachGoesOnFromWhatAnyOfThemTold) {
  const std::shared_ptr<Session> opened = workers[0]->Open(Client(), "");
  const std::string id = opened->client->session;
  opened->lists = {.tools = 3, .prompts = 3, .resources = 3};
  EXPECT_EQ(LearnAt(1, id).prompts, 3U);
  NoteLists(*workers[1]->Find(id, ""), *workers[1], {.tools = 7});
  EXPECT_EQ(LearnAt(0, id).tools, 7U);
  NoteLists(*opened, *workers[0], {.resources = 8});
  const ListsKnown known = LearnAt(1, id);
  EXPECT_EQ(known.tools, 7U);
  EXPECT_EQ(known.prompts, 3U);
  EXPECT_EQ(known.resources, 8U);
}

TEST_F(TwoWorkersLists, WhatIsForgottenIsForgottenByAll) {
  const std::shared_ptr<Session> opened = workers[0]->Open(Client(), "");
  const std::string id = opened->client->session;
  opened->lists = {.tools = 3, .prompts = 3, .resources = 3};
  LearnAt(1, id);
  ForgetLists(*workers[1]->Find(id, ""), *workers[1]);
  EXPECT_FALSE(opened->lists.any());
  EXPECT_FALSE(LearnAt(1, id).any());
}

}  // namespace
}  // namespace switchyard::edge
