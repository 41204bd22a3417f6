#include "edge/listener.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "unit/edge/support.h"

namespace switchyard::edge {
namespace {

using namespace testing;  // NOLINT

struct ListenerTest : ::testing::Test {
  ManualClock clock;
  net::io_context context{1};
  Timers timers{context, clock};
  Deps deps{.context = context, .timers = timers, .clock = clock};
  std::vector<std::unique_ptr<Listener>> listeners;

  std::optional<unsigned> done_at;  // of all that is served

  // Connections move to the one that was made at their worker's turn.
  Listener& Make(std::shared_ptr<Quota> places = Quota::Make({.total = 100}), unsigned worker = 0) {
    Deps own = deps;
    own.worker = worker;
    listeners.push_back(std::make_unique<Listener>(
        own, Listener::Options{.places = std::move(places), .limits = {}},
        Connection::Hooks{
            .serve = [this](Exchange& exchange, Connection&) -> Task<void> {
              exchange.set_done_at(done_at);
              co_await exchange.Respond(200, "text/plain", "ok");
            },
            .move = [this](unsigned to,
                           Handover handover) { listeners.at(to)->Adopt(std::move(handover)); }}));
    return *listeners.back();
  }
  ~ListenerTest() override {
    for (const auto& listener : listeners) {
      listener->StopAccepting();
      listener->Abort();
    }
    Settle(context);
  }
  // A connected pair of which the gateway's end is on its way from another worker.
  std::pair<Handover, std::unique_ptr<Peer>> Moved(std::string unread) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return {
        Handover{.fd = Fd(ends[0]), .protocol = net::ip::tcp::v4(), .unread = std::move(unread)},
        std::make_unique<Peer>(context, ends[1])};
  }
  std::unique_ptr<Peer> Connect(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(fd);
      return nullptr;
    }
    Settle(context);
    return std::make_unique<Peer>(context, fd);
  }
  static constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
};

TEST_F(ListenerTest, WorkersShareOneBoundSoThatAConnectionThatMovesTakesNobodysPlace) {
  const auto places = Quota::Make({.total = 2});
  Listener& home = Make(places, 0);
  Listener& other = Make(places, 1);
  const auto port = home.Listen("127.0.0.1", 0);
  ASSERT_TRUE(port && other.Listen("127.0.0.1", 0));
  home.StartAccepting();
  auto first = Connect(*port);
  done_at = 1;
  for (unsigned i = 0; i < Connection::kHopsToMove; ++i) {
    first->Send(kRequest);
    ASSERT_TRUE(first->TakeAnswer());
  }
  Settle(context);
  ASSERT_EQ(other.connections(), 1U) << "it moved";
  done_at = std::nullopt;
  EXPECT_EQ(places->held(), 1U);
  auto second = Connect(*port);
  EXPECT_EQ(places->held(), 2U);
  auto third = Connect(*port);
  third->Send(kRequest);
  Settle(context);
  third->Read();
  EXPECT_EQ(third->received(), "") << "it waits, as two are open";
  first->Close();
  Settle(context);
  EXPECT_EQ(places->held(), 1U);
  clock.Advance(std::chrono::milliseconds(50));
  timers.FireDue();
  EXPECT_EQ(third->TakeAnswer()->body, "ok");
  home.Abort();
  EXPECT_EQ(places->held(), 0U);
}

TEST_F(ListenerTest, WorkersThatWaitForClientsDoNotExceedTheBoundTogether) {
  const auto places = Quota::Make({.total = 1});
  std::vector<std::uint16_t> ports;
  for (unsigned worker = 0; worker < 2; ++worker) {
    ports.push_back(*Make(places, worker).Listen("127.0.0.1", 0));
    listeners.back()->StartAccepting();
  }
  Settle(context);
  auto first = Connect(ports[0]);
  auto second = Connect(ports[1]);
  second->Send(kRequest);
  Settle(context);
  second->Read();
  EXPECT_EQ(second->received(), "");
  EXPECT_EQ(places->held(), 1U);
  first->Close();
  Settle(context);
  clock.Advance(std::chrono::milliseconds(50));
  timers.FireDue();
  EXPECT_EQ(second->TakeAnswer()->body, "ok");
  EXPECT_EQ(places->held(), 1U);
}

TEST_F(ListenerTest, AClientThatWaitsForAPlaceIsLetGoOfWhenNothingIsAccepted) {
  const auto places = Quota::Make({.total = 1});
  Listener& listener = Make(places);
  const auto port = listener.Listen("127.0.0.1", 0);
  Listener& other = Make(places, 1);
  const auto there = other.Listen("127.0.0.1", 0);
  listener.StartAccepting();
  other.StartAccepting();
  Settle(context);
  const auto first = Connect(*port);
  const auto second = Connect(*there);
  other.StopAccepting();
  EXPECT_TRUE(second->WaitForClose());
}

TEST_F(ListenerTest, TakesAConnectionOfAnotherWorkerWithWhatCameBefore) {
  Listener& listener = Make();
  ASSERT_TRUE(listener.Listen("127.0.0.1", 0));
  auto [handover, peer] = Moved("GET / HTTP/1.1\r\nHost: a\r\n");
  listener.Adopt(std::move(handover));
  EXPECT_EQ(listener.connections(), 1u);
  peer->Send("\r\n");
  const std::optional<Answer> answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "ok");
}

TEST_F(ListenerTest, AnswersARequestThatMovesToAWorkerThatDrains) {
  Listener& listener = Make();
  ASSERT_TRUE(listener.Listen("127.0.0.1", 0));
  listener.StopAccepting();
  auto [handover, peer] = Moved(std::string(kRequest));
  listener.Adopt(std::move(handover));
  listener.Drain();  // before the request was looked at
  const std::optional<Answer> answer = peer->TakeAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "ok");
  listener.Drain();
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_EQ(listener.connections(), 0u);
}

TEST_F(ListenerTest, NothingMovesAwayFromAWorkerThatDrains) {
  Listener& home = Make();
  Listener& other = Make(Quota::Make({.total = 100}), 1);
  const auto port = home.Listen("127.0.0.1", 0);
  ASSERT_TRUE(port && other.Listen("127.0.0.1", 0));
  home.StartAccepting();
  const auto first = Connect(*port);
  home.StopAccepting();
  auto [handover, second] = Moved("");
  home.Adopt(std::move(handover));
  done_at = 1;
  for (unsigned i = 0; i < 2 * Connection::kHopsToMove; ++i) {
    for (Peer* peer : {first.get(), second.get()}) {
      peer->Send(kRequest);
      ASSERT_TRUE(peer->TakeAnswer()) << i;
    }
  }
  EXPECT_EQ(other.connections(), 0u);
  EXPECT_EQ(home.connections(), 2u);
}

TEST_F(ListenerTest, EndsAConnectionThatHasNotHadItsFirstTurn) {
  const auto places = Quota::Make({.total = 1});
  Listener& listener = Make(places);
  ASSERT_TRUE(listener.Listen("127.0.0.1", 0));
  auto [handover, peer] = Moved(std::string(kRequest));
  handover.place = *places->Take(0);
  listener.Adopt(std::move(handover));
  listener.Abort();
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_EQ(peer->received(), "") << "nothing is served any more";
  EXPECT_EQ(places->held(), 0u);
}

TEST_F(ListenerTest, ClosesAConnectionThatMovesToAWorkerThatStops) {
  Listener& listener = Make();
  ASSERT_TRUE(listener.Listen("127.0.0.1", 0));
  listener.StopAccepting();
  listener.Abort();
  auto [handover, peer] = Moved("");
  listener.Adopt(std::move(handover));
  handover = {.fd = Fd(), .protocol = net::ip::tcp::v4(), .unread = ""};
  EXPECT_EQ(listener.connections(), 0u);
  EXPECT_TRUE(peer->WaitForClose());
}

TEST_F(ListenerTest, BindsAnyPortAndServesWhoConnects) {
  Listener& listener = Make();
  const auto port = listener.Listen("127.0.0.1", 0);
  ASSERT_TRUE(port);
  listener.StartAccepting();
  const auto first = Connect(*port);
  const auto second = Connect(*port);
  EXPECT_EQ(listener.connections(), 2U);
  for (const auto* peer : {&first, &second}) {
    (*peer)->Send(kRequest);
    EXPECT_EQ((*peer)->TakeAnswer()->body, "ok");
  }
}

TEST_F(ListenerTest, WorkersShareAPortButASecondGatewayIsTold) {
  const auto port = Make().Listen("127.0.0.1", 0);
  ASSERT_TRUE(port);
  EXPECT_TRUE(Make(Quota::Make({.total = 100}), 1).Listen("127.0.0.1", *port));
  const auto taken = Make().Listen("127.0.0.1", *port);
  ASSERT_FALSE(taken);
  EXPECT_TRUE(taken.error().message.contains(std::to_string(*port))) << taken.error().message;
}

TEST_F(ListenerTest, AnAddressThatIsNoneIsAnError) {
  const auto bound = Make().Listen("not an address", 0);
  ASSERT_FALSE(bound);
  EXPECT_TRUE(bound.error().message.contains("not an address"));
}

TEST_F(ListenerTest, BeyondItsBoundClientsWaitUntilOthersLeave) {
  Listener& listener = Make(Quota::Make({.total = 1}));
  const auto port = listener.Listen("127.0.0.1", 0);
  listener.StartAccepting();
  auto first = Connect(*port);
  auto second = Connect(*port);
  EXPECT_EQ(listener.connections(), 1U);
  second->Send(kRequest);
  Settle(context);
  second->Read();
  EXPECT_EQ(second->received(), "");
  first->Close();
  Settle(context);
  clock.Advance(std::chrono::milliseconds(50));
  timers.FireDue();
  EXPECT_EQ(second->TakeAnswer()->body, "ok");
}

TEST_F(ListenerTest, AfterTheDrainNobodyIsLeft) {
  Listener& listener = Make();
  const auto port = listener.Listen("127.0.0.1", 0);
  listener.StartAccepting();
  const auto peer = Connect(*port);
  listener.StopAccepting();
  listener.Drain();
  EXPECT_EQ(listener.connections(), 0U);
  EXPECT_TRUE(peer->WaitForClose());
  EXPECT_EQ(Connect(*port), nullptr);
}

}  // namespace
}  // namespace switchyard::edge
