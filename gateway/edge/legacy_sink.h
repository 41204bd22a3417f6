// Where the messages of one call of a legacy session go: one JSON body when the response comes
// first, else an event stream, whose events are kept for a client that loses its connection (L-TR:
// a disconnect is no cancellation). Also the session's own stream, the one of GET.
//
// In the frame of whoever serves the request. One thread.
#pragma once

#include <memory>

#include "edge/answer.h"
#include "edge/connection.h"
#include "edge/event_store.h"
#include "edge/exchange.h"
#include "edge/sessions.h"

namespace switchyard::edge {

class LegacySink final : public Sink {
 public:
  // All of it outlives the sink.
  LegacySink(Exchange& exchange, Connection& connection, const Session& session, Sessions& sessions,
             EventId::Kind kind)
      : exchange_(exchange),
        connection_(connection),
        session_(session),
        sessions_(sessions),
        kind_(kind) {}

  Task<bool> Notify(mcp::Message message) override;
  Task<bool> Ask(mcp::Message request) override;
  // A session's own stream carries no response: this only ends it.
  Task<void> Finish(mcp::Message response, const Error* error) override;
  // Ends the stream, if there is one.
  Task<void> End();

  // For Connection::OnSilence: begins the stream, so that a client that loses its connection now
  // can come back for the answer.
  void BeginEarly();
  // For Connection::OnGone: what was said is kept for the client, or nothing was, and a session's
  // own stream ends.
  void Gone();
  // Unwinds what is being served. Also when the client did not come back in time.
  void Cancel();
  bool cancelled() const { return cancelled_; }

 private:
  bool IsHeard() const { return !exchange_.failed() && (stream_ == nullptr || !stream_->taken()); }
  void OpenStream();
  Task<void> Open();
  Task<void> Say(const mcp::Message& message);

  Exchange& exchange_;
  Connection& connection_;
  const Session& session_;
  Sessions& sessions_;
  const EventId::Kind kind_;
  bool cancelled_ = false;
  std::unique_ptr<EventStore::Stream> stream_;  // since something was said
};

}  // namespace switchyard::edge
