// One HTTP transport against a scripted server, on one io_context, with a clock that stands still.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "downstream/http.h"
#include "support/scripted_http_server.h"

namespace switchyard::downstream {

using tests::ScriptedHttpServer;

inline const std::string kRequestBody = R"({"jsonrpc":"2.0","id":7,"method":"tools/call"})";
inline const std::string kResponse = R"({"jsonrpc":"2.0","id":7,"result":{"n":1}})";
inline const std::string kProgress = R"({"jsonrpc":"2.0","method":"notifications/progress"})";

class HttpTest : public ::testing::Test {
 protected:
  // Runs the loop until the task is over. On real sockets, with a time limit as a safety net.
  template <class T>
  T Run(Task<T> task) {
    std::optional<T> result;
    Spawn(context_.get_executor(), "test", Keep(std::move(task), result));
    RunUntil([&] { return result.has_value(); });
    if (!result) throw std::runtime_error("the task hangs");
    return std::move(*result);
  }
  template <class Done>
  bool RunUntil(Done done) {
    context_.restart();
    while (!done()) {
      if (context_.run_one_for(std::chrono::seconds(20)) == 0) return false;
    }
    return true;
  }
  // Everything that can happen without waiting.
  void RunAll() {
    context_.restart();
    while (context_.poll() > 0) {
    }
  }

  config::Server Config(std::string url) {
    config::Server server;
    server.name = "x";
    server.url = config::Secret(url, url);
    return server;
  }
  HttpTransport& transport() {
    if (!transport_) Use(Config(server_.Url()));
    return *transport_;
  }
  void Use(const config::Server& server) {
    transport_ = std::make_unique<HttpTransport>(server, deps_);
  }
  void Pass(Duration time) {
    clock_.Advance(time);
    timers_.FireDue();
  }

  Outgoing Out() {
    return Outgoing{.body = body_,
                    .id = "7",
                    .headers = headers_,
                    .deadline = deadline_,
                    .facts = &facts_,
                    .resumable = resumable_};
  }
  Result<ReplyPtr> Post() { return Run(transport().Request(Out())); }
  Result<std::optional<mcp::Message>> Next(ReplyPtr& reply) { return Run(reply->Next()); }

  // All messages of the reply, or how it failed.
  std::vector<std::string> All(Result<ReplyPtr> reply) {
    std::vector<std::string> all;
    while (reply) {
      Result<std::optional<mcp::Message>> next = Next(*reply);
      if (!next) {
        all.push_back(next.error().message);
        return all;
      }
      if (!*next) return all;
      all.push_back((*next)->ToText());
      if ((*next)->is_response()) return all;
    }
    all.push_back(reply.error().message);
    return all;
  }
  std::vector<std::string> Call() { return All(Post()); }
  Error CallError() {
    Result<ReplyPtr> reply = Post();
    if (!reply) return reply.error();
    Result<std::optional<mcp::Message>> next = Next(*reply);
    return next ? Error{.message = "no error"} : next.error();
  }

  net::io_context context_{1};
  ManualClock clock_;
  Timers timers_{context_, clock_};
  Deps deps_{.context = context_, .timers = timers_, .clock = clock_};
  ScriptedHttpServer server_{context_};
  mcp::Pieces body_{std::string_view(kRequestBody)};
  std::string headers_ = "Mcp-Method: tools/call\r\n";
  Deadline deadline_ = Deadline::In(clock_, std::chrono::seconds(30));
  HttpFacts facts_;
  bool resumable_ = false;
  std::unique_ptr<HttpTransport> transport_;

 private:
  template <class T>
  static Task<void> Keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
};

}  // namespace switchyard::downstream
