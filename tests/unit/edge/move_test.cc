// A connection moves to the worker that does its work.
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/mailbox.h"
#include "unit/edge/support.h"

namespace switchyard::edge {
namespace {

using namespace testing;

std::string Ask(int number) {
  const std::string body = std::to_string(number);
  return "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

class MoveTest : public ::testing::Test {
 protected:
  // Says which request it answers; the work was done at done_at_.
  Connection::Serve Serve() {
    return [this](Exchange& exchange, Connection&) -> Task<void> {
      const std::string body = exchange.TakeBody();
      exchange.set_done_at(done_at_);
      co_await exchange.Respond(200, kJson, body);
    };
  }
  std::string Answered(Peer& peer, int number) {
    peer.Send(Ask(number));
    const std::optional<Answer> answer = peer.TakeAnswer();
    return answer ? answer->body : "no answer";
  }

  Edge edge_;
  std::optional<unsigned> done_at_ = 3;
};

TEST_F(MoveTest, AfterSomeRequestsInARowAndGoesOnThere) {
  const std::unique_ptr<Peer> peer = edge_.ConnectTo(Serve());
  const int last = static_cast<int>(Connection::kHopsToMove);
  for (int i = 1; i <= last; ++i) {
    EXPECT_TRUE(edge_.moved.empty()) << i;
    ASSERT_EQ(Answered(*peer, i), std::to_string(i));
  }
  Settle(edge_.context);
  ASSERT_EQ(edge_.moved.size(), 1u);
  auto& [worker, handover] = edge_.moved.front();
  EXPECT_EQ(worker, 3u);
  EXPECT_TRUE(edge_.connections.front()->finished());
  Socket socket(edge_.context.get_executor(), handover.protocol, handover.fd.Release());
  edge_.Begin(std::move(socket), handover.unread, Serve());
  EXPECT_EQ(Answered(*peer, 99), "99");
  EXPECT_FALSE(peer->closed());
}

TEST_F(MoveTest, WhatTheClientSentAheadGoesAlong) {
  const std::unique_ptr<Peer> peer = edge_.ConnectTo(Serve());
  const int sent = static_cast<int>(Connection::kHopsToMove) + 30;
  std::string all;
  for (int i = 1; i <= sent; ++i) all += Ask(i);
  peer->Send(all);
  ASSERT_TRUE(RunUntil(edge_.context, [this] { return !edge_.moved.empty(); }));
  auto& [worker, handover] = edge_.moved.front();
  EXPECT_NE(handover.unread, "");
  done_at_ = std::nullopt;
  Socket socket(edge_.context.get_executor(), handover.protocol, handover.fd.Release());
  edge_.Begin(std::move(socket), handover.unread, Serve());
  for (int i = 1; i <= sent; ++i) {
    const std::optional<Answer> answer = peer->TakeAnswer();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, std::to_string(i));
  }
}

TEST_F(MoveTest, NotWhenTheWorkIsDoneHereNowAndThen) {
  const std::unique_ptr<Peer> peer = edge_.ConnectTo(Serve());
  for (int i = 1; i <= 100; ++i) {
    done_at_ = i % 10 == 0 ? std::nullopt : std::optional<unsigned>(1 + i % 2);
    if (i % 10 == 5) done_at_ = 3;
    ASSERT_EQ(Answered(*peer, i), std::to_string(i));
  }
  EXPECT_TRUE(edge_.moved.empty());
}

// It is seen to go right behind its last answer, when it was about to move.
TEST_F(MoveTest, AClientThatIsGoneIsNotMoved) {
  const int last = static_cast<int>(Connection::kHopsToMove);
  Mailbox<bool> seen;
  const auto serve = [&](Exchange& exchange, Connection& connection) -> Task<void> {
    connection.OnGone([&] { seen.Put(true); });
    const std::string body = exchange.TakeBody();
    exchange.set_done_at(done_at_);
    co_await exchange.Respond(200, kJson, body);
    if (body == std::to_string(last)) co_await seen.Take();
  };
  const std::unique_ptr<Peer> peer = edge_.ConnectTo(serve);
  for (int i = 1; i <= last; ++i) ASSERT_EQ(Answered(*peer, i), std::to_string(i));
  EXPECT_FALSE(edge_.connections.front()->finished());
  peer->Close();
  ASSERT_TRUE(RunUntil(edge_.context, [&] { return edge_.connections.front()->finished(); }));
  EXPECT_TRUE(edge_.moved.empty());
}

}  // namespace
}  // namespace switchyard::edge
