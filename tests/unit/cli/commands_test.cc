// The subcommands that talk to a running gateway, against a fake one.
#include <future>
#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/call.h"
#include "cli/health.h"
#include "cli/tools.h"
#include "unit/cli/fake_gateway.h"

namespace switchyard::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kTools = R"({"tools":[{"name":"a__echo","description":"Echoes. Well."}],
  "_meta":{"switchyard/missing":[{"server":"b","reason":"connect: refused"}]}})";

// A port where nobody listens: it was just given back.
std::string DeadUrl() {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
  return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/mcp";
}

struct Output {
  int exit;
  std::string out, err;
};

Output Tools(const std::string& url, bool json = false) {
  std::ostringstream out, err;
  const int exit = RunTools({.where = {.config = "", .url = url}, .json = json}, out, err);
  return {exit, out.str(), err.str()};
}

Output Call(CallOptions options, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int exit = RunCall(options, in, out, err);
  return {exit, out.str(), err.str()};
}

Output Health(const std::string& url, bool json = false) {
  std::ostringstream out, err;
  const int exit = RunHealth({.where = {.config = "", .url = url}, .json = json}, out, err);
  return {exit, out.str(), err.str()};
}

boost::json::object Params(const SeenRequest& request) {
  return boost::json::parse(request.body).at("params").as_object();
}

TEST(ToolsCommand, ShowsToolsAndWhoIsMissing) {
  FakeGateway gateway([](const SeenRequest&) { return ResultOf(kTools); });
  const Output output = Tools(gateway.url());
  EXPECT_EQ(output.exit, kOk);
  EXPECT_EQ(output.out,
            "TOOL     SERVER  HINTS  DESCRIPTION\n"
            "a__echo  a              Echoes.\n"
            "missing: b: connect: refused\n");
  EXPECT_THAT(output.err, IsEmpty());
}

TEST(ToolsCommand, GivesTheRawResultAsJson) {
  FakeGateway gateway([](const SeenRequest&) { return ResultOf(R"({"tools":[],"x":1.50})"); });
  EXPECT_EQ(Tools(gateway.url(), true).out, "{\"tools\":[],\"x\":1.50}\n");
}

TEST(ToolsCommand, ReadsEveryPage) {
  FakeGateway gateway([](const SeenRequest& request) {
    const boost::json::object params = Params(request);
    const boost::json::value* cursor = params.if_contains("cursor");
    if (cursor == nullptr) return ResultOf(R"({"tools":[{"name":"a"}],"nextCursor":"2"})");
    if (*cursor == "2") return ResultOf(R"({"tools":[{"name":"b"}],"nextCursor":"3"})");
    return ResultOf(R"({"tools":[{"name":"c"}]})");
  });
  const Output output = Tools(gateway.url(), true);
  EXPECT_EQ(boost::json::parse(output.out),
            boost::json::parse(R"({"tools":[{"name":"a"},{"name":"b"},{"name":"c"}]})"));
}

TEST(ToolsCommand, NamesTheServersThatTheGatewaySaysOnEachPage) {
  FakeGateway gateway([](const SeenRequest& request) {
    if (Params(request).if_contains("cursor") == nullptr) {
      return ResultOf(R"({"tools":[{"name":"x__a"}],"nextCursor":"2",)"
                      R"("_meta":{"switchyard/servers":[{"server":"s","items":1}]}})");
    }
    return ResultOf(R"({"tools":[{"name":"b"},{"name":"c"}],)"
                    R"("_meta":{"switchyard/servers":[{"server":"orchestration","items":2}]}})");
  });
  EXPECT_EQ(Tools(gateway.url()).out,
            "TOOL  SERVER         HINTS  DESCRIPTION\n"
            "x__a  s\n"
            "b     orchestration\n"
            "c     orchestration\n");
}

TEST(ToolsCommand, SaysThatNobodyIsThereAndWhatToDo) {
  const Output output = Tools(DeadUrl());
  EXPECT_EQ(output.exit, kUnreachable);
  EXPECT_THAT(output.err, AllOf(HasSubstr("no gateway at http://127.0.0.1:"), HasSubstr("refused"),
                                HasSubstr("switchyard serve --config"), Not(HasSubstr("POST"))));
}

TEST(ToolsCommand, TellsAStrangerFromAGateway) {
  FakeGateway gateway([](const SeenRequest&) { return HttpAnswer(200, "text/html", "<html>"); });
  const Output output = Tools(gateway.url());
  EXPECT_EQ(output.exit, kFailed);
  EXPECT_THAT(output.err, HasSubstr("is that the /mcp URL of a gateway?"));
}

TEST(ToolsCommand, RefusesWhatIsNoUrl) {
  const Output output = Tools("localhost:8080");
  EXPECT_EQ(output.exit, kUsage);
  EXPECT_THAT(output.err, HasSubstr("got localhost:8080"));
}

TEST(CallCommand, SendsAModernCallWithTheHeadersThatMirrorIt) {
  FakeGateway gateway([](const SeenRequest&) {
    return ResultOf(R"({"resultType":"complete","content":[{"type":"text","text":"hi"}]})");
  });
  const Output output = Call({.where = {.config = "", .url = gateway.url()},
                              .tool = "a__gr\xC3\xBC\xC3\x9F"
                                      "en",
                              .arguments = R"({"message":"hi"})"});
  EXPECT_EQ(output.exit, kOk);
  EXPECT_EQ(output.out, "hi\n");
  ASSERT_EQ(gateway.seen().size(), 1U);
  const SeenRequest request = gateway.seen().front();
  EXPECT_THAT(request.head,
              AllOf(HasSubstr("POST /mcp "), HasSubstr("\r\nMCP-Protocol-Version: 2026-07-28\r\n"),
                    HasSubstr("\r\nMcp-Method: tools/call\r\n"),
                    HasSubstr("\r\nMcp-Name: =?base64?YV9fZ3LDvMOfZW4=?=\r\n")));
  const boost::json::object params = Params(request);
  EXPECT_EQ(params.at("arguments"), boost::json::parse(R"({"message":"hi"})"));
  const boost::json::object& meta = params.at("_meta").as_object();
  EXPECT_EQ(meta.at("io.modelcontextprotocol/protocolVersion"), "2026-07-28");
  EXPECT_TRUE(meta.contains("io.modelcontextprotocol/clientCapabilities"));
  EXPECT_TRUE(meta.contains("progressToken"));
}

TEST(CallCommand, ReadsArgumentsFromStdin) {
  FakeGateway gateway([](const SeenRequest&) { return ResultOf(R"({"content":[]})"); });
  const CallOptions options{
      .where = {.config = "", .url = gateway.url()}, .tool = "t", .arguments = "-"};
  EXPECT_EQ(Call(options, R"({"n":1})").exit, kOk);
  EXPECT_EQ(Params(gateway.seen().at(0)).at("arguments"), boost::json::parse(R"({"n":1})"));
}

TEST(CallCommand, ShowsProgressOnStderrAndTheResultOnStdout) {
  FakeGateway gateway([](const SeenRequest&) {
    return HttpAnswer(200, "text/event-stream",
                      "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
                      "{\"progressToken\":1,\"progress\":1,\"total\":2}}\n\n"
                      "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":"
                      "[{\"type\":\"text\",\"text\":\"done\"}]}}\n\n");
  });
  const Output output = Call({.where = {.config = "", .url = gateway.url()}, .tool = "t"});
  EXPECT_EQ(output.out, "done\n") << output.err;
  EXPECT_EQ(output.err, "progress 1/2\n");
}

TEST(CallCommand, FailsWhenTheToolSaysSo) {
  FakeGateway gateway([](const SeenRequest&) {
    return ResultOf(R"({"isError":true,"content":[{"type":"text","text":"no such file"}]})");
  });
  CallOptions options{.where = {.config = "", .url = gateway.url()}, .tool = "t"};
  EXPECT_EQ(Call(options).exit, kFailed);
  EXPECT_EQ(Call(options).out, "no such file\n");
  options.json = true;
  EXPECT_EQ(Call(options).exit, kFailed);
  EXPECT_THAT(Call(options).out, HasSubstr(R"("isError":true)"));
}

TEST(CallCommand, SuggestsTheRightNameForAnUnknownTool) {
  FakeGateway gateway([](const SeenRequest& request) {
    return request.body.contains("tools/list") ? ResultOf(kTools)
                                               : ErrorOf(-32602, "unknown tool: echo");
  });
  const Output output = Call({.where = {.config = "", .url = gateway.url()}, .tool = "echo"});
  EXPECT_EQ(output.exit, kFailed);
  EXPECT_EQ(output.err,
            "error -32602: unknown tool: echo\ndid you mean a__echo?\n"
            "missing: b: connect: refused\n");
  EXPECT_THAT(output.out, IsEmpty());
}

TEST(CallCommand, SaysThatAToolThatAsksBackCannotBeAnsweredHere) {
  FakeGateway gateway([](const SeenRequest&) {
    return ResultOf(R"({"resultType":"input_required","inputRequests":{}})");
  });
  const Output output = Call({.where = {.config = "", .url = gateway.url()}, .tool = "t"});
  EXPECT_EQ(output.exit, kFailed);
  EXPECT_THAT(output.err, HasSubstr("asks back"));
}

TEST(CallCommand, RefusesArgumentsThatAreNoObjectBeforeItConnects) {
  for (const char* arguments : {"{", "[1]", "\"x\""}) {
    const Output output =
        Call({.where = {.config = "", .url = DeadUrl()}, .tool = "t", .arguments = arguments});
    EXPECT_EQ(output.exit, kUsage) << arguments;
    EXPECT_THAT(output.err, HasSubstr("the arguments")) << arguments;
  }
}

TEST(CallCommand, StopsWaitingAfterItsTimeout) {
  std::promise<void> over;
  FakeGateway gateway([&over](const SeenRequest&) {
    over.get_future().wait();
    return std::string();
  });
  const Output output = Call({.where = {.config = "", .url = gateway.url()},
                              .tool = "t",
                              .timeout = std::chrono::milliseconds(50)});
  over.set_value();
  EXPECT_EQ(output.exit, kFailed);
  EXPECT_THAT(output.err, AllOf(HasSubstr("no answer in time"), HasSubstr("--timeout")));
}

TEST(HealthCommand, ShowsWhoIsUpAndExitsAsTheGatewayIs) {
  int status = 200;
  FakeGateway gateway([&status](const SeenRequest&) {
    return HttpAnswer(status, "application/json",
                      R"({"status":"ready","servers":[{"name":"a","up":true},
                          {"name":"b","up":false,"reason":"connect: refused"}]})");
  });
  const Output ready = Health(gateway.url());
  EXPECT_EQ(ready.exit, kOk) << ready.err;
  EXPECT_EQ(ready.out, "ready\n  a: up\n  b: down: connect: refused\n");
  EXPECT_THAT(gateway.seen().at(0).head, HasSubstr("GET /readyz HTTP/1.1\r\n"));
  status = 503;
  EXPECT_EQ(Health(gateway.url()).exit, kFailed);
}

TEST(HealthCommand, TellsAStrangerAndNobodyApart) {
  FakeGateway gateway([](const SeenRequest&) { return HttpAnswer(404, "text/html", "gone"); });
  const Output stranger = Health(gateway.url());
  EXPECT_EQ(stranger.exit, kFailed);
  EXPECT_THAT(stranger.err, HasSubstr("is no gateway: /readyz gave HTTP 404"));
  EXPECT_EQ(Health(DeadUrl()).exit, kUnreachable);
}

}  // namespace
}  // namespace switchyard::cli
