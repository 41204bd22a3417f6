#include "edge/http_sink.h"

#include "mcp/error_map.h"

namespace switchyard::edge {

Task<bool> HttpSink::Notify(mcp::Message notification) {
  if (exchange_.failed()) co_return false;
  if (!exchange_.streaming()) {
    // A client that takes no stream still gets its response, without what would precede it.
    if (!exchange_.Accepts(kEventStream)) co_return true;
    const bool begun = co_await exchange_.BeginStream();
    if (!begun) co_return false;
  }
  mcp::Pieces data;
  notification.AppendTo(data);
  const bool sent = co_await exchange_.Send(data);
  co_return sent;
}

Task<void> HttpSink::Finish(mcp::Message response, const Error* error) {
  mcp::Pieces body;
  response.AppendTo(body);
  if (exchange_.streaming()) {
    co_await exchange_.Send(body);
    co_await exchange_.EndStream();
    co_return;
  }
  int status = 200;
  if (error != nullptr) {
    status = mcp::HttpStatus(*error, mcp::kModern);
    exchange_.AskForScopes(*error);
  } else if (response.kind() == mcp::Kind::kError) {
    status = mcp::RelayedStatus(response.error_code(), mcp::kModern);
  }
  co_await exchange_.Respond(status, kJson, body);
}

Task<void> RespondError(Exchange& exchange, int status, std::string_view raw_id,
                        const Error& error) {
  exchange.CountRefusal(status);
  const mcp::Message message = mcp::ErrorMessage(raw_id, error);
  mcp::Pieces body;
  message.AppendTo(body);
  co_await exchange.Respond(status, kJson, body);
}

}  // namespace switchyard::edge
