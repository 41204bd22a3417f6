// A batch of a 2025-03-26 session: each message by itself, as if it had come alone; the answers as
// one array, or on one stream as soon as something else is to be said.
#include <deque>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "base/mailbox.h"
#include "edge/asks.h"
#include "edge/batch.h"
#include "edge/http_sink.h"
#include "edge/legacy.h"
#include "edge/legacy_in_flight.h"
#include "edge/legacy_sink.h"
#include "edge/refusals.h"
#include "edge/session_service.h"
#include "mcp/error_map.h"

namespace switchyard::edge {
namespace {

// What the elements say, in the order in which they say it. Shared by their tasks, which may be
// unwound after the one that answers the request.
struct Said {
  struct Item {
    std::optional<mcp::Message> message;    // none: an element is through
    std::shared_ptr<Mailbox<bool>> passed;  // told when the message went on; null = nobody waits
  };
  Mailbox<Item> items;
  bool streams = false;  // the client takes an event stream
};

class ElementSink final : public Sink {
 public:
  explicit ElementSink(std::shared_ptr<Said> said) : said_(std::move(said)) {}

  // One message of each element at most waits for the client to read.
  Task<bool> Notify(mcp::Message message) override {
    said_->items.Put({.message = std::move(message), .passed = passed_});
    co_await passed_->Take();
    co_return true;
  }
  Task<bool> Ask(mcp::Message request) override {
    if (!said_->streams) co_return false;
    const bool sent = co_await Notify(std::move(request));
    co_return sent;
  }
  Task<void> Finish(mcp::Message response, const Error*) override {
    said_->items.Put({.message = std::move(response), .passed = nullptr});
    co_return;
  }

 private:
  const std::shared_ptr<Said> said_;
  const std::shared_ptr<Mailbox<bool>> passed_ = std::make_shared<Mailbox<bool>>();
};

// However an element ends: its open questions are withdrawn, and the batch knows that it is
// through.
struct Through {
  Said& said;
  Asks& asks;
  ~Through() {
    for (mcp::Message& gone : asks.Withdraw("the call was cancelled")) {
      said.items.Put({.message = std::move(gone), .passed = nullptr});
    }
    said.items.Put({});
  }
};

Task<void> ServeElement(std::shared_ptr<Service> service, Call call,
                        std::shared_ptr<Session> session, Sessions& sessions,
                        std::shared_ptr<Said> said) {
  const Asks::Endpoint shared = [&service] { return service; };
  Asks asks(session, sessions, shared);
  const Through through{*said, asks};
  ElementSink sink(said);
  SessionService serving(call, *service, session, sessions, shared);
  co_await Answer(serving, call, sink, &asks);
}

// Without answers (all notifications, or cancelled) there is nothing to say.
Task<void> RespondArray(Exchange& exchange, const std::vector<mcp::Message>& answers) {
  if (answers.empty()) {
    co_await exchange.Respond(202);
    co_return;
  }
  mcp::Pieces body;
  for (const mcp::Message& answer : answers) {
    body.push_back(body.empty() ? "[" : ",");
    answer.AppendTo(body);
  }
  body.push_back("]");
  co_await exchange.Respond(200, kJson, body);
}

}  // namespace

// What needs no call is done here; the calls are returned.
std::vector<Call> LegacyFace::TakeBatch(const std::vector<std::string>& elements,
                                        const std::shared_ptr<Session>& session,
                                        const Caller& caller, std::vector<mcp::Message>& answers) {
  std::vector<Call> calls;
  for (const std::string& element : elements) {
    std::string raw_id;
    Result<mcp::Message> message = mcp::Message::Parse(element, mcp::Check::kFull, &raw_id);
    if (!message) {
      answers.push_back(mcp::ErrorMessage(raw_id, message.error()));
      continue;
    }
    if (message->kind() != mcp::Kind::kRequest) {
      Hear(std::move(*message), *session);
      continue;
    }
    raw_id = message->id();
    if (message->method() == mcp::Method::kInitialize) {
      answers.push_back(
          mcp::ErrorMessage(raw_id, BadRequest("initialize cannot be part of a batch")));
      continue;
    }
    Result<LegacyCall> made = MakeLegacyCall(std::move(*message), *session, caller);
    if (!made) {
      answers.push_back(mcp::ErrorMessage(raw_id, made.error()));
    } else if (made->answer) {
      answers.push_back(std::move(*made->answer));
    } else {
      calls.push_back(std::move(made->call));
    }
  }
  return calls;
}

Task<void> LegacyFace::PostBatch(Exchange& exchange, Connection& connection, std::string body,
                                 std::string endpoint, std::shared_ptr<Service> service) {
  const std::shared_ptr<Session> session = co_await RequireSession(exchange, endpoint, "");
  if (session == nullptr) co_return;
  Result<std::vector<std::string>> elements = SplitBatch(body);
  if (session->client->version != mcp::Version::k2025_03_26) {
    elements =
        Failure(BadRequest("only sessions of 2025-03-26 have batches; send one message a request"));
  }
  if (!elements) {
    co_await RespondError(exchange, 400, "", elements.error());
    co_return;
  }
  std::vector<mcp::Message> answers;
  std::vector<Call> calls = TakeBatch(*elements, session, exchange.caller(), answers);
  if (calls.empty()) {
    co_await RespondArray(exchange, answers);
    co_return;
  }
  co_await ServeBatch(exchange, connection, session, std::move(service), std::move(calls),
                      std::move(answers));
}

Task<void> LegacyFace::ServeBatch(Exchange& exchange, Connection& connection,
                                  std::shared_ptr<Session> session,
                                  std::shared_ptr<Service> service, std::vector<Call> calls,
                                  std::vector<mcp::Message> answers) {
  LegacySink sink(exchange, connection, *session, sessions_, EventId::Kind::kCall);
  connection.OnGone([&sink] { sink.Gone(); });
  const auto said = std::make_shared<Said>();
  said->streams = exchange.Accepts(kEventStream);
  const Executor executor = co_await net::this_coro::executor;
  std::deque<TaskHandle> tasks;
  std::deque<InFlight> registered;
  std::size_t open = calls.size();
  for (Call& call : calls) {
    TaskHandle& task = tasks.emplace_back();
    registered.emplace_back(session, std::string(call.message.id()), [&task] { task.Cancel(); });
    task = TaskHandle(executor, "batch call",
                      ServeElement(service, std::move(call), session, sessions_, said));
  }
  bool streaming = false;
  while (open > 0) {
    Said::Item item = co_await said->items.Take();
    if (!item.message) {
      --open;
      continue;
    }
    if (!streaming && item.message->is_response()) {
      answers.push_back(std::move(*item.message));
    } else if (said->streams) {
      // What was ready before goes first.
      for (mcp::Message& answer : answers) co_await sink.Notify(std::move(answer));
      answers.clear();
      streaming = true;
      co_await sink.Notify(std::move(*item.message));
    }
    if (item.passed != nullptr) item.passed->Put(true);
  }
  if (streaming) {
    co_await sink.End();
  } else {
    co_await RespondArray(exchange, answers);
  }
}

}  // namespace switchyard::edge
