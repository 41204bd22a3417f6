// A modern call's messages over HTTP: one JSON body when the response comes first, else a stream of
// events. Legacy ones have legacy_sink.h.
#pragma once

#include "edge/answer.h"
#include "edge/exchange.h"

namespace switchyard::edge {

class HttpSink final : public Sink {
 public:
  explicit HttpSink(Exchange& exchange) : exchange_(exchange) {}

  Task<bool> Notify(mcp::Message notification) override;
  Task<void> Finish(mcp::Message response, const Error* error) override;

 private:
  Exchange& exchange_;
};

// An error about a request that never became a call. All of them pass here and are counted.
Task<void> RespondError(Exchange& exchange, int status, std::string_view raw_id,
                        const Error& error);

}  // namespace switchyard::edge
