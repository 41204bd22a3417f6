#include "edge/legacy_sink.h"

#include <utility>

#include "mcp/error_map.h"

namespace switchyard::edge {

Task<bool> LegacySink::Notify(mcp::Message message) {
  const bool call = kind_ == EventId::Kind::kCall;
  if (stream_ == nullptr) {
    // Nobody knows an event of this stream, so nobody can come back for it; the call runs on.
    if (exchange_.failed()) co_return call;
    // A client that takes no stream still gets its response, without what would precede it.
    if (!exchange_.streaming() && !exchange_.Accepts(kEventStream)) co_return true;
    co_await Open();
  }
  co_await Say(message);
  co_return true;
}

Task<bool> LegacySink::Ask(mcp::Message request) {
  if (stream_ == nullptr && (exchange_.failed() || !exchange_.Accepts(kEventStream))) {
    co_return false;
  }
  const bool sent = co_await Notify(std::move(request));
  co_return sent;
}

Task<void> LegacySink::Finish(mcp::Message response, const Error* error) {
  if (kind_ == EventId::Kind::kSession) {
    co_await End();
    co_return;
  }
  if (stream_ != nullptr) {
    co_await Say(response);
    co_await End();
    co_return;
  }
  mcp::Pieces body;
  response.AppendTo(body);
  // A server's answer, whatever it says, is no trouble of the transport for a legacy client.
  const int status = error == nullptr ? 200 : mcp::HttpStatus(*error, session_.client->version);
  if (error != nullptr) exchange_.AskForScopes(*error);
  co_await exchange_.Respond(status, kJson, body);
}

Task<void> LegacySink::End() {
  const bool heard = IsHeard();
  if (stream_ != nullptr) stream_->End();
  if (heard && exchange_.streaming()) co_await exchange_.EndStream();
}

// The first event of a call's stream has an id and says nothing, so that a client can come back
// although nothing was said yet; only 2025-11-25 knows such events.
void LegacySink::OpenStream() {
  stream_ = sessions_.events().Open(
      session_.client->session, kind_, [this] { connection_.HangUp(); }, [this] { Cancel(); });
}

void LegacySink::BeginEarly() {
  const bool primed = session_.client->version >= mcp::Version::k2025_11_25;
  if (!primed || stream_ != nullptr || !exchange_.Accepts(kEventStream)) return;
  OpenStream();
  if (!exchange_.BeginStreamNow(stream_->id().ToText())) stream_ = nullptr;
}

Task<void> LegacySink::Open() {
  OpenStream();
  if (exchange_.streaming()) co_return;
  const bool begun = co_await exchange_.BeginStream();
  if (begun && session_.client->version >= mcp::Version::k2025_11_25) {
    co_await exchange_.SendPriming(stream_->id().ToText());
  }
}

Task<void> LegacySink::Say(const mcp::Message& message) {
  stream_->Append(message.ToText());
  if (IsHeard()) {
    const std::string id = stream_->id().ToText();
    mcp::Pieces data;
    message.AppendTo(data);
    co_await exchange_.Send(data, id);
  }
  if (exchange_.failed()) stream_->Unheard();
}

void LegacySink::Gone() {
  if (stream_ != nullptr) {
    stream_->Unheard();
    connection_.HangUp();
  } else if (kind_ == EventId::Kind::kSession) {
    connection_.Abort();
  }
}

void LegacySink::Cancel() {
  cancelled_ = true;
  connection_.CancelServing();
}

}  // namespace switchyard::edge
