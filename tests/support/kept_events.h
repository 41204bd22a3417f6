// An audit log that keeps what it is told, for tests of who tells it. One thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "audit/event.h"

namespace switchyard::tests {

class KeptEvents final : public audit::Sink {
 public:
  bool on() const override { return true; }
  Admission Admit() override { return Admission::kGranted; }
  void Put(std::unique_ptr<audit::Event> event) override { all.push_back(std::move(*event)); }
  void Note(audit::Event event) override { all.push_back(std::move(event)); }

  // "accepted x" each, and forgets them.
  std::vector<std::string> Take() {
    std::vector<std::string> told;
    for (const audit::Event& event : all)
      told.push_back(std::string(event.decision) + " " + event.item);
    all.clear();
    return told;
  }

  std::vector<audit::Event> all;
};

}  // namespace switchyard::tests
