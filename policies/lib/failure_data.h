// The `data` of errors as policies read and write it. Pure.
#pragma once

#include "base/clock.h"
#include "base/result.h"

namespace switchyard::policies {

// What an Error's data says of another try: `retryAfterMs`, which policies and the answers of HTTP
// servers (Retry-After) give, and `status`.
struct Advice {
  Duration retry_after{};  // 0 = it does not say
  int status = 0;          // of HTTP, 0 = none

  static Advice Of(const Error& error);

  // False: a status that says that the same request will fare the same.
  bool may_help() const;
  // A 4xx that says nothing of the server's health: the fault is the request's or its credentials'.
  bool blames_request() const;
};

// Whether it is known that no server did the work of a call that failed so: it was not sent, or it
// was refused before anything ran, by a gate of the gateway's (who calls, what is asked for) or by
// the server with a 4xx. False wherever nobody knows. The one rule of all who would do it again,
// ask another, give back what a call took, or keep what it might have changed.
bool NothingRan(const Error& error);

// Adds to the error's data how many attempts there were and, where it is not known whether it ran,
// `"outcome":"unknown"`.
void AddFailureData(Error& error, unsigned attempts, bool unknown);

}  // namespace switchyard::policies
