// What a fake server asks its client in the middle of a call, in the way of its era.
//
//   tool `ask`    arguments {"method":..., "params":{...}, "times":1}: asks, and answers with the
//                 last result it got, as JSON, or with "error CODE"
//   `ask_and_hold`, `ask_and_die`   (legacy) ask for roots; once answered, says "started:LABEL" and
//                 holds until cancelled; dies at "release:LABEL", answered or not
//   tool `told`   the capabilities that the session was told of at initialize (legacy)
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "support/event.h"
#include "support/json.h"

namespace switchyard::tests {

class Surface;
class Turn;

// Requests of a legacy server that wait for their response. Thread-safe.
class Questions {
 public:
  // Sends a request on the turn's channel and waits for its response; null when there is none.
  json::value Ask(Turn& turn, std::string_view method, const json::value& params);
  // A response of the client; false: nobody waits for it.
  bool Take(const json::value& message);

 private:
  struct Waiting {
    Event there;
    json::value message;
  };
  std::atomic<unsigned> asked_ = 0;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Waiting>> waiting_;  // guarded by mutex_
};

void AddAskingTools(Surface& surface);

}  // namespace switchyard::tests
