// A client that lost a stream comes back for the rest of it (L-TR: GET with Last-Event-ID), to
// whichever worker: the one that has the events hands them over step by step, at the client's pace.
#include <atomic>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/mailbox.h"
#include "edge/http_sink.h"
#include "edge/legacy.h"
#include "edge/refusals.h"

namespace switchyard::edge {
namespace {

using Batch = EventStore::Batch;

// Reads a stream of any worker. On this worker's thread.
class Reader {
 public:
  Reader(Sessions& sessions, std::string session, EventId from, Executor executor)
      : sessions_(sessions),
        session_(std::move(session)),
        position_(std::move(from)),
        name_(NewName()),
        executor_(executor) {}
  Reader(const Reader&) = delete;
  ~Reader() {
    sessions_.OnWorker(position_.worker,
                       [session = session_, id = position_, name = name_](Sessions& home) {
                         home.events().Leave(session, id, name);
                       });
  }

  Task<Batch> Next() {
    const auto deliver = [executor = executor_, inbox = inbox_](Batch batch) {
      net::post(executor,
                [inbox, batch = std::move(batch)]() mutable { inbox->Put(std::move(batch)); });
    };
    const bool known = sessions_.OnWorker(
        position_.worker,
        [session = session_, id = position_, name = name_, first = first_,
         deliver](Sessions& home) { home.events().Read(session, id, name, first, deliver); });
    if (!known) co_return Batch{.then = Batch::Then::kUnknown, .events = {}};
    first_ = false;
    Batch batch = co_await inbox_->Take();
    if (!batch.events.empty()) position_.number = batch.events.back().first;
    co_return batch;
  }

  std::string IdOf(std::uint64_t number) const {
    EventId id = position_;
    id.number = number;
    return id.ToText();
  }

 private:
  static std::string NewName() {
    static std::atomic<std::uint64_t> last = 0;
    return std::to_string(++last);
  }

  Sessions& sessions_;
  const std::string session_;
  EventId position_;
  const std::string name_;
  const Executor executor_;
  bool first_ = true;
  const std::shared_ptr<Mailbox<Batch>> inbox_ = std::make_shared<Mailbox<Batch>>();
};

}  // namespace

Task<bool> LegacyFace::Resume(Exchange& exchange, std::shared_ptr<Session> session) {
  const std::string last(exchange.Header("last-event-id"));
  const std::optional<EventId> from = EventId::Parse(last);
  bool begun = false;
  if (from) {
    const Executor executor = co_await net::this_coro::executor;
    Reader reader(sessions_, session->client->session, *from, executor);
    for (;;) {
      const Batch batch = co_await reader.Next();
      if (batch.then == Batch::Then::kUnknown && !begun) break;
      if (!std::exchange(begun, true)) {
        const bool sent = co_await exchange.BeginStream();
        if (!sent) co_return true;
      }
      for (const auto& [number, text] : batch.events) {
        const std::string id = reader.IdOf(number);
        mcp::Pieces data;
        data.push_back(text);
        const bool sent = co_await exchange.Send(data, id);
        if (!sent) co_return true;
      }
      if (batch.then != Batch::Then::kMore) break;
    }
    if (begun) {
      co_await exchange.EndStream();
      co_return true;
    }
    // The session's own stream goes on as a new one.
    if (from->kind == EventId::Kind::kSession) co_return false;
  }
  const Error error = BadRequest(
      "unknown or expired Last-Event-ID; what was said on that stream is no longer kept: send the "
      "request again");
  co_await RespondError(exchange, 400, "", error);
  co_return true;
}

}  // namespace switchyard::edge
