// What a server gets when it asks us something that belongs to no call of a client: ping is
// answered, a server that was told of roots learns of none, everything else is refused. Questions
// that belong to a call go to its client instead (dialogue.h).
#pragma once

#include "core/askable.h"
#include "mcp/message.h"

namespace switchyard::downstream {

class ServerRequests {
 public:
  ServerRequests() = default;
  // `declared`: what the server was told that clients offer.
  explicit ServerRequests(Askable declared) : declared_(declared) {}

  // The response to `request`, which is a request. Pure.
  mcp::Message Answer(const mcp::Message& request) const;

 private:
  Askable declared_;
};

}  // namespace switchyard::downstream
