// A session whose subscriptions and stream are served by different workers: two Sessions that tell
// each other, driven by hand.
#include "edge/legacy_subscribe.h"

#include <deque>

#include <gtest/gtest.h>

#include "edge/legacy.h"
#include "support/json.h"
#include "unit/core/support.h"

namespace switchyard::edge {
namespace {

using switchyard::testing::FakeService;
using switchyard::testing::Notification;
using switchyard::testing::Pulled;
using tests::Parse;
using tests::TextAt;

struct LegacySubscribeTest : ::testing::Test {
  ManualClock clock;
  net::io_context context{1};
  Sealer sealer{Sealer::RandomKey()};
  std::shared_ptr<FakeService> service = std::make_shared<FakeService>();

  // What one worker tells the others waits here until Deliver(), as it would in their loops.
  std::deque<std::function<void()>> posted;
  Sessions first{sealer, clock, Options(0), Broadcast(second)};
  Sessions second{sealer, clock, Options(1), Broadcast(first)};
  std::string id;

  static Sessions::Options Options(unsigned worker) {
    return {.worker = worker, .max_subscriptions = 3};
  }
  Sessions::Broadcast Broadcast(Sessions& other) {
    return [this, &other](std::function<void(Sessions&)> run) {
      posted.emplace_back([run = std::move(run), &other] { run(other); });
    };
  }

  struct Asked {
    Call call;
    std::optional<Result<ReplyPtr>> reply;
    std::unique_ptr<Service> front;
    TaskHandle task;
    std::vector<tests::json::value> heard;

    int code() const { return *reply ? 0 : reply->error().rpc_code; }
  };
  std::deque<Asked> asked;

  LegacySubscribeTest() {
    Client client;
    client.version = mcp::kNewestLegacy;
    id = first.Open(std::move(client), "")->client->session;
    Settle();
  }
  ~LegacySubscribeTest() override {
    for (Asked& one : asked) {
      one.task.Cancel();
      Settle();
      one.reply.reset();
    }
    listened.clear();
    first.EndSubscriptions();
    second.EndSubscriptions();
    Settle();
  }

  void Settle() {
    do {
      context.restart();
      context.poll();
      if (!posted.empty()) {
        const std::function<void()> next = std::move(posted.front());
        posted.pop_front();
        next();
      }
    } while (!posted.empty() || context.poll() > 0);
  }

  static Task<void> Run(Asked& one) {
    Result<ReplyPtr> reply = co_await one.front->Handle(one.call);
    one.reply.emplace(std::move(reply));
    if (!*one.reply) co_return;
    for (;;) {
      Pulled next = co_await (**one.reply)->Next();
      if (!next || !next->has_value()) co_return;
      one.heard.push_back(Parse((*next)->ToText()));
      if ((*next)->is_response()) co_return;
    }
  }
  Asked& Ask(Sessions& worker, std::string_view method, const std::string& uri) {
    const std::shared_ptr<Session> session = worker.Find(id, "");
    Asked& one = asked.emplace_back();
    one.call.message = mcp::Message::Make("7", method, R"({"uri":")" + uri + "\"}");
    one.call.client = session->client;
    one.front = std::make_unique<SubscribeService>(session, worker, service);
    one.task = TaskHandle(context.get_executor(), "ask", Run(one));
    Settle();
    return one;
  }
  Asked& Subscribe(Sessions& worker, const std::string& uri) {
    Asked& one = Ask(worker, "resources/subscribe", uri);
    if (!service->scripts.empty() && !one.reply) Acknowledge(R"(")" + uri + "\"");
    return one;
  }
  // A stream is listened to, as catalog/listens does.
  struct Listened {
    std::shared_ptr<News> news;
    std::vector<std::string> uris;
  };
  std::deque<Listened> listened;

  Listened& Stream(Sessions& worker) {
    Listened& one = listened.emplace_back();
    const std::shared_ptr<Session> session = worker.Find(id, "");
    one.news = Updates::Of(*session, worker)->ForStream({}, [](const auto&) {});
    one.news->OnNews([&one] { Hear(one); });
    Hear(one);
    Settle();
    return one;
  }
  static void Hear(Listened& stream) {
    while (const std::optional<mcp::Message> next = stream.news->Take()) {
      EXPECT_EQ(next->method(), mcp::Method::kResourceUpdated);
      stream.uris.push_back(next->GetString(mcp::Key::kUri));
    }
  }
  void Close(Listened& stream) {
    stream.news->OnNews(nullptr);
    Settle();
  }

  void Acknowledge(const std::string& uris) {
    service->scripts.back()->Say(
        Notification("notifications/subscriptions/acknowledged",
                     R"({"notifications":{"resourceSubscriptions":[)" + uris + "]}}"));
    Settle();
  }
  void Update(std::size_t listen, const std::string& uri) {
    service->scripts.at(listen)->Say(
        Notification("notifications/resources/updated", R"({"uri":")" + uri + "\"}"));
    Settle();
  }
};

using Texts = std::vector<std::string>;

TEST_F(LegacySubscribeTest, SubscribingIsAnsweredWhenTheServerHasAcknowledged) {
  Asked& one = Ask(first, "resources/subscribe", "x://a");
  EXPECT_FALSE(one.reply);
  EXPECT_EQ(tests::At(Parse(service->last_call->message), "/params/notifications"),
            Parse(R"({"resourceSubscriptions":["x://a"]})"));
  Acknowledge(R"("x://a")");
  ASSERT_TRUE(one.reply);
  EXPECT_EQ(one.heard[0], Parse(R"({"jsonrpc":"2.0","id":7,"result":{}})"));
}

TEST_F(LegacySubscribeTest, WhatIsNotHonouredIsRefusedAndLeavesNothing) {
  Asked& one = Ask(first, "resources/subscribe", "x://a");
  Acknowledge(R"("x://other")");
  EXPECT_EQ(one.code(), -32602);
  EXPECT_EQ(one.reply->error().data, R"({"uri":"x://a"})");
  EXPECT_TRUE(service->scripts[0]->dropped);
  service->On("subscriptions/listen", [](Call&) -> Result<ReplyPtr> {
    return Failure(Code::kForbidden, Origin::kGateway, "not yours");
  });
  Asked& forbidden = Ask(first, "resources/subscribe", "x://a");
  EXPECT_EQ(forbidden.reply->error().message, "not yours");
}

TEST_F(LegacySubscribeTest, UpdatesGoOutOnTheStreamOfTheSameWorker) {
  Listened& stream = Stream(first);
  Subscribe(first, "x://a");
  Update(0, "x://a");
  Update(0, "x://a/part");
  EXPECT_EQ(stream.uris, (Texts{"x://a", "x://a/part"}));
}

TEST_F(LegacySubscribeTest, UpdatesGoOutOnTheStreamOfAnotherWorker) {
  Listened& stream = Stream(second);
  Subscribe(first, "x://a");
  Update(0, "x://a");
  EXPECT_EQ(stream.uris, (Texts{"x://a"}));
  Listened& next = Stream(first);
  Update(0, "x://a/2");
  EXPECT_EQ(next.uris, (Texts{"x://a/2"}));
  EXPECT_EQ(stream.uris, (Texts{"x://a"})) << "never on two streams";
}

TEST_F(LegacySubscribeTest, WhatComesWithoutAStreamIsToldOnceOnTheNextOne) {
  Subscribe(first, "x://a");
  Subscribe(first, "x://b");
  Update(0, "x://a");
  Update(0, "x://a");
  Update(1, "x://b");
  Listened& elsewhere = Stream(second);
  EXPECT_EQ(elsewhere.uris, (Texts{"x://a", "x://b"}));
  Close(elsewhere);
  Update(0, "x://a");
  EXPECT_EQ(Stream(first).uris, (Texts{"x://a"}));
}

TEST_F(LegacySubscribeTest, AUriIsSubscribedOnceWhicheverWorkerWasAsked) {
  Listened& stream = Stream(first);
  Subscribe(first, "x://a");
  Subscribe(first, "x://a");
  EXPECT_EQ(service->scripts.size(), 1U);
  Subscribe(second, "x://a");
  EXPECT_FALSE(service->scripts[0]->dropped);
  EXPECT_TRUE(service->scripts[1]->dropped);
  Update(0, "x://a");
  EXPECT_EQ(stream.uris, (Texts{"x://a"}));
}

TEST_F(LegacySubscribeTest, WhicheverWorkerWasAskedFirstOneStays) {
  Subscribe(second, "x://a");
  Subscribe(first, "x://a");
  EXPECT_TRUE(service->scripts[0]->dropped);
  EXPECT_FALSE(service->scripts[1]->dropped);
}

TEST_F(LegacySubscribeTest, OfTwoThatAreMadeAtOnceOneStays) {
  Listened& stream = Stream(second);
  Asked& one = Ask(first, "resources/subscribe", "x://a");
  Asked& other = Ask(second, "resources/subscribe", "x://a");
  for (const auto& script : service->scripts) {
    script->Say(Notification("notifications/subscriptions/acknowledged",
                             R"({"notifications":{"resourceSubscriptions":["x://a"]}})"));
  }
  context.restart();
  context.poll();  // both have theirs before one hears of the other
  Settle();
  EXPECT_EQ(one.code() + other.code(), 0);
  EXPECT_FALSE(service->scripts[0]->dropped);
  EXPECT_TRUE(service->scripts[1]->dropped);
  Update(0, "x://a");
  EXPECT_EQ(stream.uris, (Texts{"x://a"}));
}

TEST_F(LegacySubscribeTest, OneThatEndsRightBehindItsAcknowledgementIsRefusedAndCanBeMadeAgain) {
  Asked& one = Ask(first, "resources/subscribe", "x://a");
  service->scripts[0]->Say(
      Notification("notifications/subscriptions/acknowledged",
                   R"({"notifications":{"resourceSubscriptions":["x://a"]}})"));
  service->scripts[0]->End();
  Settle();
  EXPECT_EQ(one.code(), -32602);
  EXPECT_EQ(Subscribe(first, "x://a").code(), 0);
  EXPECT_EQ(service->scripts.size(), 2U) << "nothing was left that looks like a subscription";
}

TEST_F(LegacySubscribeTest, UnsubscribingEndsItOnEveryWorkerAlsoWhatIsDue) {
  Subscribe(first, "x://a");
  Update(0, "x://a");
  Ask(second, "resources/unsubscribe", "x://a");
  EXPECT_TRUE(service->scripts[0]->dropped);
  Subscribe(first, "x://b");
  Update(1, "x://b");
  Ask(first, "resources/unsubscribe", "x://b");
  EXPECT_TRUE(service->scripts[1]->dropped);
  EXPECT_TRUE(Stream(first).uris.empty());
  EXPECT_EQ(Ask(first, "resources/unsubscribe", "x://never").code(), 0);
}

TEST_F(LegacySubscribeTest, TheEndOfTheSessionEndsThem) {
  Subscribe(first, "x://a");
  second.End(id);
  Settle();
  EXPECT_TRUE(service->scripts[0]->dropped);
}

TEST_F(LegacySubscribeTest, OnlyASessionThatReadsIsKeptForItsSubscriptions) {
  Subscribe(first, "x://a").front = nullptr;  // which holds the session
  Listened& stream = Stream(second);
  clock.Advance(std::chrono::hours(2));
  first.Tick();
  Settle();
  EXPECT_FALSE(service->scripts[0]->dropped) << "its stream is elsewhere";
  Close(stream);
  first.Tick();
  Settle();
  EXPECT_TRUE(service->scripts[0]->dropped);
}

TEST_F(LegacySubscribeTest, TheirNumberIsBounded) {
  for (const char* uri : {"x://1", "x://2", "x://3"}) EXPECT_EQ(Subscribe(first, uri).code(), 0);
  EXPECT_EQ(Subscribe(first, "x://4").code(), -32602);
  Ask(first, "resources/unsubscribe", "x://1");
  EXPECT_EQ(Subscribe(first, "x://4").code(), 0);
}

TEST_F(LegacySubscribeTest, AFloodOfPartsNamesTheWholeInstead) {
  Subscribe(first, "x://a");
  for (int i = 0; i < 3000; ++i) {
    service->scripts[0]->Say(Notification("notifications/resources/updated",
                                          R"({"uri":"x://a/)" + std::to_string(i) + "\"}"));
  }
  Settle();
  EXPECT_EQ(Stream(first).uris.size(), 1001U);
}

}  // namespace
}  // namespace switchyard::edge
