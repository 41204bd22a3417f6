// Counts requests that were answered with an error and never became a call, by its status. One a
// worker; its thread alone.
#pragma once

#include <map>
#include <string>

#include "telemetry/metrics.h"

namespace switchyard::edge {

class RefusalCount {
 public:
  // Outlives this.
  explicit RefusalCount(telemetry::Metrics& metrics) : metrics_(metrics) {}

  // Statuses are the gateway's own, so they are few.
  void Add(int status) {
    telemetry::Counter*& counter = counters_[status];
    if (counter == nullptr) {
      counter = &metrics_.CounterOf("switchyard_refused_total", {std::to_string(status)});
    }
    counter->Add();
  }

 private:
  telemetry::Metrics& metrics_;
  std::map<int, telemetry::Counter*> counters_;  // asked for when first needed
};

}  // namespace switchyard::edge
