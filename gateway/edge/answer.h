// Pulls a reply to its end and gives it to a client in the client's own terms: its id, its progress
// token, its era. The one path for every face (HTTP modern, HTTP legacy, stdio).
#pragma once

#include "core/service.h"

namespace switchyard::edge {

// Where a client's messages go. One call's messages come in order, the response last.
class Sink {
 public:
  virtual ~Sink() = default;
  // False: the client is gone; the call is dropped.
  virtual Task<bool> Notify(mcp::Message notification) = 0;
  // A request to the client. False: this client cannot be asked.
  virtual Task<bool> Ask(mcp::Message) { co_return false; }
  // `error` is set when the response was made of an Error: its status may matter.
  virtual Task<void> Finish(mcp::Message response, const Error* error) = 0;
};

class Asks;

// `asks`: how a legacy client is asked what a server needs; null = it cannot be, or need not.
Task<void> Answer(Service& service, Call& call, Sink& sink, Asks* asks = nullptr);

}  // namespace switchyard::edge
