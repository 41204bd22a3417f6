// A string from the configuration that must not reach a log, a page or a message by accident.
// Reveal() is the value, for the one place that uses it (exec, a socket); everything that prints
// gets Shown(). A copy is independent; no synchronisation is needed once the Config is built.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace switchyard::config {

class Secret {
 public:
  static constexpr const char* kMask = "***";

  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)), shown_(kMask) {}
  // `shown` is what may be read by anybody: the value with its secret parts replaced.
  Secret(std::string value, std::string shown)
      : value_(std::move(value)), shown_(std::move(shown)) {}

  const std::string& Reveal() const { return value_; }
  const std::string& Shown() const { return shown_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret& a, const Secret& b) { return a.value_ == b.value_; }
  friend std::ostream& operator<<(std::ostream& out, const Secret& s) { return out << s.shown_; }

 private:
  std::string value_;
  std::string shown_;
};

}  // namespace switchyard::config
