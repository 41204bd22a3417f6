// The policy context_budget over a store, with calls as a client would make them, and results that
// are so many tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/seal.h"
#include "core/resolver.h"
#include "mcp/error_map.h"
#include "mcp/json_string.h"
#include "policies/lib/context_size.h"
#include "policies/lib/result_shelves.h"
#include "store/memory.h"
#include "unit/policies/support.h"

namespace switchyard::policies::testing {

namespace json = boost::json;

inline std::string Text(const std::string& text, const std::string& more = "") {
  return R"({"content":[{"type":"text","text":)" + mcp::Quote(text) + "}]" + more + "}";
}

// About `tokens` tokens.
inline std::string Words(std::int64_t tokens) {
  std::string text;
  for (std::int64_t i = 0; i < tokens; ++i) text += i % 10 == 9 ? "word\n" : "word ";
  return text;
}

inline std::int64_t TokensOf(const json::object& result) {
  return TokensOfResult(json::serialize(result), *EstimatedTokens(), 1'000'000);
}

// 10,000 tokens are for tools; a result takes a quarter of what is left.
inline constexpr const char* kTenThousand =
    "{total: 11000, reserved: {system: 400, response: 600}, max_fraction: 0.25, "
    "min_available: 1000}";

class ContextBudgetPolicy : public ::testing::Test {
 protected:
  void With(const std::string& yaml, Store* store = nullptr) {
    PolicyDeps deps{.clock = clock_,
                    .metrics = metrics_,
                    .store = store != nullptr ? store : &store_,
                    .states = &states_,
                    .sealer = &sealer_};
    policy_ = context_budget::Make(deps);
    deps.slot = 1;
    reads_ = result_cap::Make(deps);
    const config::ProcessEnvironment environment;
    config::Document document(yaml, "test.yaml", environment);
    auto settings = KeyOf("context_budget").parse(std::move(*document.Root()), nullptr);
    set_.emplace(std::vector{policy_->Bind(std::move(settings), {})});
    tool_.kind = reader_.kind = ItemKind::kTool;
    tool_.exposed = tool_.name = "read";
    reader_.exposed = reader_.name = kResultReader;
    reader_.builtin = reads_->Tools().at(0);
  }
  // What With() said holds for the tool alone: where its pages are read from nothing is set.
  void OnlyForTheTool() {
    tool_.policies = std::shared_ptr<const PolicySet>(&*set_, [](const PolicySet*) {});
    of_reader_.emplace(std::vector<std::shared_ptr<const void>>{nullptr});
  }

  Call MakeCall(const std::string& arguments = "{}", const std::string& meta = "{}") {
    Call call;
    call.message = Parsed(
        R"({"jsonrpc":"2.0","id":"c1","method":"tools/call","params":{"name":"read","arguments":)" +
        arguments + R"(,"_meta":)" + meta + "}}");
    call.client = client_;
    call.caller = MakeCaller(caller_);
    call.endpoint = endpoint_;
    call.target.name = "read";
    call.target.definition = &tool_;
    call.target.policies = &*set_;
    call.target.others = &offer_;
    return call;
  }

  // The result of a call, or the tool's error in its stead.
  json::object Send(Call& call, Service& service) {
    auto reply = loop_.Run(policy_->Handle(call, service));
    if (!reply) return {};
    if (!*reply) {
      const mcp::Message told = mcp::ToolErrorMessage("1", reply->error());
      return json::parse(told.result()).as_object();
    }
    for (;;) {
      auto next = loop_.Run((**reply)->Next());
      if (!next || !*next || !**next) return {};
      if (!(**next)->is_response()) continue;
      const json::value message = json::parse((**next)->ToText());
      return message.as_object().contains("result") ? message.at("result").as_object()
                                                    : json::object();
    }
  }
  json::object Answered(const std::string& result, const std::string& arguments = "{}",
                        const std::string& meta = "{}") {
    service_.answer = [result](Call&) -> Result<ReplyPtr> {
      return ReplyWith(Parsed(R"({"jsonrpc":"2.0","id":"c1","result":)" + result + "}"));
    };
    Call call = MakeCall(arguments, meta);
    return Send(call, service_);
  }
  // A page of a cut result, read through the policy as a client would.
  json::object Read(const std::string& handle, std::int64_t page) {
    Call call = MakeCall(R"({"handle":")" + handle + R"(","page":)" + std::to_string(page) + "}");
    call.target.definition = &reader_;
    if (of_reader_) call.target.policies = &*of_reader_;
    ReaderService service(reads_->Tools().at(0));
    return Send(call, service);
  }

  static std::string TextAt(const json::object& result, std::size_t block = 0) {
    return std::string(result.at("content").as_array().at(block).at("text").as_string());
  }
  static bool IsRefused(const json::object& result) {
    return TextAt(result).starts_with("context budget: ");
  }
  static std::string HandleOf(const json::object& result) {
    return std::string(result.at("_meta").at("switchyard/cut").at("handle").as_string());
  }
  static std::shared_ptr<const Client> Session(const std::string& name) {
    Client client;
    client.session = name;
    return std::make_shared<const Client>(client);
  }
  // So that the next call is refused.
  void UseUp() {
    for (int i = 0; i < 20; ++i) Answered(Text(Words(5000)));
    ASSERT_TRUE(IsRefused(Answered(Text("x"))));
  }

  class ReaderService final : public Service {
   public:
    explicit ReaderService(std::shared_ptr<const BuiltinTool> tool) : tool_(std::move(tool)) {}
    Task<Result<ReplyPtr>> Handle(Call& call) override { return tool_->Handle(call); }

   private:
    std::shared_ptr<const BuiltinTool> tool_;
  };

  class Offer final : public Resolver {
   public:
    explicit Offer(const Definition& tool) : tool_(tool) {}
    const Definition* FindToolOf(std::string_view server, std::string_view tool) const override {
      return server.empty() && tool == tool_.exposed ? &tool_ : nullptr;
    }
    const std::shared_ptr<const PolicySet>& PoliciesOfUnknown() const override { return none_; }
    std::uint64_t UriViewOf(std::string_view /*server*/) const override { return 0; }

   private:
    const Definition& tool_;
    const std::shared_ptr<const PolicySet> none_;
  };

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  const Sealer sealer_{Sealer::RandomKey()};
  store::MemoryStore store_;
  States states_;
  std::shared_ptr<const Policy> policy_, reads_;
  std::optional<PolicySet> set_, of_reader_;
  Definition tool_, reader_;
  const Offer offer_{tool_};
  std::shared_ptr<const Client> client_ = Session("one");
  Principal caller_;
  std::string endpoint_;
  FakeService service_;
  Loop loop_;
};

}  // namespace switchyard::policies::testing
