// Bad arguments never reach a server, good ones do: clients of both eras, servers of both eras.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_server.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSchemas =
    R"("inputSchema":{"type":"object","properties":{"limit":{"type":"integer","maximum":100},)"
    R"("path":{"type":"string"}},"required":["path"],"additionalProperties":false},)"
    R"("outputSchema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})";

class Validated : public ::testing::Test {
 protected:
  Validated() {
    for (FakeServer* fake : {&modern, &legacy}) {
      fake->surface().AddTool(
          "read",
          [this](Turn& turn) {
            turn.Result(R"("content":[{"type":"text","text":"ok"}],"structuredContent":)" +
                        structured);
          },
          kSchemas);
    }
  }
  void Start(const std::string& validate) {
    gateway.Serves("m", modern).Serves("l", legacy);
    gateway.With("policies", "{validate: " + validate + "}").Start();
  }
  std::size_t calls() const {
    return modern.received("tools/call").size() + legacy.received("tools/call").size();
  }

  std::string structured = R"({"n":1})";
  FakeServer modern = FakeServer::Modern("m"), legacy = FakeServer::Legacy("l");
  Gateway gateway;
};

template <class Client>
void ExpectRefusal(Client client, const std::string& tool) {
  const Answer answer = client.Call(tool, R"({"limit":"ten","pth":"x"})");
  EXPECT_EQ(answer.status, 200) << answer;
  EXPECT_EQ(answer.at("/result/isError"), true) << answer;
  EXPECT_THAT(answer.text(), HasSubstr("The tool " + tool + " was not called"));
  EXPECT_THAT(answer.text(), HasSubstr(R"(/limit: expected an integer, got the string "ten".)"));
  EXPECT_THAT(answer.text(), HasSubstr("/pth: expected no such member"));
  EXPECT_THAT(answer.text(), HasSubstr(R"(expected an object with the member "path")"));
}

TEST_F(Validated, BadArgumentsNeverReachTheServer) {
  Start("{arguments: enforce}");
  for (const char* tool : {"m__read", "l__read"}) {
    ExpectRefusal(gateway.Modern(), tool);
    ExpectRefusal(gateway.Legacy(), tool);
  }
  EXPECT_EQ(calls(), 0U);
}

TEST_F(Validated, GoodArgumentsDo) {
  Start("{arguments: enforce, results: enforce}");
  for (const char* tool : {"m__read", "l__read"}) {
    EXPECT_EQ(gateway.Modern().Call(tool, R"({"path":"x","limit":1e2})").text(), "ok");
    EXPECT_EQ(gateway.Legacy().Call(tool, R"({"path":"x"})").text(), "ok");
  }
  EXPECT_EQ(calls(), 4U);
}

TEST_F(Validated, ANewDefinitionIsCheckedByItsOwnSchema) {
  Start("{arguments: enforce}");
  ModernClient client = gateway.Modern();
  EXPECT_EQ(client.Call("m__read", R"({"path":1})").at("/result/isError"), true);
  Exchange listen = client.Listen(R"("toolsListChanged":true)");
  ASSERT_TRUE(WaitFor(modern.surface().Named("listening")));
  modern.surface().AddTool(
      "read", [](Turn& turn) { turn.Text("new"); },
      R"("inputSchema":{"type":"object","properties":{"path":{"type":"integer"}}})");
  modern.surface().Changed("tools");
  ASSERT_TRUE(listen.NextEvent().has_value());
  EXPECT_EQ(client.Call("m__read", R"({"path":1})").text(), "new");
  EXPECT_EQ(client.Call("m__read", R"({"path":"x"})").at("/result/isError"), true);
}

TEST_F(Validated, AResultThatIsNotAsPromisedIsWithheld) {
  Start("{results: enforce}");
  structured = R"({"n":"1"})";
  for (const char* tool : {"m__read", "l__read"}) {
    const Answer answer = gateway.Modern().Call(tool, R"({"path":"x"})");
    EXPECT_EQ(answer.at("/result/isError"), true) << answer;
    EXPECT_THAT(answer.text(), HasSubstr("/n: expected an integer"));
    EXPECT_EQ(gateway.Legacy().Call(tool, R"({"path":"x"})").at("/result/isError"), true);
  }
  EXPECT_EQ(calls(), 4U);
}

// What a server breaks is its own error, and no misfit of its result.
TEST_F(Validated, AServerThatBreaksInTheMiddleIsToldOfAsItIs) {
  for (FakeServer* fake : {&modern, &legacy}) {
    fake->ExpectComplaints();
    fake->surface().AddTool("die", [](Turn& turn) { turn.Drop(); }, kSchemas);
    fake->surface().AddTool("lie", [](Turn& turn) { turn.Bytes("{]this is no JSON"); }, kSchemas);
  }
  Start("{arguments: enforce, results: enforce}");
  for (const char* tool : {"m__die", "l__die", "m__lie", "l__lie"}) {
    const Answer answer = gateway.Modern().Call(tool, R"({"path":"x"})");
    EXPECT_EQ(answer.code(), -32603) << answer;
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr(": expected ")));
  }
  EXPECT_EQ(gateway.Modern().Call("m__read", R"({"path":"x"})").text(), "ok");
  EXPECT_EQ(gateway.Legacy().Call("l__read", R"({"path":"x"})").text(), "ok");
}

// A result that promises structure and has none, or something else in its place.
TEST_F(Validated, AServerThatLeavesTheStructureOutIsWithheld) {
  Start("{results: enforce}");
  for (const char* wrong : {"{}", "[]", "7", "null"}) {
    structured = wrong;
    for (const char* tool : {"m__read", "l__read"}) {
      const Answer answer = gateway.Modern().Call(tool, R"({"path":"x"})");
      EXPECT_EQ(answer.at("/result/isError"), json::value(true)) << wrong << " " << answer;
      EXPECT_THAT(answer.text(), ::testing::Not(HasSubstr("ok"))) << wrong;
    }
  }
}

}  // namespace
}  // namespace switchyard::tests
