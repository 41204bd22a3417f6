// A call of a legacy session as long as it is served here, so that notifications/cancelled, which
// may come to any worker, finds it. In the frame of whoever serves the call.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "edge/sessions.h"

namespace switchyard::edge {

class InFlight {
 public:
  InFlight(std::shared_ptr<Session> session, std::string raw_id, std::function<void()> cancel)
      : session_(std::move(session)), raw_id_(std::move(raw_id)) {
    // Of two requests with one id (against the protocol) the first can be cancelled.
    registered_ = session_->in_flight.emplace(raw_id_, std::move(cancel)).second;
  }
  InFlight(const InFlight&) = delete;
  ~InFlight() {
    if (registered_) session_->in_flight.erase(raw_id_);
  }

 private:
  std::shared_ptr<Session> session_;
  std::string raw_id_;
  bool registered_ = false;
};

}  // namespace switchyard::edge
