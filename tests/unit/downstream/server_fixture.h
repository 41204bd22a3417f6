// A ServerDownstream over a scripted transport.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "downstream/server_downstream.h"
#include "unit/downstream/fake_transport.h"
#include "unit/downstream/loop.h"

namespace switchyard::downstream {

inline const std::string kDiscovered =
    R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{}})";
inline const std::string kInitialized =
    R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{},)"
    R"("resources":{"subscribe":true}},"serverInfo":{"name":"old"}})";

class DownstreamTest : public ::testing::Test {
 protected:
  using Scripts = std::map<std::string, Script>;

  void Answers(Scripts scripts) {
    wire_.answer = [scripts = std::move(scripts)](const Sent& sent) {
      const auto found = scripts.find(sent.method());
      return found == scripts.end() ? Hangs() : found->second;
    };
  }
  void Modern(Scripts scripts = {}) {
    scripts.emplace("server/discover", Gives(kDiscovered));
    Answers(std::move(scripts));
    Connect();
  }
  void Legacy(Scripts scripts = {}, const std::string& session = "") {
    Script hello = Gives(kInitialized);
    hello.session_id = session;
    scripts.emplace("server/discover", Refuses(-32601));
    scripts.emplace("initialize", hello);
    Answers(std::move(scripts));
    Connect();
  }
  void Connect() {
    const Result<ServerFacts> facts = loop_.Run(server_->Connect());
    ASSERT_TRUE(facts) << facts.error().message;
    wire_.sent.clear();
  }
  Call& NewCall(const std::string& method, const std::string& params = "{}") {
    auto call = std::make_unique<Call>();
    call->message = *mcp::Message::Parse(R"({"jsonrpc":"2.0","id":"c1","method":")" + method +
                                         R"(","params":)" + params + "}");
    calls_.push_back(std::move(call));
    return *calls_.back();
  }
  Result<ReplyPtr> Handle(Call& call) { return loop_.Run(server_->Handle(call)); }
  Result<ReplyPtr> Handle(const std::string& method, const std::string& params = "{}") {
    return Handle(NewCall(method, params));
  }
  std::string Next(Result<ReplyPtr>& reply) {
    if (!reply) return "no reply: " + reply.error().message;
    Result<std::optional<mcp::Message>> next = loop_.Run((*reply)->Next());
    if (!next) return next.error().message;
    return *next ? (**next).ToText() : "end";
  }
  std::string AnswerTo(const std::string& method, const std::string& params = "{}") {
    Result<ReplyPtr> reply = Handle(method, params);
    return Next(reply);
  }
  // A call under way, up to its first message; dropped with the task.
  struct Running {
    std::shared_ptr<std::string> answer = std::make_shared<std::string>();
    TaskHandle task;
  };
  Running Begin(Call& call) {
    Running running;
    running.task = TaskHandle(
        loop_.deps().executor(), "call",
        [](Downstream& server, Call& own, std::shared_ptr<std::string> answer) -> Task<void> {
          Result<ReplyPtr> reply = co_await server.Handle(own);
          if (!reply) {
            answer->assign(reply.error().message);
            co_return;
          }
          Result<std::optional<mcp::Message>> next = co_await (*reply)->Next();
          answer->assign(!next ? next.error().message : *next ? (**next).ToText() : "end");
        }(*server_, call, running.answer));
    loop_.RunReady();
    return running;
  }
  void TearDown() override {
    server_ = nullptr;
    loop_.RunReady();  // farewells in the background still use the wire
  }
  // The id under which the only open request went out.
  std::string OpenId() { return wire_.open.rbegin()->first; }

  Loop loop_;
  FakeTransport::Wire wire_;
  std::vector<std::unique_ptr<Call>> calls_;  // outlive their replies
  std::unique_ptr<ServerDownstream> server_ = std::make_unique<ServerDownstream>(
      "x", std::make_unique<FakeTransport>(wire_, loop_.deps()), loop_.deps(), ProbeSettings{});
};

}  // namespace switchyard::downstream
