// A listener that knows how far it was told of the lists is told of what changed since, once.
#include <deque>

#include <gtest/gtest.h>

#include "catalog/router.h"
#include "unit/catalog/support.h"
#include "unit/core/support.h"

namespace switchyard::catalog {
namespace {

using switchyard::testing::Pulled;
using testing::Merge;
using testing::TestServer;
using testing::Tool;

// What is kept between the listens of one client.
struct Keeper : News {
  std::optional<mcp::Message> Take() override { return std::nullopt; }
  void OnNews(std::function<void()> /*wake*/) override {}
  std::optional<ListsKnown> Lists() const override { return known; }
  void Knows(const ListsKnown& lists) override { known.Merge(lists); }
  ListsKnown known;
};

struct CatchUpTest : ::testing::Test {
  net::io_context context{1};
  ManualClock clock;
  Timers timers{context, clock};
  Deps deps{.context = context, .timers = timers, .clock = clock};
  Router router{Offer("one", 1), [](std::string_view) { return std::shared_ptr<Service>(); }, deps};
  std::shared_ptr<Keeper> keeper = std::make_shared<Keeper>();

  struct Listener {
    Call call;
    ReplyPtr reply;
    std::string heard;  // t, p, r
    TaskHandle pulling;
  };
  std::deque<Listener> listeners;

  ~CatchUpTest() override {
    for (Listener& listener : listeners) Close(listener);
  }

  // Tools and resources, but no prompts.
  static std::shared_ptr<const Catalog> Offer(const std::string& tool, int revision) {
    TestServer a("a");
    a.Capabilities(R"({"tools":{},"resources":{}})").Tools({Tool(tool)}).Resource("a://one");
    return Merge({a}, {}, revision);
  }
  void Run() {
    context.restart();
    context.poll();
  }
  void Change(const std::string& tool, int revision) {
    router.Update(Offer(tool, revision));
    router.Announce();
    Run();
  }

  static Task<void> Pull(Router& router, Listener& listener) {
    Result<ReplyPtr> reply = co_await router.Handle(listener.call);
    if (!reply) co_return;
    listener.reply = std::move(*reply);
    for (;;) {
      Pulled next = co_await listener.reply->Next();
      if (!next || !next->has_value()) co_return;
      const mcp::Method method = (*next)->method();
      if (method == mcp::Method::kToolsChanged) listener.heard += 't';
      if (method == mcp::Method::kPromptsChanged) listener.heard += 'p';
      if (method == mcp::Method::kResourcesChanged) listener.heard += 'r';
    }
  }
  Listener& Begin(std::string_view method, std::string_view params) {
    Listener& listener = listeners.emplace_back();
    listener.call.message = mcp::Message::Make("5", method, params);
    listener.call.client = std::make_shared<Client>();
    listener.call.news = keeper;
    listener.pulling = TaskHandle(context.get_executor(), "listener", Pull(router, listener));
    Run();
    return listener;
  }
  Listener& Listen() {
    return Begin("subscriptions/listen",
                 R"({"notifications":{"toolsListChanged":true,"promptsListChanged":true,)"
                 R"("resourcesListChanged":true}})");
  }
  void Discover() { Close(Begin("server/discover", "{}")); }
  void Close(Listener& listener) {
    listener.pulling.Cancel();
    Run();
    listener.reply = nullptr;
  }
};

TEST_F(CatchUpTest, WhoKnowsAllThatThereIsHearsNothing) {
  Discover();
  EXPECT_EQ(keeper->known.tools, 1U);
  EXPECT_EQ(Listen().heard, "");
  EXPECT_EQ(Listen().heard, "");
}

TEST_F(CatchUpTest, WhatChangedBeforeTheFirstListenIsTold) {
  Discover();
  Change("two", 2);
  EXPECT_EQ(Listen().heard, "t") << "and nothing of what stayed as it was";
}

TEST_F(CatchUpTest, WhatChangedAfterASilentListenIsToldOnTheNextOnce) {
  Discover();
  Close(Listen());
  Change("two", 2);
  Listener& next = Listen();
  EXPECT_EQ(next.heard, "t");
  Close(next);
  EXPECT_EQ(Listen().heard, "");
}

TEST_F(CatchUpTest, WhatAListenToldTheNextDoesNotTellAgain) {
  Discover();
  Listener& first = Listen();
  Change("two", 2);
  EXPECT_EQ(first.heard, "t");
  Close(first);
  Listener& second = Listen();
  EXPECT_EQ(second.heard, "");
  Change("three", 3);
  EXPECT_EQ(second.heard, "t");
}

TEST_F(CatchUpTest, AListThatIsAsItWasMayHaveBeenReadBetween) {
  Discover();
  Change("two", 2);
  Change("one", 3);
  EXPECT_EQ(Listen().heard, "t");
}

TEST_F(CatchUpTest, WhoMayKnowNothingIsToldOfAllThatIsServed) { EXPECT_EQ(Listen().heard, "tr"); }

TEST_F(CatchUpTest, WhatIsOnItsWayToOtherWorkersIsToldWhenItIsThere) {
  Discover();
  router.Update(Offer("two", 2));
  Listener& listener = Listen();
  EXPECT_EQ(listener.heard, "");
  router.Announce();
  Run();
  EXPECT_EQ(listener.heard, "t");
}

TEST_F(CatchUpTest, WhoWasGivenWhatIsOnItsWayIsNotToldOfIt) {
  router.Update(Offer("two", 2));
  Discover();
  Listener& listener = Listen();
  router.Announce();
  Run();
  EXPECT_EQ(listener.heard, "");
}

}  // namespace
}  // namespace switchyard::catalog
