#include "audit/anomalies.h"

#include <functional>

namespace switchyard::audit {

std::string_view ToString(Unusual kind) {
  switch (kind) {
    case Unusual::kDenials: return "denials";
    case Unusual::kBurst: return "burst";
    case Unusual::kUnseenTool: return "unseen_tool";
  }
  return "denials";
}

Anomalies::Caller& Anomalies::CallerOf(const Event& event) {
  // No issuer has a line break in it that could make two callers one.
  std::string name = event.issuer + "\n" + event.subject + "\n" + event.client;
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) {
    callers_.splice(callers_.begin(), callers_, known->second);
    return callers_.front();
  }
  while (by_name_.size() >= settings_.callers && !callers_.empty()) {
    by_name_.erase(callers_.back().name);
    callers_.pop_back();
  }
  callers_.push_front({.name = name, .first = event.time, .window = event.time});
  by_name_.emplace(std::move(name), callers_.begin());
  return callers_.front();
}

std::vector<Anomalies::Found> Anomalies::See(const Event& event) {
  std::vector<Found> found;
  const bool own = event.kind == Event::Kind::kCall || event.kind == Event::Kind::kRefused;
  if (!own) return found;  // what people do, not the caller
  const bool proved = !event.subject.empty();
  Caller& caller = CallerOf(event);
  if (event.time - caller.window >= settings_.window || event.time < caller.window) {
    caller.window = event.time;
    caller.denials = caller.calls = 0;
  }
  if (event.outcome == "denied" && ++caller.denials == settings_.denials) {
    found.push_back({.kind = Unusual::kDenials, .count = caller.denials});
  }
  if (!proved || event.kind != Event::Kind::kCall) return found;
  if (++caller.calls == settings_.calls) {
    found.push_back({.kind = Unusual::kBurst, .count = caller.calls});
  }
  // What leads nowhere is no tool that anybody used.
  if (event.item_key != "tool" || event.server.empty() || event.outcome == "denied") return found;
  const std::size_t tool = std::hash<std::string>()(event.server + "\n" + event.item);
  if (caller.tools.contains(tool) || caller.tools.size() >= kMostTools) return found;
  caller.tools.insert(tool);
  if (settings_.unseen_tools && event.time - caller.first >= settings_.learn) {
    found.push_back({.kind = Unusual::kUnseenTool, .count = 0});
  }
  return found;
}

}  // namespace switchyard::audit
