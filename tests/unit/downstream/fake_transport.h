// A scripted transport: the test says what each request gets, and reads what was sent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mailbox.h"
#include "core/deps.h"
#include "downstream/transport.h"

namespace switchyard::downstream {

struct Sent {
  mcp::Message message;
  std::string headers;
  bool request = false;
  std::string text() const { return message.ToText(); }
  std::string method() const { return std::string(message.method_name()); }
};

// What a request gets: messages in which $ID is its id; without a response among them it stays
// open.
struct Script {
  std::vector<std::string> messages = {};
  int status = 0;  // HTTP only
  std::string session_id = {};
  std::optional<Error> error = {};   // of Request() itself
  std::optional<Error> broken = {};  // of Next(), after the messages
};

inline Script Gives(std::string result) {
  return {.messages = {R"({"jsonrpc":"2.0","id":$ID,"result":)" + std::move(result) + "}"}};
}
inline Script Refuses(int code, std::string data = "null", int status = 0) {
  return {.messages = {R"({"jsonrpc":"2.0","id":$ID,"error":{"code":)" + std::to_string(code) +
                       R"(,"message":"no","data":)" + std::move(data) + "}}"},
          .status = status};
}
inline Script Fails(Code code, int status = 0, bool retryable = false) {
  return {.status = status,
          .error = Error{.code = code,
                         .origin = Origin::kServer,
                         .retryable = retryable,
                         .message = "scripted failure"}};
}
inline Script Hangs() { return {}; }

// Where replies and streams get their messages from; the test may push more at any time.
struct Feed {
  Mailbox<Result<std::optional<mcp::Message>>> box;
  bool dropped = false;
  bool quiet = false;
  void Put(const std::string& text) {
    box.Put(std::optional<mcp::Message>(*mcp::Message::Parse(text)));
  }
  void End() { box.Put(std::optional<mcp::Message>()); }
  void Break(Error error) { box.Put(Failure(std::move(error))); }
};

class FakeTransport final : public Transport {
 public:
  // Shared with the test, which outlives the transport.
  struct Wire {
    bool http = false;
    std::function<Script(const Sent&)> answer = [](const Sent&) { return Hangs(); };
    std::function<Result<std::shared_ptr<Feed>>(HttpFacts*)> open_stream;
    std::function<int(const Sent&)> take;          // the status of what gets no answer
    std::function<Result<void>(Wire&)> fall_back;  // null: there is nothing older
    std::vector<Sent> sent;
    std::map<std::string, std::shared_ptr<Feed>> open;  // by id
    bool notify_fails = false;
    int starts = 0, closes = 0, sessions_ended = 0;
    bool up = false;
    Unsolicited unsolicited;
    std::function<void(Error)> down;

    void GoDown(const std::string& why) {
      up = false;
      const Error error{.code = Code::kUnavailable, .origin = Origin::kServer, .message = why};
      for (auto& [id, feed] : open) feed->Break(error);
      open.clear();
      if (down) down(error);
    }
    std::vector<std::string> Methods() const {
      std::vector<std::string> methods;
      for (const Sent& one : sent) {
        methods.push_back(one.message.is_response() ? "response" : one.method());
      }
      return methods;
    }
    const Sent* Last(std::string_view method) const {
      for (auto one = sent.rbegin(); one != sent.rend(); ++one) {
        if (one->message.method_name() == method) return &*one;
      }
      return nullptr;
    }
    int Count(std::string_view method) const {
      int count = 0;
      for (const Sent& one : sent) count += one.message.method_name() == method ? 1 : 0;
      return count;
    }
  };

  FakeTransport(Wire& wire, const Deps& deps) : wire_(wire), deps_(deps) {}

  Task<Result<void>> Start() override {
    if (!std::exchange(wire_.up, true)) ++wire_.starts;
    co_return Result<void>();
  }

  Task<Result<void>> FallBack() override {
    if (!wire_.fall_back) co_return Failure(Code::kNotFound, Origin::kServer, "no stream there");
    co_return wire_.fall_back(wire_);
  }

  Task<Result<ReplyPtr>> Request(Outgoing out) override {
    if (!wire_.up) co_return Failure(Code::kUnavailable, Origin::kServer, "down");
    wire_.sent.push_back({.message = *mcp::Message::Parse(mcp::Join(out.body)),
                          .headers = std::string(out.headers),
                          .request = true});
    const Script script = wire_.answer(wire_.sent.back());
    if (out.facts != nullptr && wire_.http) {
      out.facts->status = script.status == 0 && !script.error ? 200 : script.status;
      out.facts->session_id = script.session_id;
    }
    if (script.error) co_return Failure(*script.error);
    auto feed = std::make_shared<Feed>();
    feed->quiet = out.quiet;
    const std::string id(out.id);
    for (std::string text : script.messages) {
      for (std::size_t at; (at = text.find("$ID")) != std::string::npos;) text.replace(at, 3, id);
      feed->Put(text);
    }
    if (script.broken) feed->Break(*script.broken);
    wire_.open[id] = feed;
    Timers::Handle timer = deps_.timers.At(out.deadline.at(), [feed] {
      feed->Break(
          {.code = Code::kDeadline, .origin = Origin::kServer, .message = "no answer in time"});
    });
    co_return std::make_unique<FakeReply>(feed, std::move(timer));
  }

  Task<Result<void>> Notify(Outgoing out) override {
    if (wire_.notify_fails) co_return Failure(*Fails(Code::kUnavailable).error);
    wire_.sent.push_back({.message = *mcp::Message::Parse(mcp::Join(out.body)),
                          .headers = std::string(out.headers)});
    if (!wire_.take) co_return Result<void>();
    const int status = wire_.take(wire_.sent.back());
    if (out.facts != nullptr && wire_.http) out.facts->status = status;
    if (status >= 400) co_return Failure(Code::kNotFound, Origin::kServer, "scripted refusal");
    co_return Result<void>();
  }

  Task<Result<ReplyPtr>> OpenStream(Outgoing out) override {
    if (!wire_.open_stream) co_return Failure(Code::kNotFound, Origin::kServer, "405");
    Result<std::shared_ptr<Feed>> feed = wire_.open_stream(out.facts);
    if (!feed) co_return Failure(std::move(feed.error()));
    co_return std::make_unique<FakeReply>(*feed);
  }
  Task<Result<void>> EndSession(Outgoing) override {
    ++wire_.sessions_ended;
    co_return Result<void>();
  }

  void OnUnsolicited(Unsolicited handler) override { wire_.unsolicited = std::move(handler); }
  void OnDown(std::function<void(Error)> handler) override { wire_.down = std::move(handler); }
  bool cancels_by_closing() const override { return wire_.http; }
  std::size_t open_calls() const override {
    std::size_t open = 0;
    for (const auto& [id, feed] : wire_.open) open += feed->dropped || feed->quiet ? 0 : 1;
    return wire_.http ? 0 : open;
  }
  Task<void> Close() override {
    ++wire_.closes;
    wire_.up = false;
    co_return;
  }

 private:
  class FakeReply final : public Reply {
   public:
    explicit FakeReply(std::shared_ptr<Feed> feed, Timers::Handle timer = {})
        : feed_(std::move(feed)), timer_(std::move(timer)) {}
    ~FakeReply() override { feed_->dropped = true; }
    Task<Result<std::optional<mcp::Message>>> Next() override {
      Result<std::optional<mcp::Message>> next = co_await feed_->box.Take();
      co_return next;
    }

   private:
    std::shared_ptr<Feed> feed_;
    Timers::Handle timer_;
  };

  Wire& wire_;
  const Deps deps_;
};

}  // namespace switchyard::downstream
