// Somebody outside who is asked by a POST of JSON and answers by JSON, as a configuration names it.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "base/task.h"
#include "config/secret.h"
#include "config/section.h"
#include "fetch/fetch.h"

namespace switchyard::fetch {

struct Remote {
  config::Secret url = {};  // empty = nobody is asked
  std::map<std::string, config::Secret> headers = {};
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);
};

// `url`, `headers` and `timeout`, on what the remote has so far. Problems are told to the section.
void TakeRemote(config::Section& section, Remote& remote);

// The body of the answer, whose status was 200; any other is an Error, kUnavailable. Both outlive
// the task.
Task<Result<std::string>> PostJson(Fetcher& fetcher, const Remote& remote, std::string body,
                                   std::size_t max_bytes, Deadline deadline);

}  // namespace switchyard::fetch
