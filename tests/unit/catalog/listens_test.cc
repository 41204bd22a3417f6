// Resource subscriptions of modern clients, spread over the servers that own the URIs.
#include "catalog/listens.h"

#include <gtest/gtest.h>

#include "catalog/router.h"
#include "support/json.h"
#include "unit/catalog/support.h"
#include "unit/core/support.h"

namespace switchyard::catalog {
namespace {

using switchyard::testing::FakeService;
using switchyard::testing::Notification;
using switchyard::testing::Pulled;
using switchyard::testing::ResultOf;
using switchyard::testing::Script;
using testing::Merge;
using testing::TestServer;
using tests::At;
using tests::Parse;
using tests::TextAt;

constexpr std::string_view kTag = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

std::shared_ptr<const Catalog> TwoWithResources(int revision = 1) {
  TestServer a("a");
  a.Resource("a://one").Resource("a://two").Resource("both://x");
  a.Capabilities(R"({"resources":{"subscribe":true}})");
  TestServer b("b");
  b.Resource("b://one").Resource("both://x");
  b.Capabilities(R"({"resources":{"subscribe":true}})");
  return Merge({a, b}, {}, revision);
}

struct ListensTest : ::testing::Test {
  net::io_context context{1};
  ManualClock clock;
  Timers timers{context, clock};
  Deps deps{.context = context, .timers = timers, .clock = clock};
  std::map<std::string, std::shared_ptr<FakeService>, std::less<>> servers = {
      {"a", std::make_shared<FakeService>()}, {"b", std::make_shared<FakeService>()}};
  Router router{TwoWithResources(),
                [this](std::string_view name) -> std::shared_ptr<Service> {
                  const auto found = servers.find(name);
                  return found == servers.end() ? nullptr : found->second;
                },
                deps};

  struct Listener {
    Call call;
    ReplyPtr reply;
    std::vector<tests::json::value> heard;
    std::optional<Error> error;
    bool ended = false;
    std::size_t limit = 1'000'000;  // pulls no more until resumed
    Mailbox<bool> resume;
    TaskHandle pulling;

    tests::json::value Take() {
      if (heard.empty()) return nullptr;
      auto first = heard.front();
      heard.erase(heard.begin());
      return first;
    }
  };

  ~ListensTest() override {
    for (const auto& listener : listeners) {
      listener->pulling.Cancel();
      Run();
      listener->reply = nullptr;
    }
    Run();
  }

  static Task<void> Pull(Router& router, Listener& listener) {
    Result<ReplyPtr> reply = co_await router.Handle(listener.call);
    if (!reply) {
      listener.error = reply.error();
      co_return;
    }
    listener.reply = std::move(*reply);
    for (;;) {
      Pulled next = co_await listener.reply->Next();
      if (!next || !next->has_value()) break;
      listener.heard.push_back(Parse((*next)->ToText()));
      if ((*next)->is_response()) break;
      if (listener.heard.size() >= listener.limit) co_await listener.resume.Take();
    }
    listener.ended = true;
  }

  // `filter`: members of params.notifications.
  Listener& Listen(const std::string& filter, std::string_view id = "5",
                   std::shared_ptr<News> news = nullptr) {
    listeners.push_back(std::make_unique<Listener>());
    Listener& listener = *listeners.back();
    listener.call.news = std::move(news);
    listener.call.message =
        mcp::Message::Make(id, "subscriptions/listen", R"({"notifications":{)" + filter + "}}");
    listener.call.client = std::make_shared<Client>();
    listener.pulling = TaskHandle(context.get_executor(), "listener", Pull(router, listener));
    Run();
    return listener;
  }
  Listener& ListenTo(const std::string& uris, std::string_view id = "5") {
    return Listen(R"("resourceSubscriptions":[)" + uris + "]", id);
  }

  void Run() {
    context.restart();
    context.poll();
  }
  void Pass(Duration time) {
    clock.Advance(time);
    timers.FireDue();
    Run();
  }
  Script& At(std::string_view server, std::size_t listen = 0) {
    return *servers.find(server)->second->scripts.at(listen);
  }
  std::size_t Asked(std::string_view server) {
    return servers.find(server)->second->scripts.size();
  }
  void Acknowledge(std::string_view server, const std::string& uris, std::size_t listen = 0) {
    At(server, listen)
        .Say(Notification("notifications/subscriptions/acknowledged",
                          R"({"notifications":{"resourceSubscriptions":[)" + uris + "]}}"));
    Run();
  }
  void Update(std::string_view server, const std::string& uri, std::size_t listen = 0) {
    At(server, listen)
        .Say(Notification("notifications/resources/updated", R"({"uri":")" + uri + "\"}"));
    Run();
  }

  std::vector<std::unique_ptr<Listener>> listeners;
};

TEST_F(ListensTest, EachOwnerIsAskedForItsUrisUnderItsOwnNames) {
  ListenTo(R"("a://one","switchyard://b/both://x","b://one","a://two")");
  EXPECT_EQ(tests::At(Parse(servers["a"]->last_call->message), "/params/notifications"),
            Parse(R"({"resourceSubscriptions":["a://one","a://two"]})"));
  EXPECT_EQ(tests::At(Parse(servers["b"]->last_call->message), "/params/notifications"),
            Parse(R"({"resourceSubscriptions":["b://one","both://x"]})"));
}

TEST_F(ListensTest, OneAcknowledgementOfWhatAllHonouredInTheClientsForm) {
  Listener& listener = Listen(
      R"("toolsListChanged":true,"resourceSubscriptions":["switchyard://b/both://x","a://two","a://one"])");
  Acknowledge("a", R"("a://one")");
  EXPECT_TRUE(listener.heard.empty()) << "the other one has not answered yet";
  Acknowledge("b", R"("both://x","b://never-asked-for")");
  const auto ack = listener.Take();
  EXPECT_EQ(TextAt(ack, "/method"), "notifications/subscriptions/acknowledged");
  EXPECT_EQ(tests::At(ack, kTag), 5);
  EXPECT_EQ(
      tests::At(ack, "/params/notifications"),
      Parse(
          R"({"toolsListChanged":true,"resourceSubscriptions":["switchyard://b/both://x","a://one"]})"));
  EXPECT_TRUE(listener.heard.empty());
}

TEST_F(ListensTest, AServerThatIsSlowToAcknowledgeIsLeftOutAndStaysSilent) {
  Listener& listener = ListenTo(R"("a://one","b://one")");
  Acknowledge("a", R"("a://one")");
  Pass(Listens::kAckPatience);
  EXPECT_EQ(tests::At(listener.Take(), "/params/notifications"),
            Parse(R"({"resourceSubscriptions":["a://one"]})"));
  EXPECT_TRUE(At("b").dropped);
  EXPECT_EQ(Asked("b"), 1U);
  Update("a", "a://one");
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "a://one");
}

TEST_F(ListensTest, AServerThatRefusesHoldsNobodyUp) {
  Listener& listener = ListenTo(R"("a://one","b://one")");
  At("b").Fail({.code = Code::kUnavailable, .message = "down"});
  Acknowledge("a", R"("a://one")");
  EXPECT_EQ(tests::At(listener.Take(), "/params/notifications"),
            Parse(R"({"resourceSubscriptions":["a://one"]})"));
  Pass(std::chrono::minutes(5));
  EXPECT_EQ(Asked("b"), 1U) << "what it refused at first is never asked for again";
}

TEST_F(ListensTest, UnknownUrisAreNotAcknowledged) {
  Listener& listener = ListenTo(R"("nobody://x","switchyard://gone/x")");
  EXPECT_EQ(tests::At(listener.Take(), "/params/notifications"), Parse("{}"));
}

TEST_F(ListensTest, UpdatesComeTaggedInTheClientsForm) {
  Listener& listener = ListenTo(R"("switchyard://b/both://x","b://one")", R"("L")");
  Acknowledge("b", R"("both://x","b://one")");
  listener.Take();
  Update("b", "both://x");
  auto update = listener.Take();
  EXPECT_EQ(TextAt(update, "/method"), "notifications/resources/updated");
  EXPECT_EQ(TextAt(update, "/params/uri"), "switchyard://b/both://x");
  EXPECT_EQ(TextAt(update, kTag), "L");
  Update("b", "both://x/part#1");
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "switchyard://b/both://x/part#1");
  Update("b", "b://one?page=2");
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "switchyard://b/b://one?page=2")
      << "as lists and results write it: verbatim it would lead nowhere";
}

TEST_F(ListensTest, WhatWasNotHonouredStaysSilent) {
  Listener& listener = ListenTo(R"("a://one","a://two")");
  Update("a", "a://one");  // before it was acknowledged
  Acknowledge("a", R"("a://one")");
  listener.Take();
  Update("a", "a://two");
  Update("a", "a://two/part");
  Update("a", "");
  At("a").Say(Notification("notifications/tools/list_changed", "{}"));
  Run();
  EXPECT_TRUE(listener.heard.empty());
}

TEST_F(ListensTest, ListensAtOnceAreIndependent) {
  Listener& first = ListenTo(R"("a://one")", "1");
  Listener& second = ListenTo(R"("a://one","a://two")", "2");
  Acknowledge("a", R"("a://one")", 0);
  Acknowledge("a", R"("a://one","a://two")", 1);
  EXPECT_EQ(tests::At(first.Take(), kTag), 1);
  EXPECT_EQ(tests::At(second.Take(), kTag), 2);
  Update("a", "a://two", 1);
  EXPECT_TRUE(first.heard.empty());
  EXPECT_EQ(tests::At(second.Take(), kTag), 2);
  first.pulling.Cancel();
  Run();
  first.reply = nullptr;
  Run();
  EXPECT_TRUE(At("a", 0).dropped);
  EXPECT_FALSE(At("a", 1).dropped);
}

TEST_F(ListensTest, AServerThatGoesAwayIsAskedAgainAndThenEachUriIsUpdatedOnce) {
  Listener& listener = ListenTo(R"("a://one","a://two","b://one")");
  Acknowledge("a", R"("a://one","a://two")");
  Acknowledge("b", R"("b://one")");
  listener.Take();
  At("a").Fail({.code = Code::kUnavailable, .message = "exited"});
  Run();
  EXPECT_EQ(Asked("a"), 1U) << "not at once";
  Pass(std::chrono::seconds(1));
  ASSERT_EQ(Asked("a"), 2U);
  EXPECT_TRUE(listener.heard.empty());
  Acknowledge("a", R"("a://one","a://two")", 1);
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "a://one");
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "a://two");
  EXPECT_TRUE(listener.heard.empty());
  Update("a", "a://two", 1);
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "a://two");
}

TEST_F(ListensTest, ANewCatalogEndsThePauseBeforeAServerIsAskedAgain) {
  Listener& listener = ListenTo(R"("a://one")");
  Acknowledge("a", R"("a://one")");
  listener.Take();
  At("a").Say(ResultOf(R"({"resultType":"complete"})"));
  Run();
  router.Update(TwoWithResources(2));
  Run();
  EXPECT_EQ(Asked("a"), 2U);
}

TEST_F(ListensTest, AServerThatHangsWhenItIsAskedAgainIsAskedOnceMore) {
  Listener& listener = ListenTo(R"("a://one")");
  Acknowledge("a", R"("a://one")");
  listener.Take();
  At("a").End();
  Run();
  Pass(std::chrono::seconds(1));
  ASSERT_EQ(Asked("a"), 2U);
  Pass(Listens::kReopenPatience);
  EXPECT_TRUE(At("a", 1).dropped);
  ASSERT_EQ(Asked("a"), 3U);
  Acknowledge("a", R"("a://one")", 2);
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "a://one");
}

TEST_F(ListensTest, NothingOfAReplacedServerIsHeld) {
  Listener& listener = ListenTo(R"("a://one","b://one")");
  Acknowledge("a", R"("a://one")");
  Acknowledge("b", R"("b://one")");
  listener.Take();
  const std::weak_ptr<FakeService> old = servers["a"];
  servers["a"] = std::make_shared<FakeService>();
  router.Replaced({"a"});
  Run();
  EXPECT_TRUE(old.expired());
  EXPECT_EQ(Asked("b"), 1U);
  Acknowledge("a", R"("a://one")");
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "a://one");
}

// What a legacy session subscribed to by other means.
struct OtherNews : News {
  std::optional<mcp::Message> Take() override {
    if (due.empty()) return std::nullopt;
    mcp::Message next = std::move(due.front());
    due.pop_front();
    return next;
  }
  void OnNews(std::function<void()> to_wake) override { wake = std::move(to_wake); }
  void Say(const std::string& uri) {
    due.push_back(Notification("notifications/resources/updated", R"({"uri":")" + uri + "\"}"));
    if (wake) wake();
  }
  std::deque<mcp::Message> due;
  std::function<void()> wake;
};

TEST_F(ListensTest, OtherNewsComeAmongTheChangesUntilNobodyListens) {
  const auto news = std::make_shared<OtherNews>();
  Listener& listener = Listen(R"("toolsListChanged":true)", "5", news);
  listener.Take();  // the acknowledgement
  news->Say("x://1");
  news->Say("x://2");
  Run();
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "x://1");
  EXPECT_EQ(TextAt(listener.Take(), "/params/uri"), "x://2");
  listener.pulling.Cancel();
  Run();
  listener.reply = nullptr;
  EXPECT_FALSE(news->wake);
}

TEST_F(ListensTest, AFloodOfUpdatesForASleepingReaderIsRememberedOnceAndBounded) {
  Listener& listener = ListenTo(R"("a://one")");
  listener.limit = 1;
  Acknowledge("a", R"("a://one")");
  for (int i = 0; i < 5000; ++i) {
    At("a").Say(Notification("notifications/resources/updated",
                             R"({"uri":"a://one/)" + std::to_string(i % 2500) + "\"}"));
  }
  Run();
  listener.limit = 1'000'000;
  listener.resume.Put(true);
  Run();
  EXPECT_EQ(listener.heard.size(), 1U + 1000U + 1U) << "the acknowledgement, parts, the whole";
}

TEST_F(ListensTest, TheEndIsAResultAndLetsGoOfTheServers) {
  Listener& listener = ListenTo(R"("a://one")");
  Acknowledge("a", R"("a://one")");
  listener.Take();
  router.EndListens();
  Run();
  const auto end = listener.Take();
  EXPECT_EQ(tests::At(end, "/id"), 5);
  EXPECT_EQ(TextAt(end, "/result/resultType"), "complete");
  listener.reply = nullptr;
  Run();
  EXPECT_TRUE(At("a").dropped);
}

TEST_F(ListensTest, TooManyUrisOrOtherThingsThanUrisAreInvalid) {
  std::string many = R"("u:0")";
  for (std::size_t i = 1; i <= Listens::kMaxUris; ++i) many += ",\"u:" + std::to_string(i) + "\"";
  ASSERT_TRUE(ListenTo(many).error);
  EXPECT_EQ(listeners.back()->error->code, Code::kInvalid);
  EXPECT_TRUE(ListenTo("7").error);
  EXPECT_TRUE(Listen(R"("resourceSubscriptions":{})").error);
  EXPECT_EQ(router.listeners(), 0U);
}

}  // namespace
}  // namespace switchyard::catalog
