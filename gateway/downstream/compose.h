// What of a call goes out to a server: a fresh id, the name the server knows, `_meta` of this hop,
// and for HTTP the header lines, which are made from the very body they go with. Pure; the call
// stays as it is, so that it can be sent again.
#pragma once

#include <string>
#include <string_view>

#include "core/call.h"
#include "downstream/link.h"
#include "mcp/splice.h"

namespace switchyard::downstream {

struct Composed {
  std::string id;
  std::string headers;
  mcp::Edits edits;  // over call.message.bytes()

  // Valid as long as the call and *this.
  void AppendTo(const Call& call, mcp::Pieces& out) const {
    edits.AppendTo(call.message.bytes(), out);
  }
};

// For a modern server. The client's capabilities are passed on, except extensions, experiments and
// the tasks of legacy clients, which we could not bridge.
Composed ComposeModern(const Call& call, std::string id, bool with_headers);

// For a legacy server: no modern `_meta`, nothing of a multi round trip.
Composed ComposeLegacy(const Call& call, std::string id, const Link& link);

// Whether a legacy server is asked to make a task of this call: its client can take one, and wants
// it, or the tool allows nothing else.
bool BecomesTask(const Call& call);

// Mcp-Session-Id and MCP-Protocol-Version as far as the version has them.
std::string LegacyHeaders(const Link& link);

}  // namespace switchyard::downstream
