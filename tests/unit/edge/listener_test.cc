#include "edge/listener.h"

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

  Listener& Make(std::size_t max_connections = 100, unsigned worker = 0) {
    Deps own = deps;
    own.worker = worker;
    listeners.push_back(std::make_unique<Listener>(
        own, Listener::Options{.max_connections = max_connections, .limits = {}},
        [](Exchange& exchange, Connection&) -> Task<void> {
          co_await exchange.Respond(200, "text/plain", "ok");
        }));
    return *listeners.back();
  }
  ~ListenerTest() override {
    for (const auto& listener : listeners) {
      listener->StopAccepting();
      listener->Abort();
    }
    Settle(context);
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
  EXPECT_TRUE(Make(100, 1).Listen("127.0.0.1", *port));
  const auto taken = Make(100, 0).Listen("127.0.0.1", *port);
  ASSERT_FALSE(taken);
  EXPECT_TRUE(taken.error().message.contains(std::to_string(*port))) << taken.error().message;
}

TEST_F(ListenerTest, AnAddressThatIsNoneIsAnError) {
  const auto bound = Make().Listen("not an address", 0);
  ASSERT_FALSE(bound);
  EXPECT_TRUE(bound.error().message.contains("not an address"));
}

TEST_F(ListenerTest, BeyondItsBoundClientsWaitUntilOthersLeave) {
  Listener& listener = Make(1);
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
