// A call, a service that does what a test says, and a worker's event loop, in few words.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mailbox.h"
#include "base/task.h"
#include "config/environment.h"
#include "config/section.h"
#include "core/call.h"
#include "core/policy.h"
#include "core/reply.h"
#include "policies/lib/states.h"
#include "policies/registry.h"
#include "telemetry/metrics.h"

namespace switchyard::policies::testing {

using Step = Result<std::optional<mcp::Message>>;

inline mcp::Message Parsed(const std::string& text) {
  Result<mcp::Message> message = mcp::Message::Parse(text);
  return message ? std::move(*message) : mcp::Message::Make("", "unparsable", "");
}

inline Call ToolCall(const std::string& tool = "t") {
  Call call;
  call.message = Parsed(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" +
                        tool + R"("}})");
  call.target.server = "x";
  return call;
}

inline Call ListenCall() {
  Call call;
  call.message = Parsed(
      R"({"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{}}})");
  return call;
}

inline Step Answer(const std::string& result = "{}") {
  return Parsed(R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}");
}
inline Step Broken(Code code, const std::string& message) {
  return Failure(code, Origin::kServer, message);
}
inline Step Progress() {
  return Parsed(R"({"jsonrpc":"2.0","method":"notifications/progress","params":{}})");
}

// Gives its steps; then hangs until dropped.
class ScriptReply final : public Reply {
 public:
  explicit ScriptReply(std::deque<Step> steps) : steps_(std::move(steps)) {}
  Task<Step> Next() override {
    if (steps_.empty()) co_await never_.Take();
    Step step = std::move(steps_.front());
    steps_.pop_front();
    co_return step;
  }

 private:
  std::deque<Step> steps_;
  Mailbox<bool> never_;
};

class FakeService final : public Service {
 public:
  std::function<Result<ReplyPtr>(Call&)> answer = [](Call&) -> Result<ReplyPtr> {
    return Script(Answer());
  };
  bool hangs = false;
  int calls = 0;

  template <class... Steps>
  static ReplyPtr Script(Steps... steps) {
    std::deque<Step> all;
    (all.push_back(std::move(steps)), ...);
    return std::make_unique<ScriptReply>(std::move(all));
  }

  Task<Result<ReplyPtr>> Handle(Call& call) override {
    ++calls;
    if (hangs) co_await never_.Take();
    Result<ReplyPtr> reply = answer(call);
    co_return reply;
  }

 private:
  Mailbox<bool> never_;
};

// One worker without a thread: Run() does all there is to do now.
class Loop {
 public:
  net::io_context context{1};
  Executor executor() { return context.get_executor(); }
  void Run() {
    context.restart();
    context.poll();
  }
  // Runs a task to its end and gives its result; nullopt when it waits for something.
  template <class T>
  std::optional<T> Run(Task<T> task) {
    auto result = std::make_shared<std::optional<T>>();
    handles_.push_back(
        std::make_unique<TaskHandle>(executor(), "test", Into(std::move(task), result)));
    Run();
    return std::move(*result);
  }
  // Ends what Run() left waiting.
  void Drop() {
    handles_.clear();
    Run();
  }
  ~Loop() { Drop(); }

 private:
  template <class T>
  static Task<void> Into(Task<T> task, std::shared_ptr<std::optional<T>> result) {
    T value = co_await std::move(task);
    result->emplace(std::move(value));
  }
  std::vector<std::unique_ptr<TaskHandle>> handles_;
};

using MakeFunction = std::shared_ptr<const Policy> (*)(const PolicyDeps&);

// A policy, and the settings that every call finds which comes through here.
class Settled final : public Policy {
 public:
  Settled(MakeFunction make, PolicyDeps deps, std::shared_ptr<const void> settings,
          const PolicyScope& scope) {
    if (deps.states == nullptr) deps.states = &states_;
    deps.slot = 0;
    policy_ = make(deps);
    set_.emplace(std::vector{policy_->Bind(std::move(settings), scope)});
  }

  Task<Result<ReplyPtr>> Handle(Call& call, Service& next) const override {
    call.target.policies = &*set_;
    return policy_->Handle(call, next);
  }
  // Of its own set, whichever is given.
  std::optional<Outage> OutageOf(const PolicySet& /*set*/, std::string_view tool) const override {
    return policy_->OutageOf(*set_, tool);
  }

 private:
  States states_;
  std::shared_ptr<const Policy> policy_;
  std::optional<PolicySet> set_;
};

inline config::PolicyKey KeyOf(const std::string& name) {
  for (config::PolicyKey& key : PolicyKeys()) {
    if (key.name == name) return key;
  }
  return {};
}

// The policy with settings as they stand in a configuration file ("{}" = its defaults), for calls
// of server x.
inline std::shared_ptr<const Policy> MakePolicy(
    const std::string& name, MakeFunction make, const std::string& yaml, const PolicyDeps& deps,
    const void* inherited = nullptr,
    const PolicyScope& scope = {
        .level = config::Level::kServer, .endpoint = {}, .server = "x", .glob = {}}) {
  const config::ProcessEnvironment environment;
  config::Document document(yaml, "test.yaml", environment);
  return std::make_shared<Settled>(
      make, deps, KeyOf(name).parse(std::move(*document.Root()), inherited), scope);
}

// What its parser says of bad settings: path and message of each.
inline std::vector<std::string> ProblemsOf(const std::string& name, const std::string& yaml) {
  const config::ProcessEnvironment environment;
  config::Document document(yaml, "test.yaml", environment);
  KeyOf(name).parse(std::move(*document.Root()), nullptr);
  std::vector<std::string> out;
  for (const config::Problem& problem : document.problems().Errors()) {
    out.push_back(problem.path + ": " + problem.message);
  }
  return out;
}

}  // namespace switchyard::policies::testing

// Every policy's Make, as order.def declares them.
namespace switchyard::policies {
#define POLICY(name, stage, ...)                              \
  namespace name {                                            \
  std::shared_ptr<const Policy> Make(const PolicyDeps& deps); \
  }
#include "policies/order.def"
#undef POLICY
}  // namespace switchyard::policies
