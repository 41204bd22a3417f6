#include "catalog/changes.h"

#include <string>

#include <gtest/gtest.h>

namespace switchyard::catalog {
namespace {

struct ChangesTest : ::testing::Test {
  net::io_context context{1};
  ChangeFeed feed;
  std::string seen;

  ~ChangesTest() override {
    context.restart();
    context.poll();  // what was cancelled unwinds
  }

  // Writes down what it hears: t, p, r, and . at the end.
  static Task<void> Listen(ChangesTest& test) {
    ChangeFeed::Subscription subscription(test.feed);
    for (;;) {
      const auto changes = co_await subscription.Next();
      if (!changes) break;
      if (changes->tools) test.seen += 't';
      if (changes->prompts) test.seen += 'p';
      if (changes->resources) test.seen += 'r';
    }
    test.seen += '.';
  }
  TaskHandle Start() { return TaskHandle(context.get_executor(), "listener", Listen(*this)); }
};

TEST_F(ChangesTest, EveryListenerHearsOfAChange) {
  const TaskHandle a = Start();
  const TaskHandle b = Start();
  context.poll();
  EXPECT_EQ(feed.listeners(), 2U);
  feed.Stage({.tools = true});
  feed.Release();
  context.poll();
  EXPECT_EQ(seen, "tt");
}

TEST_F(ChangesTest, WhatComesTogetherIsMergedAndNothingIsNoNews) {
  const TaskHandle a = Start();
  context.poll();
  feed.Stage({});
  feed.Release();
  feed.Stage({.tools = true});
  feed.Release();
  feed.Stage({.tools = true, .resources = true});
  feed.Release();
  context.poll();
  EXPECT_EQ(seen, "tr");
  feed.Stage({.prompts = true});
  feed.Release();
  context.poll();
  EXPECT_EQ(seen, "trp");
}

TEST_F(ChangesTest, WhatCameBeforeNextWasCalledIsNotLost) {
  ChangeFeed::Subscription subscription(feed);
  feed.Stage({.tools = true});
  feed.Release();
  Spawn(context.get_executor(), "late",
        [](ChangeFeed::Subscription& from, std::string& to) -> Task<void> {
          const auto changes = co_await from.Next();
          if (changes && changes->tools) to += 't';
        }(subscription, seen));
  context.poll();
  EXPECT_EQ(seen, "t");
}

TEST_F(ChangesTest, ACancelledListenerIsForgotten) {
  TaskHandle a = Start();
  context.poll();
  a.Cancel();
  context.poll();
  EXPECT_EQ(feed.listeners(), 0U);
  feed.Stage({.tools = true});
  feed.Release();
  EXPECT_EQ(seen, "");
}

TEST_F(ChangesTest, TheEndReachesListenersAndThoseWhoComeLater) {
  const TaskHandle a = Start();
  context.poll();
  feed.End();
  context.restart();
  context.poll();
  EXPECT_EQ(seen, ".");
  context.restart();
  const TaskHandle b = Start();
  context.poll();
  EXPECT_EQ(seen, "..");
}

}  // namespace
}  // namespace switchyard::catalog
