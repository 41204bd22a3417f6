// Calls, services and replies for tests, in few words.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mailbox.h"
#include "core/service.h"

namespace switchyard::testing {

using Pulled = Result<std::optional<mcp::Message>>;

inline mcp::Message Notification(std::string_view method, std::string_view params) {
  return mcp::Message::Make("", method, params);
}
inline mcp::Message ResultOf(std::string_view result, std::string_view raw_id = "99") {
  return mcp::Message::FromResult(raw_id, std::string(result));
}

inline std::shared_ptr<const Client> ClientWho(mcp::Version version, Tasks tasks,
                                               std::string capabilities = "{}") {
  auto client = std::make_shared<Client>();
  client->version = version;
  client->tasks = tasks;
  client->capabilities = std::move(capabilities);
  return client;
}

// What a test says and sees of one reply.
struct Script {
  Mailbox<Pulled> messages;
  bool dropped = false;  // the reply is gone

  void Say(mcp::Message message) { messages.Put(std::optional(std::move(message))); }
  void Fail(Error error) { messages.Put(std::unexpected(std::move(error))); }
  void End() { messages.Put(std::nullopt); }
};

class ScriptedReply final : public Reply {
 public:
  explicit ScriptedReply(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  ~ScriptedReply() override { script_->dropped = true; }
  Task<Pulled> Next() override {
    Pulled next = co_await script_->messages.Take();
    co_return next;
  }

 private:
  std::shared_ptr<Script> script_;
};

// Answers by the first rule that fits: what `answers` says of the method, else a scripted reply.
class FakeService : public Service {
 public:
  using Answer = std::function<Result<ReplyPtr>(Call&)>;

  Task<Result<ReplyPtr>> Handle(Call& call) override {
    seen.push_back(std::string(call.message.method_name()));
    last_call = Seen{.message = call.message.ToText(),
                     .progress_token = call.progress_token,
                     .log_level = call.log_level,
                     .endpoint = std::string(call.endpoint),
                     .client = call.client,
                     .forsaken = call.forsaken};
    for (const auto& [method, answer] : answers) {
      if (method == call.message.method_name()) co_return answer(call);
    }
    scripts.push_back(std::make_shared<Script>());
    co_return std::make_unique<ScriptedReply>(scripts.back());
  }

  void On(std::string method, Answer answer) {
    answers.emplace_back(std::move(method), std::move(answer));
  }
  void OnResult(std::string method, std::string result) {
    On(std::move(method), [result](Call&) -> Result<ReplyPtr> {
      return ReplyWith(mcp::Message::FromResult("99", result));
    });
  }

  struct Seen {
    std::string message, progress_token, log_level, endpoint;
    std::shared_ptr<const Client> client;
    bool forsaken = false;
  };
  std::vector<std::string> seen;  // methods
  std::optional<Seen> last_call;
  std::vector<std::pair<std::string, Answer>> answers;
  std::vector<std::shared_ptr<Script>> scripts;
};

}  // namespace switchyard::testing
