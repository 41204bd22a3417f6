#include "example_server.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace switchyard {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr const char* kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";

json::value J(std::string_view text) { return json::parse(text); }

std::vector<json::value> Parsed(const std::string& output) {
  std::vector<json::value> messages;
  for (std::size_t from = 0, end; (end = output.find('\n', from)) != output.npos; from = end + 1) {
    messages.push_back(J(output.substr(from, end - from)));
  }
  return messages;
}

// Drives the server by lines and by a clock that only the test moves.
class ExampleServerTest : public testing::Test {
 protected:
  std::vector<json::value> Send(const std::string& line) {
    server.Receive(line);
    return Parsed(server.TakeOutput());
  }
  json::value Answer(const std::string& line) {
    std::vector<json::value> messages = Send(line);
    EXPECT_EQ(messages.size(), 1u) << line;
    return messages.empty() ? json::value(json::object{}) : messages.front();
  }
  static std::string Line(const std::string& method, const std::string& params) {
    return R"({"jsonrpc":"2.0","id":"q","method":")" + method + R"(","params":{)" + params + "}}";
  }
  json::value Modern(const std::string& method, const std::string& params = "") {
    return Answer(Line(method, params + (params.empty() ? "" : ",") + kMeta));
  }
  json::value Legacy(const std::string& method, const std::string& params = "") {
    return Answer(Line(method, params));
  }
  json::value Initialize(const std::string& version) {
    return Legacy("initialize",
                  R"("capabilities":{},"clientInfo":{},"protocolVersion":")" + version + '"');
  }
  std::vector<json::value> After(Duration time) {
    clock.Advance(time);
    server.Tick();
    return Parsed(server.TakeOutput());
  }
  static json::value CodeOf(const json::value& answer) {
    const json::value* error = answer.as_object().if_contains("error");
    return error ? error->at("code") : json::value();
  }
  static std::string TextOf(const json::value& answer) {
    return json::value_to<std::string>(answer.at_pointer("/result/content/0/text"));
  }
  static bool Failed(const json::value& answer) {
    const json::value* flag = answer.at("result").as_object().if_contains("isError");
    return flag && *flag == true;
  }

  ManualClock clock;
  ExampleServer server{clock};
};

TEST_F(ExampleServerTest, EachLegacyRevisionIsEchoedByInitialize) {
  for (const char* version : {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}) {
    EXPECT_EQ(Initialize(version).at_pointer("/result/protocolVersion"), version);
  }
}

TEST_F(ExampleServerTest, InitializeNeverAgreesOnTheModernRevisionOrOneItDoesNotKnow) {
  for (const char* version : {"2026-07-28", "1999-01-01", ""}) {
    EXPECT_EQ(Initialize(version).at_pointer("/result/protocolVersion"), "2025-11-25");
  }
}

TEST_F(ExampleServerTest, DiscoverAdvertisesWhatAnswers) {
  json::value result = Modern("server/discover").at("result");
  EXPECT_EQ(result.at_pointer("/supportedVersions/0"), "2026-07-28");
  EXPECT_TRUE(result.at_pointer("/_meta/io.modelcontextprotocol~1serverInfo/name").is_string());
  for (const char* feature : {"tools", "prompts", "resources"}) {
    EXPECT_TRUE(result.at("capabilities").as_object().contains(feature));
    EXPECT_EQ(CodeOf(Modern(feature + std::string("/list"))), nullptr);
  }
}

TEST_F(ExampleServerTest, EveryModernResultHasATypeAndTheSixCacheableOnesTheirHints) {
  for (const char* method : {"server/discover", "tools/list", "prompts/list", "resources/list",
                             "resources/templates/list"}) {
    json::value result = Modern(method).at("result");
    EXPECT_EQ(result.at("resultType"), "complete") << method;
    EXPECT_GE(result.at("ttlMs").as_int64(), 0) << method;
    EXPECT_EQ(result.at("cacheScope"), "public") << method;
  }
  json::value read = Modern("resources/read", R"("uri":"example://about")").at("result");
  EXPECT_TRUE(read.as_object().contains("ttlMs"));
  json::value call = Modern("tools/call", R"("name":"echo","arguments":{"message":"m"})");
  EXPECT_EQ(call.at_pointer("/result/resultType"), "complete");
  EXPECT_FALSE(call.at("result").as_object().contains("ttlMs"));
}

TEST_F(ExampleServerTest, LegacyResultsCarryNothingModern) {
  Initialize("2025-11-25");
  for (const char* method : {"tools/list", "prompts/list", "resources/list"}) {
    json::object result = Legacy(method).at("result").as_object();
    for (const char* key : {"resultType", "ttlMs", "cacheScope", "_meta"}) {
      EXPECT_FALSE(result.contains(key)) << method << " " << key;
    }
  }
}

TEST_F(ExampleServerTest, OlderRevisionsDoNotSeeNewerFields) {
  Initialize("2025-06-18");
  EXPECT_TRUE(Legacy("tools/list").at_pointer("/result/tools/0").as_object().contains("title"));
  Initialize("2025-03-26");
  json::object march = Legacy("tools/list").at_pointer("/result/tools/0").as_object();
  EXPECT_FALSE(march.contains("title") || march.contains("outputSchema"));
  EXPECT_TRUE(march.contains("annotations"));
  json::value sum = Legacy("tools/call", R"("name":"add","arguments":{"a":1,"b":2})");
  EXPECT_FALSE(sum.at("result").as_object().contains("structuredContent"));
  EXPECT_EQ(TextOf(sum), R"({"sum":3})");
  Initialize("2024-11-05");
  json::object first = Legacy("tools/list").at_pointer("/result/tools/0").as_object();
  EXPECT_FALSE(first.contains("annotations"));
}

TEST_F(ExampleServerTest, ModernRequestsAreServedInTheMiddleOfALegacySession) {
  Initialize("2024-11-05");
  EXPECT_EQ(Modern("tools/list").at_pointer("/result/resultType"), "complete");
  EXPECT_FALSE(Legacy("tools/list").at("result").as_object().contains("resultType"));
}

TEST_F(ExampleServerTest, MethodsOfTheOtherEraAreNotFound) {
  for (const char* method :
       {"initialize", "ping", "logging/setLevel", "subscriptions/listen", "x"}) {
    EXPECT_EQ(CodeOf(Modern(method)), -32601) << method;
  }
  Initialize("2025-11-25");
  EXPECT_EQ(CodeOf(Legacy("server/discover")), -32601);
  EXPECT_EQ(Legacy("ping").at("result"), json::object{});
}

TEST_F(ExampleServerTest, AModernEnvelopeIsCheckedBeforeAnythingElse) {
  const std::string version = R"("io.modelcontextprotocol/protocolVersion":)";
  const std::string capabilities = R"("io.modelcontextprotocol/clientCapabilities":)";
  auto with = [&](const std::string& meta) {
    return Answer(Line("tools/list", R"("_meta":{)" + meta + "}"));
  };
  EXPECT_EQ(CodeOf(with(version + R"("2026-07-28")")), -32602);
  EXPECT_EQ(CodeOf(with(capabilities + "{}")), -32602);
  EXPECT_EQ(CodeOf(with(version + "7," + capabilities + "{}")), -32602);
  EXPECT_EQ(CodeOf(with(version + R"("2026-07-28",)" + capabilities + "[]")), -32602);
  json::value refused = with(version + R"("2027-01-01",)" + capabilities + "{}");
  EXPECT_EQ(CodeOf(refused), -32022);
  EXPECT_EQ(refused.at_pointer("/error/data/requested"), "2027-01-01");
  EXPECT_EQ(refused.at_pointer("/error/data/supported"), J(R"(["2026-07-28"])"));
}

TEST_F(ExampleServerTest, ARequestWithoutSessionAndWithoutMetadataIsRefused) {
  EXPECT_EQ(CodeOf(Legacy("tools/list")), -32602);
}

TEST_F(ExampleServerTest, AddAnswersWithTextAndStructure) {
  json::value answer = Modern("tools/call", R"("name":"add","arguments":{"a":2,"b":3})");
  EXPECT_EQ(answer.at_pointer("/result/structuredContent"), J(R"({"sum":5})"));
  answer = Modern("tools/call", R"("name":"add","arguments":{"a":0.5,"b":3})");
  EXPECT_EQ(answer.at_pointer("/result/structuredContent/sum"), 3.5);
}

TEST_F(ExampleServerTest, AddSurvivesOverflow) {
  json::value huge =
      Modern("tools/call", R"("name":"add","arguments":{"a":9223372036854775807,"b":1})");
  EXPECT_EQ(huge.at_pointer("/result/structuredContent/sum"), 9223372036854775808.0);
  EXPECT_TRUE(Failed(Modern("tools/call", R"("name":"add","arguments":{"a":1e308,"b":1e308})")));
}

TEST_F(ExampleServerTest, TimeIsUtcUnlessAnOffsetIsGiven) {
  clock.Advance(25h - 1s);  // the manual clock starts one second into 2026
  auto time = [&](const std::string& arguments) {
    return Modern("tools/call", R"("name":"time","arguments":{)" + arguments + "}")
        .at_pointer("/result/structuredContent/time");
  };
  EXPECT_EQ(time(""), "2026-01-02T01:00:00Z");
  EXPECT_EQ(time(R"("offset":"+05:30")"), "2026-01-02T06:30:00+05:30");
  EXPECT_EQ(time(R"("offset":"-02:15")"), "2026-01-01T22:45:00-02:15");
}

TEST_F(ExampleServerTest, TimeKnowsIanaZones) {
  if (!std::filesystem::exists("/usr/share/zoneinfo/Asia/Kolkata")) GTEST_SKIP() << "no tzdata";
  json::value answer = Modern("tools/call", R"("name":"time","arguments":{"zone":"Asia/Kolkata"})");
  EXPECT_EQ(answer.at_pointer("/result/structuredContent/time"), "2026-01-01T05:30:01+05:30");
  EXPECT_EQ(std::getenv("TZ"), nullptr) << "the zone of the process must be put back";
}

TEST_F(ExampleServerTest, BadToolArgumentsAreToolErrorsThatAModelCanRead) {
  for (const char* params :
       {R"("name":"echo")", R"("name":"echo","arguments":{"message":1})",
        R"("name":"add","arguments":{"a":"1","b":2})", R"("name":"count","arguments":{})",
        R"("name":"count","arguments":{"to":0})", R"("name":"count","arguments":{"to":1.5})",
        R"("name":"count","arguments":{"to":100001})",
        R"("name":"count","arguments":{"to":1,"interval_ms":-1})",
        R"("name":"time","arguments":{"zone":"Mars/Base"})",
        R"("name":"time","arguments":{"zone":"../zoneinfo/UTC"})",
        R"("name":"time","arguments":{"zone":"/etc/localtime"})",
        R"("name":"time","arguments":{"offset":"+5"})",
        R"("name":"time","arguments":{"offset":"+24:00"})",
        R"("name":"time","arguments":{"offset":"+-1:00"})",
        R"("name":"time","arguments":{"offset":"+01:00","zone":"UTC"})"}) {
    EXPECT_TRUE(Failed(Modern("tools/call", params))) << params;
  }
}

TEST_F(ExampleServerTest, UnknownNamesAreInvalidParams) {
  EXPECT_EQ(CodeOf(Modern("tools/call", R"("name":"nope")")), -32602);
  EXPECT_EQ(CodeOf(Modern("tools/call", R"("name":"echo","arguments":[])")), -32602);
  EXPECT_EQ(CodeOf(Modern("tools/call")), -32602);
  EXPECT_EQ(CodeOf(Modern("prompts/get", R"("name":"nope")")), -32602);
  EXPECT_EQ(CodeOf(Modern("prompts/get", R"("name":"greet")")), -32602);
  EXPECT_EQ(CodeOf(Modern("tools/list", R"("cursor":"page2")")), -32602);
}

TEST_F(ExampleServerTest, AMissingResourceHasTheCodeOfItsEra) {
  const std::string params = R"("uri":"example://nope")";
  json::value modern = Modern("resources/read", params);
  EXPECT_EQ(CodeOf(modern), -32602);
  EXPECT_EQ(modern.at_pointer("/error/data/uri"), "example://nope");
  Initialize("2025-11-25");
  EXPECT_EQ(CodeOf(Legacy("resources/read", params)), -32002);
}

TEST_F(ExampleServerTest, ResourcesAndTheTemplateAreRead) {
  auto text = [&](const std::string& uri) {
    return Modern("resources/read", R"("uri":")" + uri + '"').at_pointer("/result/contents/0/text");
  };
  EXPECT_TRUE(text("example://about").is_string());
  EXPECT_EQ(text("example://greeting/Ada%20L%C3%B6"), "Hello, Ada L\u00f6!");
  for (const char* bad : {"", "a/b", "%", "%4", "%zz", "%ff", "%-1"}) {
    const std::string uri = std::string(R"("uri":"example://greeting/)") + bad + '"';
    EXPECT_EQ(CodeOf(Modern("resources/read", uri)), -32602) << bad;
  }
}

TEST_F(ExampleServerTest, ThePromptTakesItsArgumentAndCompletesIt) {
  json::value prompt = Modern("prompts/get", R"("name":"greet","arguments":{"name":"Ada"})");
  EXPECT_EQ(prompt.at_pointer("/result/messages/0/content/text"),
            "Write a short, friendly greeting for Ada.");
  for (const char* ref : {R"({"type":"ref/prompt","name":"greet"})",
                          R"({"type":"ref/resource","uri":"example://greeting/{name}"})"}) {
    json::value found =
        Modern("completion/complete",
               std::string(R"("ref":)") + ref + R"(,"argument":{"name":"name","value":"A"})");
    EXPECT_EQ(found.at_pointer("/result/completion/values"), J(R"(["Ada","Alan"])"));
  }
  EXPECT_EQ(CodeOf(Modern("completion/complete", R"("ref":{"type":"ref/prompt","name":"x"},)"
                                                 R"("argument":{"name":"name","value":""})")),
            -32602);
}

std::string Count(const std::string& id, int to, const std::string& meta) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":{"name":"count",)" +
         R"("arguments":{"to":)" + std::to_string(to) + R"(,"interval_ms":100},)" + meta + "}}";
}

TEST_F(ExampleServerTest, CountReportsEachStepAndAnswersAfterTheLast) {
  Initialize("2025-11-25");
  EXPECT_TRUE(Send(Count("1", 2, R"("_meta":{"progressToken":"p"})")).empty());
  EXPECT_EQ(server.UntilNextStep(), Duration(100ms));
  EXPECT_TRUE(After(99ms).empty());
  std::vector<json::value> first = After(1ms);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].at("params"),
            J(R"({"progressToken":"p","progress":1,"total":2,"message":"counted to 1"})"));
  std::vector<json::value> last = After(100ms);
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0].at_pointer("/params/progress"), 2);
  EXPECT_EQ(TextOf(last[1]), "counted to 2");
  EXPECT_EQ(server.UntilNextStep(), std::nullopt);
}

TEST_F(ExampleServerTest, CountIsSilentWithoutAToken) {
  EXPECT_TRUE(Send(Count("1", 2, kMeta)).empty());
  EXPECT_TRUE(After(100ms).empty());
  std::vector<json::value> last = After(100ms);
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].at_pointer("/result/resultType"), "complete");
}

TEST_F(ExampleServerTest, OtherCallsAreAnsweredWhileCountsRun) {
  Send(Count("1", 5, kMeta));
  Send(Count("\"1\"", 1, kMeta));  // the string and the number are two ids
  EXPECT_EQ(TextOf(Modern("tools/call", R"("name":"echo","arguments":{"message":"hi"})")), "hi");
  std::vector<json::value> messages = After(100ms);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].at("id"), "1");
}

TEST_F(ExampleServerTest, ACancelledCountSaysNothingMore) {
  Send(Count("7", 3, kMeta));
  auto cancel = [&](const char* id) {
    return Send(
        std::string(
            R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)") +
        id + "}}");
  };
  EXPECT_TRUE(cancel("8").empty());
  EXPECT_TRUE(server.UntilNextStep().has_value());
  EXPECT_TRUE(cancel("7").empty());
  EXPECT_EQ(server.UntilNextStep(), std::nullopt);
  EXPECT_TRUE(After(10s).empty());
}

TEST_F(ExampleServerTest, AnIdInUseIsRefused) {
  Send(Count("7", 3, kMeta));
  EXPECT_EQ(CodeOf(Answer(Count("7", 3, kMeta))), -32600);
}

TEST_F(ExampleServerTest, RubbishGetsAnErrorWithoutAnId) {
  for (const auto& [line, code] : std::vector<std::pair<std::string, int>>{
           {"{", -32700},
           {"\xff", -32700},
           {std::string(1000, '['), -32700},
           {"7", -32600},
           {"[]", -32600},
           {R"({"id":null,"jsonrpc":"2.0","method":"ping"})", -32600},
           {R"({"id":{},"jsonrpc":"2.0","method":"ping"})", -32600}}) {
    json::value answer = Answer(line);
    EXPECT_EQ(CodeOf(answer), code) << line;
    EXPECT_FALSE(answer.as_object().contains("id")) << line;
  }
}

TEST_F(ExampleServerTest, ABadEnvelopeGetsItsIdBack) {
  for (const char* line : {R"({"id":5,"method":"ping"})", R"({"id":5,"jsonrpc":"2.0"})",
                           R"({"id":5,"jsonrpc":"2.0","method":1})"}) {
    EXPECT_EQ(CodeOf(Answer(line)), -32600) << line;
    EXPECT_EQ(Answer(line).at("id"), 5) << line;
  }
  EXPECT_EQ(CodeOf(Answer(R"({"id":5,"jsonrpc":"2.0","method":"ping","params":[]})")), -32602);
}

TEST_F(ExampleServerTest, NotificationsAndStrayAnswersGetNone) {
  for (const char* line : {"", "\r", R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
                           R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":7})",
                           R"({"jsonrpc":"2.0","id":1,"result":{}})"}) {
    EXPECT_TRUE(Send(line).empty()) << line;
  }
}

TEST_F(ExampleServerTest, ABatchOfAMarchSessionIsAnsweredAsOne) {
  Initialize("2025-03-26");
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  json::value answer = Answer("[" + ping + R"(,3,{"jsonrpc":"2.0","method":"notifications/x"}])");
  ASSERT_EQ(answer.as_array().size(), 2u);
  EXPECT_EQ(CodeOf(answer.at(1)), -32600);
  EXPECT_TRUE(Send("[" + ping + "," + Count("2", 1, R"("_meta":{})") + "]").empty());
  std::vector<json::value> late = After(100ms);
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].as_array().size(), 2u);
}

TEST_F(ExampleServerTest, ABatchOfAnyOtherSessionIsRefused) {
  Initialize("2025-06-18");
  EXPECT_EQ(CodeOf(Answer(R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])")), -32600);
}

}  // namespace
}  // namespace switchyard
