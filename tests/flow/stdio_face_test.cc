// The gateway as a server on stdin and stdout (`serve --stdio`).
#include <sys/socket.h>
#include <thread>

#include <gtest/gtest.h>

#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

constexpr std::string_view kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";

class StdioFace : public ::testing::Test {
 protected:
  StdioFace() {
    gateway.Serves("a", fake).Start();
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_), 0);
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    ::setsockopt(pair_[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    client_ = Wire(pair_[0]);
    out_ = ::dup(pair_[1]);
    thread_ = std::thread([this] { gateway.server().ServeStdio(pair_[1], out_); });
  }
  ~StdioFace() override {
    client_.Close();
    thread_.join();
    ::close(pair_[1]);
    ::close(out_);
  }
  void Say(const std::string& line) { client_.Write(line + "\n"); }
  json::value Hear() { return Parse(client_.ReadLine().value_or("")); }

  FakeServer fake = FakeServer::Modern("a");
  Gateway gateway;

 private:
  int pair_[2] = {-1, -1}, out_ = -1;
  Wire client_;
  std::thread thread_;
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

}  // namespace
}  // namespace switchyard::tests
