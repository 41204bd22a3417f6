// Asks HTTP servers that are no MCP servers: issuers for keys and metadata, token endpoints,
// external decisions, hooks. What such a URL says may come from a stranger (a discovery document, a
// server's metadata), so every one passes the guard of address_rules.h: https to public addresses,
// unless `fetch.allow` names the place. The address that was checked is the one connected to.
//
// Not for the calls themselves: downstream/http.h does those.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"

namespace switchyard::fetch {

struct Header {
  std::string name, value;
};

struct Request {
  std::string method = "GET";  // GET or POST
  // Absolute, http or https, without user info. Secrets in its query are not repeated in errors.
  std::string url;
  // Beyond Host, User-Agent, Content-Length, Accept-Encoding and Connection, which are the
  // fetcher's own. A redirect to another origin takes none of them along but Accept.
  std::vector<Header> headers = {};
  std::string body = {};      // of a POST
  std::size_t max_bytes = 0;  // of the answer's body; 0 = what `fetch.max_bytes` says
  // How many redirects are followed, each one checked anew. Of a POST only those that keep it one
  // (307, 308), and only within its origin. 0: a redirect is an answer like others.
  unsigned max_redirects = 0;
  // The deadline bounds it, however long that is, instead of `fetch.timeout`: of one whose caller
  // has a limit of its own.
  bool own_time = false;
};

struct Response {
  int status = 0;
  std::vector<Header> headers = {};  // names as sent
  std::string body = {};             // whole, and no longer than was asked for

  // The first one of that name, in any case; "" = there is none.
  std::string_view Find(std::string_view name) const;
  bool ok() const { return status >= 200 && status < 300; }
};

// Thread-safe. A fetch runs on the executor that awaits it, a worker's or the control thread's, and
// never blocks it; destroying the task closes the connection. Outlives its tasks.
class Fetcher {
 public:
  virtual ~Fetcher() = default;

  // Until `deadline`, and, unless it has its own time, for no longer than `fetch.timeout`. A status
  // of 400 and above is a response, no Error. Errors, whose origin is kServer unless the guard
  // refused:
  //   kForbidden    the guard: scheme, user info, port or address; kGateway, nothing was sent
  //   kUnavailable  no such host, no connection, no TLS, closed early; retryable if nothing was
  //   sent kDeadline     no whole answer in time kTooLarge     a longer body or header block than
  //   is taken kProtocol     not HTTP, a content encoding that was not asked for, redirects without
  //   end
  // Messages name the origin of the URL and nothing more of it, and what an answer said is in the
  // detail only.
  virtual Task<Result<Response>> Fetch(Request request, Deadline deadline) = 0;
};

}  // namespace switchyard::fetch
