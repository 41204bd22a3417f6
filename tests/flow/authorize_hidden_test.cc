// What does not exist for a caller meets nothing that an unknown name does not meet, and stands in
// nobody's way.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flow/authorize.h"
#include "support/metrics_page.h"

namespace switchyard::tests {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

using AuthorizeHidden = Authorize;
INSTANTIATE_TEST_SUITE_P(Era, AuthorizeHidden, ::testing::Values(Era::kModern, Era::kLegacy),
                         EraWord);

TEST_P(AuthorizeHidden, MeetsNoContextBudgetOfItsOwn) {
  gateway.Serves("a", fake,
                 "tool_policies: {mirror: {context_budget: {total: 2000, max_fraction: 1, "
                 "reserved: {system: 0, response: 0}}}}");
  gateway.With("policies", "{authorize: {rules: [{effect: allow, what: {tool: echo}}]}}").Start();
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "word ";
  ExpectAlike({.method = "tools/call",
               .members = R"("name":"a__mirror","arguments":{"text":")" + text + R"("})"},
              "a__mirror", "a__zzzzzz");
}

TEST_P(AuthorizeHidden, IsAToolOfTheGatewayThatNothingVisibleAsksFor) {
  gateway.Serves("a", fake, "tool_policies: {mirror: {result_cap: {max_bytes: 2KiB}}}");
  gateway.With("policies", "{authorize: {rules: [{effect: allow, what: {tool: echo}}]}}").Start();
  EXPECT_THAT(NewClient()->Tools(), Not(Contains("switchyard_read_result")));
  ExpectAlike({.method = "tools/call",
               .members = R"("name":"switchyard_read_result","arguments":{"handle":"x"})"},
              "switchyard_read_result", "switchyard_read_zzzzzz");
  gateway.With("policies", "{authorize: {rules: [{effect: allow, what: {tool: mirror}}]}}");
  gateway.Reload();
  EXPECT_THAT(NewClient()->Tools(), Contains("switchyard_read_result"));
  const Answer unknown = NewClient()->Call("switchyard_read_result", R"({"handle":"x"})");
  EXPECT_EQ(unknown.code(), 0) << "it is asked: " << unknown;
}

TEST_P(AuthorizeHidden, IsAWholeKindOfThings) {
  Start("{effect: allow, what: {tool: echo}}");
  const auto client = NewClient();
  for (const Ask& ask :
       {Ask{.method = "prompts/get", .members = R"("name":"a__greet","arguments":{"who":"x"})"},
        Ask{.method = "prompts/list"},
        Ask{.method = "resources/read", .members = R"("uri":"fake://a/one")"},
        Ask{.method = "completion/complete",
            .members = R"("ref":{"type":"ref/prompt","name":"a__greet"},)"
                       R"("argument":{"name":"who","value":"x"})"}}) {
    EXPECT_EQ(client->Request(ask).code(), -32601) << ask.method;
  }
  EXPECT_THAT(fake.received("prompts/get"), IsEmpty());
}

TEST_P(AuthorizeHidden, StandsInNobodysWayForTheSameUri) {
  FakeServer first = FakeServer::Modern("shop"), second = FakeServer::Modern("shop");
  gateway.Serves("k", first).Serves("l", second);
  gateway.With("policies", "{authorize: {rules: [{effect: allow, what: {server: l}}]}}").Start();
  const auto client = NewClient();
  EXPECT_EQ(
      client->Request({.method = "resources/read", .members = R"("uri":"fake://shop/one")"}).code(),
      0);
  EXPECT_EQ(
      client->Request({.method = "resources/read", .members = R"("uri":"fake://shop/item/7")"})
          .code(),
      0);
  EXPECT_THAT(first.received("resources/read"), IsEmpty());
  EXPECT_EQ(second.received("resources/read").size(), 2U);
}

TEST_P(AuthorizeHidden, IsSaidInTheLogAndCountedOnce) {
  Start("{name: no-mirror, effect: deny, what: {tool: mirror}}, {effect: allow}");
  NewClient()->Call("a__mirror", R"({"text":"x"})");
  EXPECT_TRUE(Shows(gateway, R"(switchyard_authorize_decisions_total{outcome="hidden",)"
                             R"(rule="no-mirror"} 1)"));
}

TEST_P(AuthorizeHidden, IsNotProposedWhereATemplateIsCompleted) {
  fake.surface().OnMethod("completion/complete", [](Turn& turn) {
    turn.Result(R"("completion":{"values":["open","secret","se/../cret","open2"],"total":4})");
  });
  const Ask ask{.method = "completion/complete",
                .members = R"("ref":{"type":"ref/resource","uri":"fake://a/item/{id}"},)"
                           R"("argument":{"name":"id","value":""})"};
  Start("{effect: allow, what: {resource: 'fake://a/item/open*'}}");
  const Answer some = NewClient()->Request(ask);
  EXPECT_EQ(some.at("/result/completion/values"), Parse(R"(["open","open2"])")) << some;
  EXPECT_FALSE(some.Contains("total")) << "it would count what is hidden: " << some;
  gateway.With("policies",
               "{authorize: {rules: [{effect: allow}, {effect: deny, what: {resource: "
               "'*secret'}}]}}");
  gateway.Reload();
  const Answer most = NewClient()->Request(ask);
  EXPECT_EQ(most.at("/result/completion/values"), Parse(R"(["open","se/../cret","open2"])"));
  gateway.With("policies", "{authorize: {rules: [{effect: allow, what: {resource: 'b://*'}}]}}");
  gateway.Reload();
  EXPECT_NE(NewClient()->Request(ask).code(), 0) << "the template is not there";
}

TEST_P(AuthorizeHidden, StaysSoHoweverItsUriIsWritten) {
  fake.ExpectComplaints();
  Start(
      "{effect: allow}, {effect: deny, what: {resource: ['fake://a/item/secret*', "
      "'fake://a/t%77o']}}");
  const auto read = [this](const std::string& uri) {
    return NewClient()->Request({.method = "resources/read", .members = R"("uri":)" + Quote(uri)});
  };
  for (const char* uri :
       {"fake://a/item/secret", "fake://a/item/%73ecret", "FAKE://a/item/secret",
        "fake://A/item/secret", "fake://a/item/x/../secret", "fake://a/item/./secret",
        "fake://a/item/x/%2e%2E/secret", "fake://a/item/x%2f..%2Fsecret", "fake://a/item//secret",
        "fake://a/item\\secret", "fake://a/two", "fake://a/%74wo"}) {
    const Answer answer = read(uri);
    EXPECT_NE(answer.code(), 0) << uri << ": " << answer;
  }
  EXPECT_THAT(fake.received("resources/read"), IsEmpty());
  EXPECT_EQ(read("fake://a/item/x%20y").code(), 0);
  ASSERT_EQ(fake.received("resources/read").size(), 1U);
  EXPECT_EQ(TextAt(fake.received("resources/read")[0].message, "/params/uri"),
            "fake://a/item/x%20y")
      << "as the client wrote it";
}

// Raw JSON and the header beside it: names that are the hidden one in some reader's eyes, or are
// that one written otherwise.
TEST_P(AuthorizeHidden, StaysSoHoweverItsNameIsWritten) {
  struct Row {
    std::string json, header;
  };
  Start("{effect: allow, what: {tool: echo}}");
  const std::string base64 = "=?base64?YV9fbWlycm9y?=";  // a__mirror
  for (const Row& row :
       std::vector<Row>{{R"(a__mirr\u006fr)", "a__mirror"},
                        {R"(\u0061\u005f\u005fmirror)", "a__mirror"},
                        {"a__mirror", base64},
                        {"A__MIRROR", "A__MIRROR"},
                        {"a__Mirror", "a__Mirror"},
                        {"\xef\xbd\x81__mirror", "=?base64?772BX19taXJyb3I=?="},  // full-width a
                        {"a__mirr\xd0\xbe"
                         "r",
                         "=?base64?YV9fbWlyctC+cg==?="},  // Cyrillic o
                        {R"(a__mirror\u0000)", "=?base64?YV9fbWlycm9yAA==?="},
                        {R"(a__mirror )", "=?base64?YV9fbWlycm9yIA==?="},
                        {R"(a__mir\u200bror)", "=?base64?YV9fbWly4oCLcm9y?="},  // no width
                        {R"(a__mirror\u0301)", "=?base64?YV9fbWlycm9yzIE=?="},  // an accent
                        {R"(\u202ea__mirror)", "=?base64?4oCuYV9fbWlycm9y?="},  // right to left
                        {R"(a__mirror\ud800)", "a__mirror"},                    // half a pair
                        {"a__\xc1\xadirror", "a__mirror"},                      // m in two bytes
                        {"a__%6dirror", "a__%6dirror"},
                        {"a__x/../mirror", "a__x/../mirror"},
                        {R"(mirror)", "mirror"}}) {
    const auto client = NewClient();
    Ask ask{.method = "tools/call",
            .members = R"("name":")" + row.json + R"(","arguments":{"text":"x"})"};
    if (client->modern()) ask.headers["Mcp-Name"] = row.header;
    const Answer answer = client->Request(ask);
    EXPECT_NE(answer.status, 0) << row.json;
    EXPECT_TRUE(answer.code() != 0 || answer.status == 400) << row.json << ": " << answer;
    EXPECT_FALSE(answer.Contains("authorize")) << answer;
  }
  EXPECT_THAT(fake.received("tools/call"), IsEmpty());
  EXPECT_EQ(NewClient()->Call("a__echo", R"({"text":"x"})").text(), "x") << "all is well";
}

TEST_P(AuthorizeHidden, CallersAreToldWhenAReloadOfRulesAloneChangesTheirLists) {
  Start("{effect: allow, what: {tool: echo}}");
  ModernClient client = gateway.Modern();
  Exchange listen = client.Begin(
      {.method = "subscriptions/listen",
       .members = R"("notifications":{"toolsListChanged":true,"promptsListChanged":true})"});
  ASSERT_TRUE(listen.NextEvent());
  gateway.With("policies", "{authorize: {rules: [{effect: allow, what: {tool: [echo, exact]}}]}}");
  gateway.Reload();
  const std::string told = listen.NextEvent().value_or("");
  EXPECT_NE(told.find("notifications/tools/list_changed"), std::string::npos) << told;
}

TEST(AuthorizeSubscriptions, NoUpdateTellsOfAPartThatIsHidden) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake)
      .With("policies",
            "{authorize: {rules: [{effect: allow, what: {resource: 'fake://a/*'}}, {effect: "
            "allow, what: {tool: touch}}, {effect: deny, what: {resource: '*/secret*'}}]}}")
      .Start();
  ModernClient client = gateway.Modern();
  Exchange listen =
      client.Begin({.method = "subscriptions/listen",
                    .members = R"("notifications":{"resourceSubscriptions":["fake://a/one"]})"});
  ASSERT_TRUE(listen.NextEvent());
  for (const char* uri : {"fake://a/one/secret", "fake://a/one/open"}) {
    EXPECT_EQ(gateway.Modern().Call("a__touch", R"({"uri":)" + Quote(uri) + "}").text(), "ok");
  }
  const std::string told = listen.NextEvent().value_or("");
  EXPECT_NE(told.find("fake://a/one/open"), std::string::npos) << told;
}

TEST(AuthorizeSubscriptions, OfWhatMayOnlyBeCompletedAreNotHonoured) {
  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;
  gateway.Serves("a", fake)
      .With("policies",
            "{authorize: {rules: [{effect: allow, what: {resource: 'fake://a/one'}}, {effect: "
            "allow, what: {resource: 'fake://a/*', methods: completion/complete}}]}}")
      .Start();
  ModernClient client = gateway.Modern();
  Exchange listen = client.Begin(
      {.method = "subscriptions/listen",
       .members = R"("notifications":{"resourceSubscriptions":["fake://a/one","fake://a/two"]})"});
  const std::string acknowledged = listen.NextEvent().value_or("");
  EXPECT_NE(acknowledged.find(R"("resourceSubscriptions":["fake://a/one"])"), std::string::npos)
      << acknowledged;
}

}  // namespace
}  // namespace switchyard::tests
