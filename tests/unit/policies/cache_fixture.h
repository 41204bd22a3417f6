// A cache, its server, and calls of it, for the tests of the policy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/resolver.h"
#include "unit/policies/support.h"

namespace switchyard::policies::testing {

// An endpoint where URIs of one server read in this way.
class UriView final : public Resolver {
 public:
  UriView(std::string server, std::uint64_t view) : server_(std::move(server)), view_(view) {}
  const Definition* FindToolOf(std::string_view, std::string_view) const override {
    return nullptr;
  }
  std::uint64_t UriViewOf(std::string_view server) const override {
    return server == server_ ? view_ : 0;
  }
  const std::shared_ptr<const PolicySet>& PoliciesOfUnknown() const override { return nobodys_; }

 private:
  const std::string server_;
  const std::uint64_t view_;
  const std::shared_ptr<const PolicySet> nobodys_;
};

inline Definition Tool(const std::string& name, Annotations hints = {.read_only = true}) {
  Definition tool;
  tool.kind = ItemKind::kTool;
  tool.server = "x";
  tool.name = name;
  tool.exposed = "x__" + name;
  tool.json = R"({"name":")" + name + R"("})";
  tool.annotations = hints;
  return tool;
}

class CachePolicy : public ::testing::Test {
 protected:
  CachePolicy() {
    service_.answer = [this](Call&) -> Result<ReplyPtr> {
      return ReplyWith(std::move(**Answer(R"({"n":)" + std::to_string(service_.calls) + "}")));
    };
  }

  std::shared_ptr<const Policy> Make(const std::string& yaml) {
    return MakePolicy("cache", &cache::Make, yaml, {.clock = clock_, .metrics = metrics_});
  }
  static PolicySet Bind(const Policy& cache, const std::string& yaml,
                        const PolicyScope& scope = {}) {
    const config::ProcessEnvironment environment;
    config::Document document(yaml, "test.yaml", environment);
    auto parsed = KeyOf("cache").parse(std::move(*document.Root()), nullptr);
    return PolicySet(std::vector{cache.Bind(std::move(parsed), scope)});
  }
  static Call Of(const Definition& tool, const std::string& arguments = "{}",
                 const std::string& subject = "ann") {
    Call call;
    call.message = Parsed(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":")" +
                          tool.name + R"(","arguments":)" + arguments + "}}");
    call.target.server = tool.server;
    call.target.name = tool.name;
    call.target.definition = &tool;
    call.caller = MakeCaller({.subject = subject});
    return call;
  }
  static Task<std::string> Read(std::shared_ptr<const Policy> policy, Call& call, Service& next) {
    Result<ReplyPtr> reply = co_await policy->Handle(call, next);
    while (reply) {
      mcp::Message* whole = (*reply)->Whole();
      if (whole != nullptr) co_return whole->ToText();
      Result<std::optional<mcp::Message>> message = co_await (*reply)->Next();
      if (!message) co_return "error: " + message.error().message;
      if (!*message) co_return "nothing";
      if ((*message)->is_response()) co_return (*message)->ToText();
    }
    co_return "error: " + reply.error().message;
  }
  // The text of the answer, "waits", or "error: ...".
  std::string Send(const std::shared_ptr<const Policy>& policy, Call call) {
    calls_.push_back(std::make_unique<Call>(std::move(call)));
    const auto text = loop_.Run(Read(policy, *calls_.back(), service_));
    return text ? *text : "waits";
  }
  // What the client is told of the cache: "hit 0", "none".
  static std::string Told(const std::string& text) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(text, error);
    const auto* told = value.find_pointer("/result/_meta/switchyard~1cache", error);
    if (told == nullptr) return text.starts_with('{') ? "none" : text;
    return std::string(told->at("status").as_string()) + " " +
           std::to_string(told->at("ageMs").to_number<std::int64_t>());
  }
  std::string Ask(const std::shared_ptr<const Policy>& policy, Call call) {
    return Told(Send(policy, std::move(call)));
  }

  const Definition search_ = Tool("search");
  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  FakeService service_;
  std::vector<std::unique_ptr<Call>> calls_;  // outlive their replies
  Loop loop_;
};

}  // namespace switchyard::policies::testing
