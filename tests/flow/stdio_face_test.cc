// The gateway as a server on stdin and stdout (`serve --stdio`).
#include "stdio_face.h"

#include <future>
#include <map>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"
#include "support/halting_clock.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";

class StdioClient : public ::testing::Test {
 protected:
  StdioClient() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_), 0);
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    ::setsockopt(pair_[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    client_ = Wire(pair_[0]);
  }
  ~StdioClient() override {
    client_.Close();
    if (over.valid()) over.wait();
  }
  void Connect() { over = gateway.server().ServeStdio(pair_[1], ::dup(pair_[1])); }
  void Say(const std::string& line) { client_.Write(line + "\n"); }
  json::value Hear() { return Parse(client_.ReadLine().value_or("")); }

  FakeServer fake = FakeServer::Modern("a");
  HaltingClock clock;  // of who goes by it
  Gateway gateway;
  std::future<void> over;  // once connected

 private:
  int pair_[2] = {-1, -1};
  Wire client_;
};

struct StdioFace : StdioClient {
  StdioFace() {
    gateway.Serves("a", fake).Start();
    Connect();
  }
};

TEST_F(StdioFace, BothErasAreServedOnOneChannel) {
  Say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__echo","arguments":{"text":"m"},)" +
      std::string(kMeta) + "}}");
  const json::value modern = Hear();
  EXPECT_EQ(TextAt(modern, "/result/content/0/text"), "m") << modern;
  EXPECT_EQ(TextAt(modern, "/result/resultType"), "complete");
  Say(R"({"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})");
  EXPECT_EQ(TextAt(Hear(), "/result/protocolVersion"), "2025-11-25");
  Say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  Say(R"({"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a__echo","arguments":{"text":"l"}}})");
  const json::value legacy = Hear();
  EXPECT_EQ(TextAt(legacy, "/result/content/0/text"), "l") << legacy;
  EXPECT_EQ(TextAt(legacy, "/result/resultType"), "");
}

TEST_F(StdioFace, AReloadReachesTheClientThatIsThere) {
  gateway.With("policies", "{timeout: {total: 200ms}}").Reload();
  Say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__hold","arguments":{"label":"x"},)" +
      std::string(kMeta) + "}}");
  EXPECT_EQ(TextAt(Hear(), "/error/message"), "server a: no answer within 200ms");
}

TEST_F(StdioFace, CallsRunSideBySideAndACancelledOneIsNotAnswered) {
  const auto call = [](const char* id, const char* name, const char* arguments) {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) +
           R"(,"method":"tools/call","params":{"name":"a__)" + name + R"(","arguments":)" +
           arguments + "," + std::string(kMeta) + "}}";
  };
  Say(call("1", "hold", R"({"label":"x"})"));
  Say(call("2", "hold", R"({"label":"y"})"));
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:x")));
  ASSERT_TRUE(WaitFor(fake.surface().Named("started:y")));
  Say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  EXPECT_TRUE(WaitFor(fake.surface().Named("cancelled:x")));
  fake.surface().Named("release:y").Set();
  EXPECT_EQ(At(Hear(), "/id"), 2);
}

TEST_F(StdioFace, RubbishIsAnsweredAndTheNextLineServed) {
  Say("{]");
  EXPECT_EQ(At(Hear(), "/error/code"), -32700);
  Say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{)" + std::string(kMeta) + "}}");
  EXPECT_EQ(At(Hear(), "/id"), 1);
}

// A server that lists only when it is told to, and a client that speaks before there is anything.
struct StdioStart : StdioClient {
  StdioStart() {
    fake.surface().OnMethod("tools/list", [](Turn& turn) {
      turn.surface().Named("asked").Set();
      if (!turn.Wait(turn.surface().Named("may list"))) return;
      turn.Result(R"("tools":[{"name":"echo","inputSchema":{"type":"object"}}])");
    });
    gateway.GoesBy(clock).Serves("a", fake).StartWithoutWaiting();
    EXPECT_TRUE(WaitFor(fake.surface().Named("asked")));
  }
  void Greet() {
    Connect();
    Say(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})");
    Say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  }
  void CallAndList() {
    Greet();
    Say(R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a__echo","arguments":{"text":"x"}}})");
    Say(R"({"jsonrpc":"2.0","id":3,"method":"tools/list","params":{}})");
  }
  // By id: calls run side by side.
  std::map<std::int64_t, json::value> HearThree() {
    std::map<std::int64_t, json::value> heard;
    while (heard.size() < 3) {
      json::value next = Hear();
      const json::value id = At(next, "/id");
      if (next.is_null()) break;
      if (id.is_int64()) heard[id.as_int64()] = std::move(next);
    }
    return heard;
  }
};

TEST_F(StdioStart, WhoAsksAtOnceIsAnsweredWhenTheServersAreUp) {
  CallAndList();
  fake.surface().Named("may list").Set();
  auto heard = HearThree();
  EXPECT_TRUE(At(heard[1], "/result/capabilities/completions").is_object()) << heard[1];
  EXPECT_NE(TextAt(heard[1], "/result/instructions"), "") << heard[1];
  EXPECT_EQ(TextAt(heard[2], "/result/content/0/text"), "x") << heard[2];
  EXPECT_EQ(TextAt(heard[3], "/result/tools/0/name"), "a__echo") << heard[3];
}

TEST_F(StdioStart, AServerThatTakesLongHoldsNobodyUpForEver) {
  CallAndList();
  clock.Advance(switchyard::StdioFace::kPatience);
  auto heard = HearThree();
  EXPECT_EQ(TextAt(heard[2], "/error/message"), "server a is starting, try again in a moment")
      << heard[2];
  EXPECT_EQ(TextAt(heard[3], "/result/_meta/switchyard~1missing/0/reason"), "starting") << heard[3];
}

TEST_F(StdioStart, AGatewayThatStopsDoesNotWaitForThem) {
  clock.Halt();
  Greet();
  std::future<void> stopped =
      std::async(std::launch::async, [this] { gateway.server().Stop(std::chrono::hours(1)); });
  EXPECT_EQ(over.wait_for(kPatience), std::future_status::ready) << "no time passed";
  clock.Advance(switchyard::StdioFace::kPatience);  // a stop that waits for them ends by this
  stopped.wait();
  EXPECT_TRUE(Hear().is_null());
}

TEST_F(StdioStart, AGatewayThatHasStoppedTakesNoClient) {
  gateway.server().Stop();
  Greet();
  over.wait();
  EXPECT_TRUE(Hear().is_null());
}

}  // namespace
}  // namespace switchyard::tests
