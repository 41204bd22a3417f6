#include "catalog/router.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/resolver.h"
#include "downstream/remote.h"
#include "support/json.h"
#include "unit/catalog/support.h"
#include "unit/core/support.h"

namespace switchyard::catalog {
namespace {

using switchyard::testing::FakeService;
using switchyard::testing::Pulled;
using testing::Merge;
using testing::TestServer;
using testing::Tool;
using tests::At;
using tests::Parse;
using tests::TextAt;

std::shared_ptr<const Catalog> Offer(std::vector<std::string> tools = {Tool("search")},
                                     int revision = 1) {
  TestServer wiki("wiki");
  wiki.Tools(std::move(tools))
      .Prompts({R"({"name":"summary"})"})
      .Resource("wiki://start")
      .Capabilities(R"({"tools":{},"prompts":{},"resources":{},"completions":{}})");
  TestServer files("files");
  files.Tools({Tool("read")}).Capabilities(R"({"tools":{}})");
  return Merge({wiki, files}, {}, revision);
}

struct RouterTest : ::testing::Test {
  net::io_context context{1};
  ManualClock clock;
  Timers timers{context, clock};
  Deps deps{.context = context, .timers = timers, .clock = clock};
  std::map<std::string, std::shared_ptr<FakeService>, std::less<>> servers = {
      {"wiki", std::make_shared<FakeService>()}, {"files", std::make_shared<FakeService>()}};
  Router router{Offer(),
                [this](std::string_view name) -> std::shared_ptr<Service> {
                  const auto found = servers.find(name);
                  return found == servers.end() ? nullptr : found->second;
                },
                deps};

  ~RouterTest() override {
    pulling.Cancel();
    Run();
  }

  Call Make(std::string_view method, std::string_view params) {
    Call call;
    call.message = mcp::Message::Make("5", method, params);
    call.client = std::make_shared<Client>();
    return call;
  }
  Result<ReplyPtr> Handle(Call& call) {
    router.Resolve(call);
    Result<ReplyPtr> got;
    Spawn(context.get_executor(), "call",
          [](Router& to, Call& with, Result<ReplyPtr>& out) -> Task<void> {
            out = co_await to.Handle(with);
          }(router, call, got));
    Run();
    return got;
  }
  std::optional<Pulled> Next(Reply& reply) {
    auto got = std::make_shared<std::optional<Pulled>>();
    pulling = TaskHandle(context.get_executor(), "pull",
                         [](Reply& from, std::shared_ptr<std::optional<Pulled>> out) -> Task<void> {
                           Pulled next = co_await from.Next();
                           *out = std::move(next);
                         }(reply, got));
    Run();
    last = got;
    return std::move(*got);
  }
  // What a method that the router answers itself gives: the response, or the error.
  tests::json::value Answer(std::string_view method, std::string_view params = "{}") {
    Call call = Make(method, params);
    Result<ReplyPtr> reply = Handle(call);
    if (!reply) {
      error = reply.error();
      return nullptr;
    }
    return Parse((**Next(**reply))->ToText());
  }
  void Run() {
    context.restart();
    context.poll();
  }

  TaskHandle pulling;
  std::shared_ptr<std::optional<Pulled>> last;
  Error error;
};

TEST_F(RouterTest, ALogLevelCanBeSetWhereAServerLogs) {
  EXPECT_TRUE(Answer("logging/setLevel", R"({"level":"error"})").is_null());
  EXPECT_EQ(error.rpc_code, -32601);
  TestServer files("files");
  files.Tools({Tool("read")}).Capabilities(R"({"tools":{},"logging":{}})");
  router.Update(Merge({files}, {}, 2));
  EXPECT_EQ(At(Answer("logging/setLevel", R"({"level":"error"})"), "/result"),
            Parse(R"({"resultType":"complete"})"));
  EXPECT_TRUE(servers["files"]->seen.empty()) << "each call says its own level";
}

TEST_F(RouterTest, SendsACallToTheOneWhoHasItUnderItsOwnName) {
  Call call = Make("tools/call", R"({"name":"wiki__search"})");
  ASSERT_TRUE(Handle(call)) << "wiki__search";
  EXPECT_EQ(call.target.server, "wiki");
  EXPECT_EQ(call.target.name, "search");
  ASSERT_NE(call.target.definition, nullptr);
  EXPECT_EQ(call.target.definition->exposed, "wiki__search");
  EXPECT_EQ(servers["wiki"]->seen.size(), 1U);
  EXPECT_TRUE(servers["files"]->seen.empty());
  Call prompt = Make("prompts/get", R"({"name":"wiki__summary"})");
  ASSERT_TRUE(Handle(prompt));
  EXPECT_EQ(prompt.target.name, "summary");
  Call resource = Make("resources/read", R"({"uri":"wiki://start"})");
  ASSERT_TRUE(Handle(resource));
  EXPECT_EQ(resource.target.server, "wiki");
}

TEST_F(RouterTest, UnknownNamesAreInvalidParamsThatNameThem) {
  EXPECT_EQ(Answer("tools/call", R"({"name":"nothing"})"), nullptr);
  EXPECT_EQ(error.code, Code::kNotFound);
  EXPECT_EQ(error.message, "unknown tool: nothing");
  Answer("tools/call", "{}");
  EXPECT_EQ(error.message, "unknown tool: ");
  Answer("prompts/get", R"({"name":"nothing"})");
  EXPECT_EQ(error.message, "unknown prompt: nothing");
}

TEST_F(RouterTest, ANameThatLeadsNowhereLeavesTheTargetToPoliciesEmpty) {
  Call call = Make("tools/call", R"({"name":"nothing"})");
  router.Resolve(call);
  EXPECT_EQ(call.target.server, "");
  EXPECT_EQ(call.target.definition, nullptr);
}

TEST_F(RouterTest, ATargetSaysWhenUrisReadOtherwise) {
  const auto uris = [this](std::string_view method, std::string_view params) {
    Call call = Make(method, params);
    router.Resolve(call);
    return call.target.others->UriViewOf(call.target.server);
  };
  TestServer wiki("wiki"), other("other");
  wiki.Tools({Tool("search")}).Resource("wiki://start");
  const auto before = uris("tools/call", R"({"name":"wiki__search"})");
  router.Update(Merge({wiki, other.Resource("wiki://start")}, {}, 2));
  EXPECT_NE(uris("tools/call", R"({"name":"wiki__search"})"), before);
  EXPECT_NE(uris("resources/read", R"({"uri":"wiki://start"})"), before);
}

TEST_F(RouterTest, AServerThatIsConfiguredNoMoreReadsLikeAMissingTool) {
  Call call = Make("tools/call", R"({"name":"wiki__search"})");
  router.Resolve(call);
  servers.clear();
  const Result<ReplyPtr> reply = Handle(call);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().message, "unknown tool: wiki__search");
}

TEST_F(RouterTest, CompletionReferencesAreRenamedOnTheWay) {
  Call call = Make("completion/complete",
                   R"({"ref":{"type":"ref/prompt","name":"wiki__summary","title":"t"},)"
                   R"("argument":{"name":"a","value":"b"}})");
  ASSERT_TRUE(Handle(call));
  const auto sent = Parse(servers["wiki"]->last_call->message);
  EXPECT_EQ(TextAt(sent, "/params/ref/name"), "summary");
  EXPECT_EQ(TextAt(sent, "/params/ref/title"), "t");
  EXPECT_EQ(TextAt(sent, "/params/argument/value"), "b");
  Call resource =
      Make("completion/complete", R"({"ref":{"type":"ref/resource","uri":"wiki://start"}})");
  EXPECT_TRUE(Handle(resource));
}

TEST_F(RouterTest, CompletionReferencesThatLeadNowhereAreRefused) {
  for (const char* params :
       {"{}", R"({"ref":7})", R"({"ref":{"type":"ref/prompt"}})",
        R"({"ref":{"type":"ref/prompt","name":"nothing"}})", R"({"ref":{"name":"wiki__summary"}})",
        R"({"ref":{"type":7,"name":"wiki__summary"}})"}) {
    EXPECT_EQ(Answer("completion/complete", params), nullptr) << params;
    EXPECT_EQ(error.message, "unknown completion reference") << params;
  }
}

TEST_F(RouterTest, WhatNoServerOffersIsAnUnknownMethod) {
  router.Update(Merge({TestServer("files").Capabilities(R"({"tools":{}})")}, {}, 2));
  for (const char* method : {"prompts/list", "prompts/get", "resources/list", "completion/complete",
                             "tasks/get", "nonsense"}) {
    EXPECT_EQ(Answer(method), nullptr) << method;
    EXPECT_EQ(error.rpc_code, -32601) << method;
  }
  EXPECT_TRUE(At(Answer("tools/list"), "/result/tools").is_array());
}

TEST_F(RouterTest, LegacyMethodsGoToNoServer) {
  EXPECT_EQ(Answer("resources/subscribe", R"({"uri":"wiki://start"})"), nullptr);
  EXPECT_EQ(error.rpc_code, -32601);
  EXPECT_TRUE(servers["wiki"]->seen.empty());
}

TEST_F(RouterTest, ListsAndDiscoverAreAnsweredHere) {
  const auto list = Answer("tools/list");
  EXPECT_EQ(At(list, "/id"), 5);
  EXPECT_EQ(tests::Each(At(list, "/result/tools"), "name"),
            (std::vector<std::string>{"files__read", "wiki__search"}));
  EXPECT_TRUE(At(Answer("tools/list", R"({"cursor":null})"), "/result").is_object());
  for (const char* cursor : {R"("forged")", "5", "{}", "[]", "true"}) {
    EXPECT_EQ(Answer("tools/list", std::string(R"({"cursor":)") + cursor + "}"), nullptr) << cursor;
  }
  EXPECT_EQ(error.code, Code::kInvalid);
  const auto discovered = At(Answer("server/discover"), "/result");
  EXPECT_EQ(TextAt(discovered, "/supportedVersions/0"), "2026-07-28");
  EXPECT_TRUE(At(discovered, "/capabilities/prompts").is_object());
  EXPECT_EQ(TextAt(discovered, "/_meta/io.modelcontextprotocol~1serverInfo/name"), "switchyard");
  EXPECT_TRUE(servers["wiki"]->seen.empty());
}

struct ListenTest : RouterTest {
  Call call = Make("subscriptions/listen",
                   R"({"notifications":{"toolsListChanged":true,"promptsListChanged":false,)"
                   R"("unheardOf":true}})");
  ReplyPtr reply = std::move(*Handle(call));

  tests::json::value Heard() {
    const auto next = Next(*reply);
    return next ? Parse((*next)->value().ToText()) : tests::json::value();
  }
};

TEST_F(ListenTest, FirstComesTheAcknowledgementOfWhatIsHonoured) {
  const auto ack = Heard();
  EXPECT_EQ(TextAt(ack, "/method"), "notifications/subscriptions/acknowledged");
  EXPECT_EQ(At(ack, "/params/notifications"), Parse(R"({"toolsListChanged":true})"));
  EXPECT_EQ(At(ack, "/params/_meta/io.modelcontextprotocol~1subscriptionId"), 5);
}

TEST_F(ListenTest, ThenOneNotificationAChangeAndOnlyOfWhatWasAskedFor) {
  Heard();
  EXPECT_EQ(Heard(), nullptr);
  router.Update(Offer({Tool("search"), Tool("more")}, 2));
  router.Update(Offer({Tool("search"), Tool("other")}, 3));
  Run();
  EXPECT_FALSE(*last) << "others may still serve the old one";
  router.Announce();
  Run();
  ASSERT_TRUE(*last);
  const auto changed = Parse((**last)->value().ToText());
  EXPECT_EQ(TextAt(changed, "/method"), "notifications/tools/list_changed");
  EXPECT_EQ(At(changed, "/params/_meta/io.modelcontextprotocol~1subscriptionId"), 5);
  EXPECT_EQ(Heard(), nullptr) << "two changes at once are one piece of news";
}

TEST_F(ListenTest, ACatalogWithTheSameListsIsNoNews) {
  Heard();
  router.Update(Offer({Tool("search")}, 2));
  router.Announce();
  EXPECT_EQ(Heard(), nullptr);
}

TEST_F(ListenTest, TheEndIsAResult) {
  Heard();
  router.EndListens();
  const auto end = Heard();
  EXPECT_EQ(At(end, "/id"), 5);
  EXPECT_EQ(TextAt(end, "/result/resultType"), "complete");
  EXPECT_EQ(At(end, "/result/_meta/io.modelcontextprotocol~1subscriptionId"), 5);
}

TEST_F(ListenTest, ADroppedReplyListensNoMore) {
  EXPECT_EQ(router.listeners(), 1U);
  reply = nullptr;
  EXPECT_EQ(router.listeners(), 0U);
}

TEST_F(RouterTest, AListenWithoutAFilterIsInvalid) {
  for (const char* params : {"{}", R"({"notifications":true})", R"({"notifications":[]})"}) {
    EXPECT_EQ(Answer("subscriptions/listen", params), nullptr);
    EXPECT_EQ(error.code, Code::kInvalid);
  }
}

TEST_F(RouterTest, ACallKeepsItsCatalogAndItsServerAcrossAReload) {
  Call call = Make("tools/call", R"({"name":"wiki__search"})");
  Result<ReplyPtr> reply = Handle(call);
  ASSERT_TRUE(reply);
  const std::weak_ptr<FakeService> server = servers["wiki"];
  servers.clear();
  router.Update(Merge({}, {}, 2));
  EXPECT_FALSE(server.expired());
  EXPECT_EQ(call.target.definition->name, "search");
  reply = nullptr;
  call = Call();
  EXPECT_TRUE(server.expired());
}

TEST_F(RouterTest, AnotherCallFindsTheMemberOfAGroupThatACallByItsNameWouldGoTo) {
  std::map<std::string, std::size_t, std::less<>> load = {{"a", 1}, {"b", 0}};
  const auto with = [](const std::vector<TestServer>& of_group, int revision) {
    Catalog::Options options;
    options.view.groups = {{.name = "g", .prefix = "g", .servers = {"a", "b"}, .by_load = true}};
    std::vector<TestServer> all = of_group;
    all.push_back(TestServer("wiki").Tools({Tool("search")}));
    return Merge(all, std::move(options), revision);
  };
  const TestServer a = TestServer("a").Tools({Tool("t")});
  TestServer b = TestServer("b").Tools({Tool("t")});
  Router grouped(with({a, b}, 1), [](std::string_view) { return nullptr; }, deps, nullptr,
                 {.load = [&load](std::string_view server) { return load.find(server)->second; }});
  Call call = Make("tools/call", R"({"name":"wiki__search"})");
  const auto found = [&](std::string_view server, std::string_view tool) {
    const Definition* const other = call.target.others->FindToolOf(server, tool);
    return other == nullptr ? "none" : other->server;
  };
  grouped.Resolve(call);
  EXPECT_EQ(found("", "g__t"), "b") << "a has more to do";
  EXPECT_EQ(found("a", "t"), "a") << "it is meant by itself";
  EXPECT_EQ(found("", "wiki__search"), "wiki");
  EXPECT_EQ(found("", "g__u"), "none");
  grouped.Update(with({a, b.Kept("gone")}, 2));
  EXPECT_EQ(found("", "g__t"), "b") << "a call has the catalog that it began with";
  grouped.Resolve(call);
  EXPECT_EQ(found("", "g__t"), "a") << "b is down";
}

TEST_F(RouterTest, TheCopyOfACallThatGoesToAnotherThreadDoesNotHoldTheWayThatIsThisThreads) {
  Call call = Make("tools/call", R"({"name":"wiki__search"})");
  ASSERT_TRUE(Handle(call));
  const downstream::OwnedCall copy(call);
  const std::weak_ptr<FakeService> server = servers["wiki"];
  servers.clear();
  call = Call();
  EXPECT_TRUE(server.expired());
  EXPECT_EQ(copy.call.target.definition->name, "search") << "the catalog is anybody's";
}

}  // namespace
}  // namespace switchyard::catalog
