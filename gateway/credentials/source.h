// What one server is shown with a request: header lines with a secret in them, by whose request it
// is. Made from the configuration of the server; lives as long as its Home. The transports of all
// workers ask it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"
#include "core/principal.h"

namespace switchyard::credentials {

using WallTime = std::chrono::system_clock::time_point;

// Immutable; shared by all requests that go out with it.
struct Grant {
  std::string lines;                      // whole header lines, each ended by CRLF
  WallTime refresh_at = WallTime::max();  // from then on a new one is asked for
  WallTime expires = WallTime::max();
  std::vector<std::string> scopes = {};  // that were asked for
};
using GrantPtr = std::shared_ptr<const Grant>;

// How a server refused a request that went out with a grant. It did not run: nobody was let in.
struct Refusal {
  GrantPtr grant;
  int status = 0;         // 401 or 403
  std::string challenge;  // WWW-Authenticate, "" = none
};

class Source {
 public:
  virtual ~Source() = default;

  // Whether callers are shown apart: what is known by one of them is none of another one's.
  virtual bool personal() const = 0;

  // Whether a person can get a caller something to show: an Error of Obtain() may say where
  // (Error::visit).
  virtual bool connects() const { return false; }

  // Any thread. What tells the caller as it is shown now from what it was shown before, as text: a
  // session of a legacy server is for one of these.
  virtual std::string ViewOf(const Principal&) const { return ""; }

  // Any thread, at once. Null: there is none at hand, Obtain() gets one. An Error: there is none
  // for this caller. `caller` null: the gateway asks on its own behalf.
  virtual Result<GrantPtr> Find(const Caller* caller) = 0;

  // On home() only; one flight for all who wait. `deadline` is of who waits, not of the flight.
  // With a refusal: a grant that is worth another try, or an Error, and never the refused one.
  virtual Task<Result<GrantPtr>> Obtain(Caller caller, Refusal refused, Deadline deadline) = 0;
  virtual Executor home() const = 0;
};

using SourcePtr = std::shared_ptr<Source>;

}  // namespace switchyard::credentials
