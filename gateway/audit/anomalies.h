// What is unusual of one caller: many denials, many calls, a tool that it never used before. Fed
// with what is recorded, in its order; pure: time is a parameter. One thread.
//
// Bounded: so many callers are watched at a time, and of each so many tools are known; who was seen
// least recently is forgotten first, and new again when it comes back.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "base/string_hash.h"
#include "config/config.h"

namespace switchyard::audit {

enum class Unusual : std::uint8_t { kDenials, kBurst, kUnseenTool };
inline constexpr std::size_t kUnusuals = 3;
std::string_view ToString(Unusual kind);  // denials, burst, unseen_tool

class Anomalies {
 public:
  static constexpr std::size_t kMostTools = 1000;  // of one caller

  explicit Anomalies(config::Audit::Anomalies settings) : settings_(settings) {}
  void Set(const config::Audit::Anomalies& settings) { settings_ = settings; }
  const config::Audit::Anomalies& settings() const { return settings_; }

  struct Found {
    Unusual kind;
    std::uint64_t count;  // of denials or calls within the window; 0 of a tool
  };
  // Of denials and calls once a window, when they come to their limit. Who proved nothing is one
  // caller for denials, and nobody for the rest.
  std::vector<Found> See(const Event& event);

  std::size_t watched() const { return by_name_.size(); }

 private:
  struct Caller {
    std::string name;
    WallTime first{};
    WallTime window{};  // began
    std::uint32_t denials = 0, calls = 0;
    std::unordered_set<std::size_t> tools = {};  // hashes of their names
  };
  using Callers = std::list<Caller>;  // as seen last first

  Caller& CallerOf(const Event& event);

  config::Audit::Anomalies settings_;
  Callers callers_;
  std::unordered_map<std::string, Callers::iterator, StringHash, std::equal_to<>> by_name_;
};

}  // namespace switchyard::audit
