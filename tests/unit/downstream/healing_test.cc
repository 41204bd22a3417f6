// A session with a legacy server that is lost and made anew: what of it comes back, and what never
// happens twice.
#include <gtest/gtest.h>

#include "unit/downstream/server_fixture.h"

namespace switchyard::downstream {
namespace {

class HealingTest : public DownstreamTest {
 protected:
  // A server with the session "s1" that knows only `known` from now on.
  void Begin() {
    wire_.http = true;
    wire_.answer = [this](const Sent& sent) {
      if (sent.method() == "server/discover") return Fails(Code::kNotFound, 404);
      if (sent.method() == "initialize") {
        if (!welcoming_) return Fails(Code::kUnavailable, 503);
        Script hello = Gives(kInitialized);
        hello.session_id = known_;
        return hello;
      }
      if (!sent.headers.contains("Mcp-Session-Id: " + known_ + "\r\n")) {
        return Fails(Code::kNotFound, 404);
      }
      return Gives(R"({"content":[]})");
    };
    wire_.open_stream = [](HttpFacts*) { return std::make_shared<Feed>(); };
    Connect();
  }
  void Forget(const std::string& next) { known_ = next; }
  std::string CallWithLevel(const std::string& level) {
    Call& call = NewCall("tools/call", R"({"name":"t"})");
    call.log_level = level;
    Result<ReplyPtr> reply = Handle(call);
    return Next(reply);
  }
  std::vector<std::string> Levels() const {
    std::vector<std::string> levels;
    for (const Sent& one : wire_.sent) {
      if (one.method() != "logging/setLevel") continue;
      const std::size_t at = one.headers.find(": s") + 2;
      levels.push_back(one.headers.substr(at, 2) + " " + one.message.GetString(mcp::Key::kLevel));
    }
    return levels;
  }

  std::string known_ = "s1";
  bool welcoming_ = true;
};

TEST_F(HealingTest, TheLogLevelIsSetAgainInTheNewSession) {
  Begin();
  CallWithLevel("info");
  CallWithLevel("error");
  EXPECT_EQ(Levels(), std::vector<std::string>{"s1 info"}) << "never lowered";
  Forget("s2");
  EXPECT_TRUE(CallWithLevel("info").contains("content"));
  EXPECT_EQ(Levels().back(), "s2 info");
}

TEST_F(HealingTest, AWorkerDoesNotLowerTheLevelThatAnotherHasRaised) {
  Begin();
  CallWithLevel("debug");
  FakeTransport::Wire other_wire;
  other_wire.http = true;
  other_wire.answer = [](const Sent&) { return Gives(R"({"content":[]})"); };
  class Nobody final : public Service {
    Task<Result<ReplyPtr>> Handle(Call&) override {
      co_return Failure(Code::kInternal, Origin::kGateway, "not to be asked");
    }
  };
  const auto nobody = std::make_shared<Nobody>();
  auto other = std::make_unique<ServerDownstream>(
      "x", std::make_unique<FakeTransport>(other_wire, loop_.deps()), loop_.deps(),
      ServerDownstream::Elsewhere{.links = server_->links(), .home = nobody});
  Call& call = NewCall("tools/call", R"({"name":"t"})");
  call.log_level = "error";
  Result<ReplyPtr> reply = loop_.Run(other->Handle(call));
  EXPECT_TRUE(Next(reply).contains("content"));
  EXPECT_EQ(other_wire.Methods(), std::vector<std::string>{"tools/call"});
  reply = nullptr;
  other = nullptr;
  loop_.RunReady();  // what they leave behind uses the wire
}

TEST_F(HealingTest, WhoListenedListensAgainAndIsSubscribedInTheNewSession) {
  Begin();
  const char* listen =
      R"({"notifications":{"toolsListChanged":true,"resourceSubscriptions":["x://y"]}})";
  Result<ReplyPtr> before = Handle("subscriptions/listen", listen);
  EXPECT_TRUE(Next(before).contains(R"("resourceSubscriptions":["x://y"])"));
  Forget("s2");
  EXPECT_TRUE(AnswerTo("tools/call", R"({"name":"t"})").contains("content"));
  EXPECT_EQ(Next(before), "server x: its session was made anew");
  Result<ReplyPtr> after = Handle("subscriptions/listen", listen);
  EXPECT_TRUE(Next(after).contains(R"("resourceSubscriptions":["x://y"])"));
  EXPECT_EQ(wire_.Count("resources/subscribe"), 2);
  EXPECT_TRUE(wire_.Last("resources/subscribe")->headers.contains("Mcp-Session-Id: s2\r\n"));
}

TEST_F(HealingTest, ACallThatTheServerMayHaveRunIsNotSentAgain) {
  Begin();
  wire_.answer = [](const Sent&) { return Fails(Code::kUnavailable); };
  EXPECT_FALSE(Handle("tools/call", R"({"name":"t"})"));
  wire_.answer = [](const Sent&) { return Fails(Code::kUnavailable, 502); };
  EXPECT_FALSE(Handle("tools/call", R"({"name":"t"})"));
  EXPECT_EQ(wire_.Count("tools/call"), 2);
}

TEST_F(HealingTest, ASessionThatIsLostWhileItIsMadeIsMadeOnceMore) {
  Begin();
  wire_.take = [this](const Sent& sent) {
    if (sent.headers.contains("s2")) Forget("s3");
    return sent.headers.contains(known_) ? 202 : 404;
  };
  Forget("s2");
  EXPECT_TRUE(AnswerTo("tools/call", R"({"name":"t"})").contains("content"));
  EXPECT_EQ(wire_.Count("initialize"), 2);
}

TEST_F(HealingTest, AnotherWorkerWaitsForTheSessionThatIsBeingMade) {
  Begin();
  wire_.answer = [](const Sent& sent) {
    return sent.method() == "initialize" ? Script{.session_id = "s2"} : Fails(Code::kNotFound, 404);
  };
  const auto links = server_->links();
  std::string first, second;
  const auto ask = [](LinkSource& from, std::uint64_t stale, std::string& out) -> Task<void> {
    Result<LinkPtr> link = stale == 0 ? co_await from.Current() : co_await from.Get(stale);
    out = link ? (*link)->session_id : link.error().message;
  };
  switchyard::Spawn(loop_.deps().executor(), "get", ask(*links, 1, first));
  loop_.RunReady();
  switchyard::Spawn(loop_.deps().executor(), "current", ask(*links, 0, second));
  loop_.RunReady();
  EXPECT_EQ(first + second, "") << "the server has not answered yet";
  wire_.open.at(OpenId())->Put(R"({"jsonrpc":"2.0","id":)" + OpenId() + R"(,"result":)" +
                               kInitialized + "}");
  loop_.RunReady();
  EXPECT_EQ(first, "s2");
  EXPECT_EQ(second, "s2");
}

TEST_F(HealingTest, ASessionThatCannotBeMadeAnewIsAServerThatIsDown) {
  Begin();
  std::vector<std::string> downs;
  server_->OnDown([&](const Error& error) { downs.push_back(error.message); });
  Forget("s2");
  welcoming_ = false;
  EXPECT_FALSE(Handle("tools/call", R"({"name":"t"})"));
  EXPECT_EQ(downs.size(), 1U);
  EXPECT_EQ(Handle("tools/call", R"({"name":"t"})").error().message, "server x: down");
  welcoming_ = true;
  Connect();
  EXPECT_TRUE(AnswerTo("tools/call", R"({"name":"t"})").contains("content"));
}

TEST_F(HealingTest, WhoAsksForTheSessionAfterTheEndIsToldSo) {
  Begin();
  wire_.answer = [](const Sent&) { return Hangs(); };
  const auto links = server_->links();
  switchyard::Spawn(loop_.deps().executor(), "get", [](LinkSource& from) -> Task<void> {
    Result<LinkPtr> ignored = co_await from.Get(1);
    static_cast<void>(ignored);
  }(*links));
  loop_.RunReady();
  loop_.Run(server_->Close());
  const Result<LinkPtr> link = loop_.Run(links->Current());
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().message, "server x: stopped");
}

}  // namespace
}  // namespace switchyard::downstream
