// What a client gets through the gateway, whatever era it and the server speak and whatever carries
// the server. Faults of this matrix are in matrix_faults_test.cc.
#include "flow/matrix.h"

#include <algorithm>

#include "support/standard_tools.h"

namespace switchyard::tests {
namespace {

INSTANTIATE_TEST_SUITE_P(All, Matrix, AllCombinations(), NameOf);

// ---- lists

TEST_P(Matrix, AListHasAllPagesOfTheServerUnderItsPrefixInItsOrder) {
  Begin();
  const std::vector<std::string> tools = client->Tools();
  ASSERT_GT(tools.size(), 20u);
  EXPECT_TRUE(std::ranges::all_of(tools, [](const auto& name) { return name.starts_with("a__"); }));
  EXPECT_TRUE(std::ranges::is_sorted(tools));  // as the fake lists them
  EXPECT_EQ(client->List("prompts/list", "prompts"),
            (std::vector<std::string>{"a__greet", "a__thank", "a__leave"}));
  EXPECT_EQ(client->List("resources/list", "resources", "uri"),
            (std::vector<std::string>{"fake://a/one", "fake://a/two", "fake://a/three"}));
  EXPECT_EQ(client->List("resources/templates/list", "resourceTemplates", "uriTemplate"),
            (std::vector<std::string>{"fake://a/item/{id}"}));
}

TEST_P(Matrix, TheSameListReadsTheSameTwice) {
  Begin();
  const Answer first = client->Request({.method = "tools/list", .id = "1"});
  const Answer second = NewClient()->Request({.method = "tools/list", .id = "1"});
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, second.body);
}

TEST_P(Matrix, AListInPagesIsTheSameListInPages) {
  gateway.With("page_size", "5");
  Begin();
  const Answer page = client->Request({.method = "tools/list"});
  EXPECT_EQ(page.at("/result/tools").as_array().size(), 5u) << page;
  const std::vector<std::string> tools = client->Tools();
  EXPECT_GT(tools.size(), 20u);
  EXPECT_TRUE(std::ranges::is_sorted(tools));
}

TEST_P(Matrix, AListCarriesWhatItsEraWantsAndNothingElse) {
  Begin();
  const Answer list = client->Request({.method = "tools/list"});
  const bool modern = client->modern();
  EXPECT_EQ(!list.at("/result/resultType").is_null(), modern) << list;
  EXPECT_EQ(list.at("/result/ttlMs").is_int64(), modern);
  EXPECT_EQ(!list.at("/result/cacheScope").is_null(), modern);
}

TEST_P(Matrix, IncludeAndExcludeSayWhatIsOffered) {
  Begin("tools: {include: [e*, hold], exclude: [end*, \"e?act\"]}");
  EXPECT_EQ(client->Tools(), (std::vector<std::string>{"a__echo", "a__hold"}));
  EXPECT_EQ(client->Call("a__pid").code(), -32602);
  complaints_expected = true;  // they cannot be asked for
}

TEST_P(Matrix, AnEndpointShowsItsPart) {
  gateway.With("endpoints", "{part: {tools: {include: [a__echo]}}}");
  Begin();
  client = NewClient("/mcp/part");
  EXPECT_EQ(client->Tools(), (std::vector<std::string>{"a__echo"}));
  EXPECT_EQ(client->Call("a__echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(client->Call("a__pid").code(), -32602);
}

TEST_P(Matrix, ATransparentEndpointRenamesNothing) {
  gateway.With("endpoints", "{plain: {servers: [a], transparent: true}}");
  Begin();
  client = NewClient("/mcp/plain");
  EXPECT_TRUE(Contains(client->Tools(), "echo"));
  EXPECT_EQ(client->Call("echo", R"({"text":"x"})").text(), "x");
  EXPECT_EQ(client->Call("a__echo").code(), -32602);
}

// ---- calls

TEST_P(Matrix, ArgumentsAndUnknownMembersReachTheServerByteForByte) {
  Begin();
  const std::string arguments = R"({ "b":1.50e+1, "a":[1 ,2], "\u00e9":"\ud83d\ude00\/", "z":{} })";
  const Answer answer = client->Request(
      {.method = "tools/call",
       .members = R"("name":"a__mirror","arguments":)" + arguments + R"(,"x-more":{"k" : 0.10})",
       .meta =
           R"("example.com/own":{"deep":[ 1.0 ]},"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")"});
  const std::string arrived = answer.text();
  EXPECT_NE(arrived.find(R"("arguments":)" + arguments), std::string::npos) << arrived;
  EXPECT_NE(arrived.find(R"("x-more":{"k" : 0.10})"), std::string::npos) << arrived;
  EXPECT_NE(arrived.find(R"("example.com/own":{"deep":[ 1.0 ]})"), std::string::npos) << arrived;
  EXPECT_EQ(TextAt(Parse(arrived), "/params/name"), "mirror");
}

TEST_P(Matrix, NoArgumentsAreMadeUp) {
  Begin();
  const Answer answer =
      client->Request({.method = "tools/call", .members = R"("name":"a__mirror")"});
  const json::value arrived = Parse(answer.text());
  EXPECT_EQ(TextAt(arrived, "/params/name"), "mirror") << answer;
  EXPECT_TRUE(At(arrived, "/params/arguments").is_null()) << answer.text();
}

TEST_P(Matrix, AResultComesBackByteForByteInItsClientsEra) {
  Begin();
  const Answer answer = client->Call("a__exact");
  EXPECT_TRUE(answer.Contains(kExactContent)) << answer;
  EXPECT_EQ(TextAt(answer.message(), "/result/resultType"), client->modern() ? "complete" : "");
}

TEST_P(Matrix, AnIdComesBackAsItWasSent) {
  Begin();
  for (const char* id : {"7", R"("7")", R"("\u00e9 \/")", "9007199254740993", "-1"}) {
    const Answer answer =
        client->Request({.method = "tools/call",
                         .members = R"("name":"a__echo","arguments":{"text":"x"})",
                         .id = id});
    EXPECT_TRUE(answer.Contains(std::string(R"("id":)") + id)) << answer;
    EXPECT_EQ(answer.text(), "x");
  }
}

TEST_P(Matrix, AnErrorResultStaysAResult) {
  Begin();
  const Answer answer = client->Call("a__fail");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("/result/isError"), true) << answer;
  EXPECT_EQ(answer.text(), "as asked");
}

TEST_P(Matrix, AnErrorOfTheServerComesThroughWithItsData) {
  Begin();
  const Answer answer = client->Call("a__refuse", R"({"code":1234})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.code(), 1234) << answer;
  EXPECT_EQ(TextAt(answer.message(), "/error/message"), "as asked");
  EXPECT_EQ(TextAt(answer.message(), "/error/data/why"), "asked");
}

TEST_P(Matrix, AnUnknownToolIsInvalidParamsAndNoBrokenTransport) {
  Begin();
  for (const char* name : {"a__no_such_tool", "b__echo", "echo", ""}) {
    const Answer answer = client->Call(name);
    EXPECT_EQ(answer.status, 200) << name;
    EXPECT_EQ(answer.code(), -32602) << name << ": " << answer;
  }
}

TEST_P(Matrix, BigArgumentsAndResultsComeThroughIntact) {
  Begin();
  const std::string text(1 << 20, 'q');
  EXPECT_EQ(client->Call("a__echo", R"({"text":")" + text + "\"}").text(), text);
  EXPECT_EQ(client->Call("a__big", R"({"bytes":1048576})").text(), std::string(1 << 20, 'b'));
}

TEST_P(Matrix, CallsOfTwoClientsWithTheSameIdDoNotCross) {
  Begin();
  const std::unique_ptr<Client> other = NewClient();
  const auto hold = [](const char* label) {
    return Ask{.method = "tools/call",
               .members = R"("name":"a__hold","arguments":{"label":")" + std::string(label) + "\"}",
               .id = "1"};
  };
  Exchange first = client->Begin(hold("one"));
  Exchange second = other->Begin(hold("two"));
  ASSERT_TRUE(Happens("started:one"));
  ASSERT_TRUE(Happens("started:two"));
  Release("two");
  EXPECT_EQ(second.Finish().text(), "released two");
  Release("one");
  EXPECT_EQ(first.Finish().text(), "released one");
}

// ---- the rest of the surface

TEST_P(Matrix, PromptsAreRenderedByTheirServer) {
  Begin();
  const Answer answer = client->Request(
      {.method = "prompts/get", .members = R"("name":"a__greet","arguments":{"who":"Ada"})"});
  EXPECT_EQ(TextAt(answer.message(), "/result/messages/0/content/text"), "greet Ada by a")
      << answer;
  EXPECT_EQ(client->Request({.method = "prompts/get", .members = R"("name":"a__none")"}).code(),
            -32602);
}

TEST_P(Matrix, ResourcesAreReadByUriAlsoThroughATemplate) {
  Begin();
  for (const char* uri : {"fake://a/two", "fake://a/item/7"}) {
    const Answer answer =
        client->Request({.method = "resources/read", .members = R"("uri":)" + Quote(uri)});
    EXPECT_EQ(TextAt(answer.message(), "/result/contents/0/text"), "text of " + std::string(uri))
        << answer;
    EXPECT_EQ(TextAt(answer.message(), "/result/contents/0/uri"), uri);
    EXPECT_EQ(answer.at("/result/ttlMs").is_int64(), client->modern());
  }
}

TEST_P(Matrix, AnUnknownResourceIsSaidAsTheErasSayIt) {
  Begin();
  for (const char* uri : {"fake://a/none", "other://x"}) {
    const Answer answer =
        client->Request({.method = "resources/read", .members = R"("uri":)" + Quote(uri)});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.code(), client->modern() ? -32602 : -32002) << uri << ": " << answer;
  }
}

TEST_P(Matrix, CompletionIsAskedOfTheServerUnderItsOwnNames) {
  Begin();
  const Answer prompt = client->Request(
      {.method = "completion/complete",
       .members =
           R"("ref":{"type":"ref/prompt","name":"a__greet"},"argument":{"name":"who","value":"A"})"});
  EXPECT_EQ(prompt.at("/result/completion/values"), Parse(R"(["greet","A!"])")) << prompt;
  const Answer resource = client->Request(
      {.method = "completion/complete",
       .members =
           R"("ref":{"type":"ref/resource","uri":"fake://a/item/{id}"},"argument":{"name":"id","value":"1"})"});
  EXPECT_EQ(resource.at("/result/completion/values"), Parse(R"(["fake://a/item/{id}","1!"])"))
      << resource;
}

TEST_P(Matrix, PingIsForLegacyClients) {
  Begin();
  const Answer answer = client->Request({.method = "ping"});
  if (client->modern()) {
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), -32601);
  } else {
    EXPECT_EQ(answer.at("/result"), json::object()) << answer;
  }
}

TEST_P(Matrix, ProgressComesUnderTheClientsOwnTokenAndBeforeTheAnswer) {
  Begin();
  for (const char* token : {"7", R"("p\u00e9")"}) {
    const Answer answer =
        client->Call("a__progress", R"({"steps":3})", R"("progressToken":)" + std::string(token));
    ASSERT_EQ(answer.events.size(), 3u) << answer;
    double last = 0;
    for (const std::string& event : answer.events) {
      const json::value progress = Parse(event);
      EXPECT_EQ(TextAt(progress, "/method"), "notifications/progress");
      EXPECT_NE(event.find(R"("progressToken":)" + std::string(token)), std::string::npos) << event;
      EXPECT_GT(At(progress, "/params/progress").to_number<double>(), last);
      last = At(progress, "/params/progress").to_number<double>();
    }
    EXPECT_EQ(answer.text(), "done");
    EXPECT_TRUE(answer.complete);
  }
}

TEST_P(Matrix, ProgressThatNobodyAskedForDoesNotCome) {
  Begin();
  const Answer answer = client->Call("a__progress", R"({"steps":3})");
  EXPECT_EQ(answer.text(), "done");
  EXPECT_TRUE(answer.events.empty()) << answer;
}

TEST_P(Matrix, ACancelledCallIsCancelledInTheServer) {
  Begin();
  Exchange call = client->BeginCall("a__hold", R"({"label":"x"})");
  ASSERT_TRUE(Happens("started:x"));
  client->Cancel(call);
  EXPECT_TRUE(Happens("cancelled:x"));
  if (!client->modern()) {
    EXPECT_EQ(call.Finish().body, "");
  }
  EXPECT_EQ(client->Call("a__echo", R"({"text":"after"})").text(), "after");
}

TEST_P(Matrix, AListChangeReachesListeners) {
  Begin();
  Exchange stream = client->modern()
                        ? static_cast<ModernClient&>(*client).Listen(R"("toolsListChanged":true)")
                        : static_cast<LegacyClient&>(*client).OpenStream();
  EXPECT_EQ(stream.status(), 200);
  EXPECT_EQ(client->Call("a__grow").text(), "ok");
  const json::value told = Parse(stream.NextEvent().value_or(""));
  EXPECT_EQ(TextAt(told, "/method"), "notifications/tools/list_changed");
  EXPECT_TRUE(Contains(client->Tools(), "a__grown"));
  EXPECT_EQ(client->Call("a__grown").text(), "grown");
  const json::value tag = At(told, "/params/_meta/io.modelcontextprotocol~1subscriptionId");
  EXPECT_EQ(tag == "listen", client->modern()) << told;
  EXPECT_EQ(client->Call("a__shrink").text(), "ok");
  // A list that changes while its pages are read may be told of once more.
  int told_again = 0;
  do {
    EXPECT_TRUE(stream.NextEvent().has_value());
  } while (Contains(client->Tools(), "a__grown") && ++told_again < 3);
  EXPECT_LT(told_again, 3);
}

TEST_P(Matrix, LogMessagesComeOnlyToThoseWhoAskedAndFromTheLevelTheyAsked) {
  Begin();
  const auto log = [this](const char* level, const char* wanted) {
    const std::string meta =
        client->modern() && *wanted != 0
            ? R"("io.modelcontextprotocol/logLevel":")" + std::string(wanted) + "\""
            : "";
    return client->Call("a__log", R"({"level":")" + std::string(level) + "\"}", meta).events.size();
  };
  EXPECT_EQ(log("error", ""), 0u);
  if (!client->modern()) {
    client->Request({.method = "logging/setLevel", .members = R"("level":"warning")"});
  }
  EXPECT_EQ(log("error", "warning"), 1u);
  EXPECT_EQ(log("info", "warning"), 0u);
}

}  // namespace
}  // namespace switchyard::tests
