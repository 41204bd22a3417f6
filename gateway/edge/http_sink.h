// A call's messages over HTTP: one JSON body when the response comes first, else a stream of
// events.
#pragma once

#include "edge/answer.h"
#include "edge/exchange.h"
#include "mcp/version.h"

namespace switchyard::edge {

class HttpSink final : public Sink {
 public:
  HttpSink(Exchange& exchange, mcp::Version version) : exchange_(exchange), version_(version) {}

  Task<bool> Notify(mcp::Message notification) override;
  Task<bool> Ask(mcp::Message request) override;
  Task<void> Finish(mcp::Message response, const Error* error) override;

 private:
  Exchange& exchange_;
  const mcp::Version version_;
};

// An error about a request that never became a call.
Task<void> RespondError(Exchange& exchange, int status, std::string_view raw_id,
                        const Error& error);

}  // namespace switchyard::edge
