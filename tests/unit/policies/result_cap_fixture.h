// A server whose results are capped, and who reads them, for the tests of the policy.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/seal.h"
#include "mcp/json_string.h"
#include "unit/policies/support.h"

namespace switchyard::policies::testing {

namespace json = boost::json;

inline std::string Lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

inline std::string Text(const std::string& text, const std::string& more = "") {
  return R"({"content":[{"type":"text","text":)" + mcp::Quote(text) + "}]" + more + "}";
}

class ResultCapPolicy : public ::testing::Test {
 protected:
  // The policy with these settings; the old one's keeps nothing.
  void With(const std::string& yaml) {
    states_.emplace();
    const PolicyDeps deps{
        .clock = clock_, .metrics = metrics_, .states = &*states_, .sealer = &sealer_};
    policy_ = result_cap::Make(deps);
    reader_ = policy_->Tools().at(0);
    const config::ProcessEnvironment environment;
    config::Document document(yaml, "test.yaml", environment);
    const PolicyScope scope{
        .level = config::Level::kServer, .endpoint = {}, .server = "files", .glob = {}};
    auto settings = KeyOf("result_cap").parse(std::move(*document.Root()), nullptr);
    set_.emplace(std::vector{policy_->Bind(std::move(settings), scope)});
  }

  switchyard::Call MakeCall(const std::string& name, const std::string& arguments) {
    switchyard::Call call;
    call.message = Parsed(R"({"jsonrpc":"2.0","id":"c1","method":"tools/call","params":{"name":")" +
                          name + R"(","arguments":)" + arguments + "}}");
    call.client = client_;
    call.caller = MakeCaller(caller_);
    call.endpoint = endpoint_;
    call.target.name = name;
    call.target.policies = &*set_;
    return call;
  }

  // What a call is answered by a server that answers `result`.
  json::object Call(const std::string& result) {
    service_.answer = [result](switchyard::Call&) -> Result<ReplyPtr> {
      return ReplyWith(Parsed(R"({"jsonrpc":"2.0","id":"c1","result":)" + result + "}"));
    };
    switchyard::Call call = MakeCall("read", "{}");
    return ResultOf(loop_.Run(policy_->Handle(call, service_)));
  }
  json::object Read(const std::string& arguments) {
    switchyard::Call call = MakeCall("switchyard_read_result", arguments);
    return ResultOf(loop_.Run(reader_->Handle(call)));
  }
  json::object ResultOf(std::optional<Result<ReplyPtr>> reply) {
    if (!reply || !*reply) return {};
    for (;;) {
      auto next = loop_.Run((**reply)->Next());
      if (!next || !*next || !**next) return {};
      if (!(**next)->is_response()) continue;
      return json::parse((**next)->ToText()).at("result").as_object();
    }
  }

  static std::string TextAt(const json::object& result, std::size_t block) {
    return std::string(result.at("content").as_array().at(block).at("text").as_string());
  }
  static std::size_t Blocks(const json::object& result) {
    return result.at("content").as_array().size();
  }
  static std::string HandleOf(const json::object& result) {
    const json::value* handle = json::value(result).as_object().if_contains("_meta");
    if (handle == nullptr) return "";
    const json::object& cut = result.at("_meta").at("switchyard/cut").as_object();
    return cut.contains("handle") ? std::string(cut.at("handle").as_string()) : "";
  }
  static std::string Ask(const std::string& handle, int page) {
    return R"({"handle":")" + handle + R"(","page":)" + std::to_string(page) + "}";
  }
  // What all pages say, but for the note at the end of each.
  std::string ReadAll(const json::object& first) {
    std::string all;
    for (std::size_t i = 0; i + 1 < Blocks(first); ++i) all += TextAt(first, i);
    const auto pages = first.at("_meta").at("switchyard/cut").at("pages").as_int64();
    for (int page = 2; page <= pages; ++page) {
      const json::object result = Read(Ask(HandleOf(first), page));
      for (std::size_t i = 0; i + 1 < Blocks(result); ++i) all += TextAt(result, i);
    }
    return all;
  }

  ManualClock clock_;
  switchyard::telemetry::Metrics metrics_;
  const Sealer sealer_{Sealer::RandomKey()};
  std::optional<States> states_;
  std::shared_ptr<const Policy> policy_;
  std::shared_ptr<const BuiltinTool> reader_;
  std::optional<PolicySet> set_;
  std::shared_ptr<const Client> client_ = std::make_shared<const Client>();
  Principal caller_;
  std::string endpoint_;
  FakeService service_;
  Loop loop_;
};

}  // namespace switchyard::policies::testing
