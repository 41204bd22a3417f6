// What every transport promises (downstream/transport.h), for every row of transports.def. A new
// row needs a peer here.
#include "downstream/transport.h"

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "config/config.h"
#include "downstream/launcher.h"
#include "downstream/transports.h"
#include "support/fake_server.h"
#include "support/gateway_fixture.h"

namespace switchyard::tests {
namespace {

using namespace std::chrono_literals;

// A server that speaks the modern era, and what the configuration says to reach it.
struct Peer {
  std::unique_ptr<FakeServer> http;  // null: a child
  config::Server server;
};

Peer MakePeer(const std::string& transport) {
  Peer peer;
  peer.server.name = "a";
  if (transport == "http") {
    peer.http = std::unique_ptr<FakeServer>(new FakeServer(FakeServer::Modern("a")));
    peer.server.url = config::Secret(peer.http->url());
  } else if (transport == "stdio") {
    peer.server.command = config::Secret(FAKE_STDIO_SERVER);
    peer.server.args = {config::Secret("--name"), config::Secret("a")};
  } else {
    ADD_FAILURE() << "no peer for the transport " << transport;
  }
  return peer;
}

class TransportContract : public ::testing::TestWithParam<const char*> {
 protected:
  TransportContract() : peer(MakePeer(GetParam())) {
    transport = downstream::MakeTransport(peer.server, deps, {.launcher = &launcher});
    transport->OnDown([this](Error error) { down.push_back(std::move(error)); });
    transport->OnUnsolicited([this](mcp::Message message) { strays.push_back(message.ToText()); });
    const Result<void> started = Run(transport->Start());
    EXPECT_TRUE(started) << started.error().message;
  }
  ~TransportContract() override {
    if (transport) RunVoid(transport->Close());
    transport = nullptr;
    context.restart();
    context.poll();
  }

  // The task's result; the loop runs until it is there.
  template <class T>
  T Run(Task<T> task) {
    std::optional<T> result;
    Spawn(deps.executor(), "test", Store(std::move(task), &result));
    RunUntil([&result] { return result.has_value(); });
    return std::move(*result);
  }
  void RunVoid(Task<void> task) {
    bool done = false;
    Spawn(deps.executor(), "test", Tell(std::move(task), &done));
    RunUntil([&done] { return done; });
  }
  template <class Condition>
  void RunUntil(Condition holds) {
    while (!holds()) {
      context.restart();
      if (context.run_one_for(kPatience) == 0) {
        ADD_FAILURE() << "nothing happened for too long";
        std::abort();  // what the task refers to is about to go
      }
    }
  }

  Result<ReplyPtr> Send(const std::string& tool, const std::string& arguments = "{}",
                        Deadline deadline = Deadline::In(Clock::Real(), kPatience)) {
    const std::string id = std::to_string(next_id_++);
    const std::string body =
        R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":{"name":")" + tool +
        R"(","arguments":)" + arguments + R"(,"_meta":{"progressToken":)" + id +
        R"(,"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
    const std::string headers =
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: " + tool + "\r\n";
    const mcp::Pieces pieces = {body};
    last_id_ = id;
    return Run(transport->Request(
        {.body = pieces, .id = last_id_, .headers = headers, .deadline = deadline}));
  }
  Result<std::optional<mcp::Message>> Next(Result<ReplyPtr>& reply) {
    return Run((*reply)->Next());
  }
  // The end of a call: its response as text, or what went wrong.
  Result<std::string> Finish(Result<ReplyPtr> reply) {
    if (!reply) return Failure(std::move(reply.error()));
    for (;;) {
      Result<std::optional<mcp::Message>> next = Next(reply);
      if (!next) return Failure(std::move(next.error()));
      if (!next->has_value()) return "ended";
      if ((*next)->is_response()) return TextAt(Parse((*next)->ToText()), kText);
    }
  }
  // For calls that work.
  std::string Call(const std::string& tool, const std::string& arguments = "{}") {
    const Result<std::string> ended = Finish(Send(tool, arguments));
    return ended ? *ended : "failed: " + ended.error().message;
  }
  // What a face does about a reply that was dropped.
  void Cancel(Result<ReplyPtr>& reply) {
    reply->reset();
    if (transport->cancels_by_closing()) return;
    const std::string body =
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + last_id_ +
        "}}";
    const mcp::Pieces pieces = {body};
    const Result<void> told =
        Run(transport->Notify({.body = pieces,
                               .id = "",
                               .headers = "",
                               .deadline = Deadline::In(Clock::Real(), kPatience)}));
    EXPECT_TRUE(told);
  }

  static constexpr std::string_view kText = "/result/content/0/text";

  Peer peer;
  downstream::Launcher launcher{
      {.own_binary = SWITCHYARD_BINARY, .environment = downstream::Launcher::ProcessEnvironment()}};
  net::io_context context{1};
  Timers timers{context, Clock::Real()};
  Deps deps{.context = context, .timers = timers, .clock = Clock::Real()};
  std::unique_ptr<downstream::Transport> transport;
  std::vector<Error> down;
  std::vector<std::string> strays;

 private:
  template <class T>
  static Task<void> Store(Task<T> task, std::optional<T>* result) {
    T value = co_await std::move(task);
    result->emplace(std::move(value));
  }
  static Task<void> Tell(Task<void> task, bool* done) {
    co_await std::move(task);
    *done = true;
  }

  int next_id_ = 1;
  std::string last_id_;
};

constexpr const char* kTransports[] = {
#define TRANSPORT(name, condition, placement) #name,
#include "downstream/transports.def"
#undef TRANSPORT
};

INSTANTIATE_TEST_SUITE_P(All, TransportContract, ::testing::ValuesIn(kTransports),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(TransportContract, ARequestIsAnsweredAndThenItEnds) {
  Result<ReplyPtr> reply = Send("echo", R"({"text":"x"})");
  ASSERT_TRUE(reply) << reply.error().message;
  const Result<std::optional<mcp::Message>> first = Next(reply);
  ASSERT_TRUE(first && first->has_value());
  EXPECT_TRUE((*first)->is_response());
  EXPECT_EQ(TextAt(Parse((*first)->ToText()), kText), "x");
}

TEST_P(TransportContract, StartingTwiceIsStartingOnce) {
  const std::string before = Call("pid");
  EXPECT_TRUE(Run(transport->Start()));
  EXPECT_EQ(Call("pid"), before);
}

TEST_P(TransportContract, WhatPrecedesAResponseComesBeforeIt) {
  Result<ReplyPtr> reply = Send("progress", R"({"steps":3})");
  ASSERT_TRUE(reply);
  for (int i = 0; i < 3; ++i) {
    const Result<std::optional<mcp::Message>> next = Next(reply);
    ASSERT_TRUE(next && next->has_value());
    EXPECT_EQ((*next)->method(), mcp::Method::kProgress);
  }
  const Result<std::optional<mcp::Message>> last = Next(reply);
  ASSERT_TRUE(last && last->has_value());
  EXPECT_TRUE((*last)->is_response());
  EXPECT_TRUE(strays.empty());
}

TEST_P(TransportContract, AnswersThatComeInAnotherOrderFindTheirRequests) {
  Result<ReplyPtr> first = Send("hold", R"({"label":"one"})");
  Result<ReplyPtr> second = Send("hold", R"({"label":"two"})");
  EXPECT_EQ(Call("release", R"({"label":"two"})"), "ok");
  EXPECT_EQ(Finish(std::move(second)), "released two");
  EXPECT_EQ(Call("release", R"({"label":"one"})"), "ok");
  EXPECT_EQ(Finish(std::move(first)), "released one");
}

TEST_P(TransportContract, ADroppedReplyIsCancelledInTheServer) {
  Result<ReplyPtr> reply = Send("hold", R"({"label":"x"})");
  ASSERT_TRUE(reply);
  Cancel(reply);
  EXPECT_EQ(Call("await", R"({"event":"cancelled:x"})"), "happened");
}

TEST_P(TransportContract, ADeadlineEndsAWait) {
  const Result<std::string> ended =
      Finish(Send("hold", R"({"label":"x"})", Deadline::In(Clock::Real(), 100ms)));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kDeadline) << ended.error().message;
  EXPECT_FALSE(ended.error().retryable);
  EXPECT_EQ(Call("echo", R"({"text":"x"})"), "x");
}

TEST_P(TransportContract, APeerThatDiesFailsItsCallAsUnavailable) {
  const Result<std::string> died = Finish(Send("die"));
  ASSERT_FALSE(died);
  EXPECT_EQ(died.error().code, Code::kUnavailable) << died.error().message;
  EXPECT_EQ(died.error().origin, Origin::kServer);
  EXPECT_FALSE(died.error().retryable) << "it may have run";
}

TEST_P(TransportContract, APeerThatDiedIsReachedAgainAfterAStart) {
  Call("die");
  const Result<void> again = Run(transport->Start());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(Call("echo", R"({"text":"back"})"), "back");
}

TEST_P(TransportContract, RubbishEndsTheCallAsABrokenProtocol) {
  const Result<std::string> ended = Finish(Send("rubbish"));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kProtocol) << ended.error().message;
}

TEST_P(TransportContract, AnAnswerToNobodyEndsTheCall) {
  const Result<std::string> ended = Finish(Send("wrong_id"));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().origin, Origin::kServer) << ended.error().message;
}

TEST_P(TransportContract, AMessageWithoutEndEndsTheCall) {
  const Result<std::string> ended = Finish(Send("endless", R"({"bytes":104857600})"));
  ASSERT_FALSE(ended);
}

TEST_P(TransportContract, AClosedTransportFailsWhatIsPending) {
  Result<ReplyPtr> reply = Send("hold", R"({"label":"x"})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(Call("await", R"({"event":"started:x"})"), "happened");
  const std::string pid = Call("pid");
  RunVoid(transport->Close());
  EXPECT_TRUE(down.empty()) << "a close is no fault";
  const Result<std::string> after = Finish(Send("echo"));
  EXPECT_FALSE(after);
  if (peer.http == nullptr) {
    EXPECT_FALSE(Finish(std::move(reply)));
    EXPECT_TRUE(IsGone(std::stoi(pid)));
  }
}

}  // namespace
}  // namespace switchyard::tests
