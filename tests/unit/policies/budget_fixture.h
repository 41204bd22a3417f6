// A budget, a server that answers as it is told to, and calls of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mcp/error_map.h"
#include "store/memory.h"
#include "unit/policies/remote_store.h"
#include "unit/policies/support.h"

namespace switchyard::policies::testing {

class BudgetFixture : public ::testing::Test {
 protected:
  BudgetFixture() {
    for (const char* name : {"read", "write"}) {
      Definition& tool = *tools_.emplace_back(std::make_unique<Definition>());
      tool.kind = ItemKind::kTool;
      tool.server = "x";
      tool.name = name;
    }
  }

  // As the mapping at `path` of a configuration says it.
  std::shared_ptr<const Policy> Make(const std::string& yaml, const void* outer = nullptr,
                                     const std::string& path = "policies") {
    return std::make_shared<Settled>(
        &budget::Make, Deps(), Settings(yaml, outer, path),
        PolicyScope{.level = config::Level::kServer, .endpoint = {}, .server = "x", .glob = {}});
  }
  static std::shared_ptr<const void> Settings(const std::string& yaml, const void* outer = nullptr,
                                              const std::string& path = "policies") {
    const config::ProcessEnvironment environment;
    config::Document document(path + ": {budget: " + yaml + "}", "test.yaml", environment);
    config::Section root = std::move(*document.Root());
    config::Section level = std::move(*root.Child(path));
    return KeyOf("budget").parse(std::move(*level.Child("budget")), outer);
  }
  store::MemoryStore& store() {
    if (!store_) store_.emplace(store_limits_);
    return *store_;
  }
  PolicyDeps Deps() {
    return {.clock = clock_,
            .metrics = metrics_,
            .store = remote_ ? static_cast<Store*>(&*remote_) : &store(),
            .states = &states_};
  }

  Call Of(const std::string& subject = "", const std::string& arguments = "{}",
          const std::string& tool = "read") {
    Call call;
    call.message = Parsed(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":")" +
                          tool + R"(","arguments":)" + arguments + "}}");
    call.target.server = "x";
    call.target.name = tool;
    call.target.definition = tools_[tool == "read" ? 0 : 1].get();
    call.caller = MakeCaller({.subject = subject});
    return call;
  }

  static Task<std::string> Read(std::shared_ptr<const Policy> policy, Call& call, Service& next,
                                Error& error) {
    Result<ReplyPtr> reply = co_await policy->Handle(call, next);
    while (reply) {
      if (mcp::Message* whole = (*reply)->Whole()) co_return whole->ToText();
      Result<std::optional<mcp::Message>> message = co_await (*reply)->Next();
      if (!message) {
        error = message.error();
        co_return "error: " + error.message;
      }
      if (!*message) co_return "nothing";
      if ((*message)->is_response()) co_return (*message)->ToText();
    }
    error = reply.error();
    co_return "error: " + error.message;
  }
  // The text of the answer, "waits", or "error: ...".
  std::string Send(const std::shared_ptr<const Policy>& policy, Call call) {
    calls_.push_back(std::make_unique<Call>(std::move(call)));
    const auto text = loop_.Run(Read(policy, *calls_.back(), service_, error_));
    return text ? *text : "waits";
  }
  std::string Send(const std::shared_ptr<const Policy>& policy) { return Send(policy, Of()); }
  bool Passes(const std::shared_ptr<const Policy>& policy, Call call) {
    return !Send(policy, std::move(call)).starts_with("error");
  }
  bool Passes(const std::shared_ptr<const Policy>& policy) { return Passes(policy, Of()); }

  // What the server answers from now on.
  void Answers(const std::string& result, Duration takes = Duration::zero()) {
    service_.answer = [this, result, takes](Call&) -> Result<ReplyPtr> {
      clock_.Advance(takes);
      return ReplyWith(std::move(**Answer(result)));
    };
  }
  void Fails(Error error) {
    service_.answer = [error](Call&) -> Result<ReplyPtr> { return Failure(error); };
  }
  static boost::json::value At(const std::string& text, const std::string& pointer) {
    boost::system::error_code fault;
    const boost::json::value value = boost::json::parse(text, fault);
    const auto* found = value.find_pointer(pointer, fault);
    return found == nullptr ? boost::json::value() : *found;
  }
  std::string Data(const std::string& member) const {
    return boost::json::serialize(At(error_.data, "/" + member));
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  store::MemoryStore::Limits store_limits_;  // of the store, before it is first asked for
  std::optional<store::MemoryStore> store_;
  std::optional<RemoteStore> remote_;
  States states_;
  FakeService service_;
  std::vector<std::unique_ptr<Definition>> tools_;
  std::vector<std::unique_ptr<Call>> calls_;
  Error error_;
  Loop loop_;  // first to go
};

}  // namespace switchyard::policies::testing
