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
#include "support/fake_sse_server.h"
#include "support/gateway_fixture.h"
#include "support/paths.h"

namespace switchyard::tests {
namespace {

using namespace std::chrono_literals;

// A server and what the configuration says to reach it. It speaks the modern era where the
// transport can.
struct Peer {
  std::unique_ptr<FakeServer> http;
  std::unique_ptr<FakeSseServer> sse;
  config::Server server;

  bool shares_a_channel() const { return http == nullptr; }
  bool WasLeft(const std::string& pid) const {
    if (http) return http->IsDeserted();
    return sse ? sse->IsDeserted() : IsGone(std::stoi(pid));
  }
};

Peer MakePeer(const std::string& transport) {
  Peer peer;
  peer.server.name = "a";
  if (transport == "http") {
    peer.http = std::unique_ptr<FakeServer>(new FakeServer(FakeServer::Modern("a")));
    peer.server.url = config::Secret(peer.http->url());
  } else if (transport == "http_sse") {
    peer.sse = std::make_unique<FakeSseServer>("a");
    peer.sse->ExpectComplaints();  // nobody initializes it here
    peer.server.url = config::Secret(peer.sse->url());
    peer.server.transport = config::HttpKind::kSse;
  } else if (transport == "stdio") {
    peer.server.command = config::Secret(paths::FakeStdioServer());
    peer.server.args = {config::Secret("--name"), config::Secret("a")};
  } else {
    ADD_FAILURE() << "no peer for the transport " << transport;
  }
  return peer;
}

constexpr const char* kModernMeta = R"(,"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                                    R"("io.modelcontextprotocol/clientCapabilities":{})";

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

  // A request under way, awaited by a task of its own, as a face would.
  struct Pending {
    std::string id, body, headers;
    Deadline deadline;
    std::vector<mcp::Message> messages;  // in the order in which they came, the response last
    std::optional<Error> error;
    bool over = false;
    TaskHandle task;
  };
  using PendingPtr = std::shared_ptr<Pending>;

  PendingPtr Send(const std::string& tool, const std::string& arguments = "{}",
                  Duration within = kPatience) {
    auto call = std::make_shared<Pending>();
    call->id = std::to_string(next_id_++);
    call->body = R"({"jsonrpc":"2.0","id":)" + call->id +
                 R"(,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":)" +
                 arguments + R"(,"_meta":{"progressToken":)" + call->id +
                 (peer.sse ? "" : kModernMeta) + "}}}";
    if (!peer.sse) {
      call->headers =
          "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: " + tool +
          "\r\n";
    }
    call->deadline = Deadline::In(Clock::Real(), within);
    call->task = TaskHandle(deps.executor(), "call", Pull(transport.get(), call.get()));
    return call;
  }
  // The text of the response.
  Result<std::string> Finish(const PendingPtr& call) {
    RunUntil([&call] { return call->over; });
    if (call->error) return Failure(*call->error);
    return TextAt(Parse(call->messages.back().ToText()), "/result/content/0/text");
  }
  // For calls that work.
  std::string Call(const std::string& tool, const std::string& arguments = "{}") {
    const Result<std::string> ended = Finish(Send(tool, arguments));
    return ended ? *ended : "failed: " + ended.error().message;
  }
  // Drops the reply, and does what a face does where that cannot be seen by the server.
  void Drop(const PendingPtr& call) {
    call->task.Cancel();
    context.restart();
    context.poll();
    if (transport->cancels_by_closing()) return;
    const std::string body =
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + call->id +
        "}}";
    const mcp::Pieces pieces = {body};
    const Result<void> told =
        Run(transport->Notify({.body = pieces,
                               .id = "",
                               .headers = "",
                               .deadline = Deadline::In(Clock::Real(), kPatience)}));
    EXPECT_TRUE(told);
  }

  Peer peer;
  downstream::Launcher launcher{{.own_binary = paths::SwitchyardBinary(),
                                 .environment = downstream::Launcher::ProcessEnvironment()}};
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

  static Task<void> Pull(downstream::Transport* to, Pending* call) {
    const mcp::Pieces pieces = {call->body};
    Result<ReplyPtr> reply = co_await to->Request(
        {.body = pieces, .id = call->id, .headers = call->headers, .deadline = call->deadline});
    if (!reply) call->error = std::move(reply.error());
    while (!call->error) {
      Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
      if (!next) {
        call->error = std::move(next.error());
      } else if (next->has_value()) {
        call->messages.push_back(std::move(**next));
        if (call->messages.back().is_response()) break;
      } else {
        call->error = Error{.code = Code::kProtocol, .message = "no response"};
      }
    }
    call->over = true;
  }

  int next_id_ = 1;
};

constexpr const char* kTransports[] = {
#define TRANSPORT(name, condition, placement) #name,
#include "downstream/transports.def"
#undef TRANSPORT
};

INSTANTIATE_TEST_SUITE_P(All, TransportContract, ::testing::ValuesIn(kTransports),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(TransportContract, ARequestIsAnswered) {
  EXPECT_EQ(Call("echo", R"({"text":"x"})"), "x");
  EXPECT_TRUE(strays.empty());
}

TEST_P(TransportContract, StartingTwiceIsStartingOnce) {
  const std::string before = Call("pid");
  EXPECT_TRUE(Run(transport->Start()));
  EXPECT_EQ(Call("pid"), before);
}

TEST_P(TransportContract, WhatPrecedesAResponseComesBeforeIt) {
  const PendingPtr call = Send("progress", R"({"steps":3})");
  EXPECT_EQ(Finish(call), "done");
  ASSERT_EQ(call->messages.size(), 4u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call->messages[i].method(), mcp::Method::kProgress);
  EXPECT_TRUE(strays.empty());
}

TEST_P(TransportContract, AnswersThatComeInAnotherOrderFindTheirRequests) {
  const PendingPtr first = Send("hold", R"({"label":"one"})");
  const PendingPtr second = Send("hold", R"({"label":"two"})");
  EXPECT_EQ(Call("release", R"({"label":"two"})"), "ok");
  EXPECT_EQ(Finish(second), "released two");
  EXPECT_EQ(Call("release", R"({"label":"one"})"), "ok");
  EXPECT_EQ(Finish(first), "released one");
}

TEST_P(TransportContract, ADroppedReplyIsCancelledInTheServer) {
  const PendingPtr call = Send("hold", R"({"label":"x"})");
  EXPECT_EQ(Call("await", R"({"event":"started:x"})"), "happened");
  Drop(call);
  EXPECT_EQ(Call("await", R"({"event":"cancelled:x"})"), "happened");
}

TEST_P(TransportContract, ADeadlineEndsAWait) {
  const Result<std::string> ended = Finish(Send("hold", R"({"label":"x"})", 100ms));
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

// A stray line on a shared channel is nobody's answer, so there the call goes on to its deadline.
TEST_P(TransportContract, RubbishIsNoAnswer) {
  const Result<std::string> ended = Finish(Send("rubbish", "{}", 300ms));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, peer.shares_a_channel() ? Code::kDeadline : Code::kProtocol)
      << ended.error().message;
  EXPECT_EQ(Call("echo", R"({"text":"x"})"), "x");
}

TEST_P(TransportContract, AnAnswerToNobodyIsNoAnswer) {
  const Result<std::string> ended = Finish(Send("wrong_id", "{}", 300ms));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().origin, Origin::kServer) << ended.error().message;
  EXPECT_EQ(Call("echo", R"({"text":"x"})"), "x");
}

TEST_P(TransportContract, AMessageWithoutEndIsCutOff) {
  const Result<std::string> ended = Finish(Send("endless", R"({"bytes":104857600})"));
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().code, Code::kDeadline) << ended.error().message;
}

TEST_P(TransportContract, ACloseLeavesNothing) {
  const std::string pid = Call("pid");
  RunVoid(transport->Close());
  EXPECT_TRUE(down.empty()) << "a close is no fault";
  EXPECT_TRUE(peer.WasLeft(pid));
}

}  // namespace
}  // namespace switchyard::tests
