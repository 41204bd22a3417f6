#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "example_server.h"

namespace switchyard {
namespace {

boost::json::value JsonOf(std::string_view text) { return boost::json::parse(text); }

// The descriptors: a server on one end of a socket pair, the test on the other.
class ExampleServerOnASocket : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair_), 0);
    timeval limit{.tv_sec = 10, .tv_usec = 0};  // a hang becomes a failure
    ::setsockopt(pair_[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    thread_ = std::thread([this] { exit_ = RunExampleServer(pair_[1], pair_[1]); });
  }
  void TearDown() override {
    ::shutdown(pair_[0], SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(pair_[0]);
    ::close(pair_[1]);
  }
  void Write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = ::send(pair_[0], bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  std::string ReadLine() {
    std::string line;
    for (char c; ::read(pair_[0], &c, 1) == 1 && c != '\n';) line.push_back(c);
    return line;
  }
  int ExitAfterEof() {
    ::shutdown(pair_[0], SHUT_WR);
    thread_.join();
    return exit_;
  }

  int pair_[2] = {-1, -1};
  int exit_ = -1;
  std::thread thread_;
};

constexpr const char* kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";

TEST_F(ExampleServerOnASocket, LinesInPiecesAndSeveralAtOnceAreServedUntilEof) {
  Write(R"({"jsonrpc":"2.0","id":)");
  Write("1,\"method\":\"ping\"}\n" + std::string(kPing) + "\n");
  const std::string pong = R"({"jsonrpc":"2.0","id":1,"result":{}})";
  EXPECT_EQ(ReadLine(), pong);
  EXPECT_EQ(ReadLine(), pong);
  EXPECT_EQ(ExitAfterEof(), 0);
}

TEST_F(ExampleServerOnASocket, CountRunsByItself) {
  Write(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})"
      "\n"
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count","arguments":{"to":2,"interval_ms":1}}})"
      "\n");
  EXPECT_EQ(JsonOf(ReadLine()).at("id"), 0);
  EXPECT_EQ(JsonOf(ReadLine()).at("id"), 1);
}

TEST_F(ExampleServerOnASocket, ALineOverTheLimitIsRefusedAndTheNextOneServed) {
  Write(std::string(ExampleServer::kMaxLine + 1, 'x') + "\n" + kPing + "\n");
  EXPECT_EQ(JsonOf(ReadLine()).at_pointer("/error/code"), -32600);
  EXPECT_EQ(JsonOf(ReadLine()).at("id"), 1);
}

}  // namespace
}  // namespace switchyard
