// A server that may ask clients something, over scripted transports: one for its own session, and
// one more for each lane (`lanes_`).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "downstream/dialogue.h"
#include "downstream/parking.h"
#include "downstream/request_state.h"
#include "mcp/error_map.h"
#include "unit/downstream/server_fixture.h"

namespace switchyard::downstream {

inline const std::string kForms = R"({"elicitation":{"form":{}}})";
inline const std::string kEverything =
    R"({"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}})";
inline const std::string kDone = R"({"content":[{"type":"text","text":"done"}]})";

inline std::string Elicitation(const std::string& id, const std::string& more = "") {
  return R"({"jsonrpc":"2.0","id":)" + id +
         R"(,"method":"elicitation/create","params":{"message":"Which?","requestedSchema":{"type":"object","properties":{}})" +
         more + "}}";
}
inline std::string Request(const std::string& id, const std::string& method,
                           const std::string& params = "{}") {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":)" + params +
         "}";
}

class AskingTest : public DownstreamTest {
 protected:
  using Lane = FakeTransport::Wire;

  // A child process: one session, told of everything.
  void Child(Scripts scripts = {}) {
    scripts.emplace("ping", Gives("{}"));
    Make({.declares = Askable::All()}, {.parking = &parking_});
    Legacy(std::move(scripts));
  }
  // The same, with so many processes.
  void Processes(std::size_t most, Scripts scripts = {}) {
    scripts.emplace("ping", Gives("{}"));
    Make({.declares = Askable::All()}, {.parking = &parking_,
                                        .another = [this](const Caller*) { return Another(); },
                                        .processes = most});
    Legacy(std::move(scripts));
  }
  // Over HTTP: its own session is told of nothing, each lane of what its clients offer.
  void Http(Scripts scripts = {}) {
    wire_.http = true;
    Make({}, {.parking = &parking_, .another = [this](const Caller*) { return Another(); }});
    Legacy(std::move(scripts), "s1");
  }
  std::unique_ptr<Transport> Another() {
    lanes_.push_back(std::make_unique<Lane>());
    lanes_.back()->http = wire_.http;
    lanes_.back()->answer = wire_.answer;
    lanes_.back()->open_stream = wire_.open_stream;
    return std::make_unique<FakeTransport>(*lanes_.back(), loop_.deps());
  }
  void ModernServer(Scripts scripts) {
    Make({}, {.parking = &parking_});
    Modern(std::move(scripts));
  }
  void Make(ProbeSettings settings, Asking asking) {
    server_ = nullptr;
    loop_.RunReady();
    server_ = std::make_unique<ServerDownstream>(
        "x", std::make_unique<FakeTransport>(wire_, loop_.deps()), loop_.deps(), settings,
        std::move(asking));
  }

  Call& CallOf(const std::string& capabilities, const std::string& params = R"({"name":"t"})",
               const std::string& method = "tools/call") {
    Call& call = NewCall(method, params);
    auto client = std::make_shared<Client>();
    client->capabilities = capabilities;
    call.client = std::move(client);
    return call;
  }
  // The same call once more, with answers and a state.
  Call& Retry(const std::string& state, const std::string& answers = "{}",
              const std::string& capabilities = kEverything,
              const std::string& rest = R"("name":"t")") {
    Call& call = CallOf(capabilities, "{" + rest + R"(,"inputResponses":)" + answers +
                                          R"(,"requestState":)" + mcp::Quote(state) + "}");
    call.message.SetId("\"c2\"");
    return *CloneOf(call);
  }
  Call* CloneOf(Call& call) {  // with its edits made, as if it had come like this
    call.message = *mcp::Message::Parse(call.message.ToText());
    return &call;
  }

  // A call under way: handled in a task of its own, read by the test.
  struct Going {
    Result<ReplyPtr> reply = EmptyReply();
    bool there = false;
    TaskHandle task;
  };
  std::unique_ptr<Going> Start(Call& call) {
    auto going = std::make_unique<Going>();
    going->task = TaskHandle(loop_.deps().executor(), "call", Take(*server_, call, *going));
    loop_.RunReady();
    return going;
  }
  std::string NextOf(Going& going) {
    if (!loop_.RunUntilWithTime([&] { return going.there; })) return "no reply";
    return Next(going.reply);
  }
  void Unsolicited(const std::string& text) {
    wire_.unsolicited(*mcp::Message::Parse(text));
    loop_.RunReady();
  }
  // Runs one call up to its question on a shared channel.
  std::string Asks(Call& call, const std::string& question) {
    const auto going = Start(call);
    Unsolicited(question);
    loop_.Pass(Dialogue::kGather);
    return NextOf(*going);
  }
  void Finish(const std::string& result = kDone) { FinishOn(wire_, result); }
  void FinishOn(Lane& wire, const std::string& result = kDone) {
    const std::string id = std::string(wire.Last("tools/call")->message.id());
    wire.open.at(id)->Put(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + result + "}");
    loop_.RunReady();
  }
  // What the server got for its request `id`; "" = nothing.
  std::string AnswerFor(const std::string& id) { return AnswerOn(wire_, id); }
  std::string AnswerOn(const Lane& wire, const std::string& id) {
    for (const Sent& sent : wire.sent) {
      if (sent.message.is_response() && sent.message.id() == id) return sent.text();
    }
    return {};
  }
  static std::string StateIn(const std::string& message) {
    const boost::json::value value = boost::json::parse(message);
    const auto* state = value.as_object().at("result").as_object().if_contains("requestState");
    return state == nullptr ? "" : std::string(state->as_string());
  }

  static std::string BadStateText() { return BadState().message; }

  Parking parking_{Parking::Limits{}};
  std::vector<std::unique_ptr<Lane>> lanes_;

 private:
  static Task<void> Take(Service& server, Call& call, Going& going) {
    going.reply = co_await server.Handle(call);
    going.there = true;
  }
};

}  // namespace switchyard::downstream
