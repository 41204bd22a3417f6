// Failures are values. An Error says what went wrong (code), where it arose (origin), whether
// anything may have run (retryable), what the client may read (message) and what only the log may
// read (detail). An error object that a server sends is an answer (mcp::Message), not an Error.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace switchyard {

enum class Code : std::uint8_t {
  kInvalid,          // the request itself is wrong
  kUnauthenticated,  // no or no valid credentials
  kForbidden,        // known caller, not allowed
  kNotFound,         // unknown, or hidden from this caller: the two read alike
  kTooLarge,         // over a limit named in the message
  kRateLimited,      // over a rate, a budget or a queue bound
  kUnavailable,      // the server is down, closed or not yet up
  kDeadline,         // ran out of time
  kCancelled,        // the caller went away or said so
  kProtocol,         // the peer broke the protocol
  kInternal,         // a bug of ours
};

enum class Origin : std::uint8_t { kClient, kGateway, kServer };

// Closed sets: both give a word fit for a metric label ("rate_limited", "server").
std::string_view ToString(Code code);
std::string_view ToString(Origin origin);

struct Error {
  Code code = Code::kInternal;
  Origin origin = Origin::kGateway;
  bool retryable = false;  // true only where it is known that nothing ran
  std::string message;  // for the client: lower case, no full stop, names the thing and the value
  std::string detail = {};  // for the log only
  int rpc_code = 0;         // a JSON-RPC code that overrides the one of error_map, 0 = none
  std::string data = {};    // JSON for error.data, empty = none
  // A tools/call answers this as the error of a tool, which agents are shown and can act on; what
  // is only an error object mostly ends in their host. See mcp::ToolErrorMessage.
  bool for_agent = false;
  // Where a person has to go with a browser before the call can be done; "" = nowhere. For the
  // caller alone. See downstream/consent.h.
  std::string visit = {};

  // Puts a context before the message, outermost first: `server billing: POST /mcp: closed`.
  Error&& In(std::string_view context) &&;
};

template <class T>
using Result = std::expected<T, Error>;

// Failure(Code::kNotFound, Origin::kClient, "unknown tool: x") wherever a Result<T> is returned.
std::unexpected<Error> Failure(Code code, Origin origin, std::string message,
                               std::string detail = {});
std::unexpected<Error> Failure(Error error);

}  // namespace switchyard
