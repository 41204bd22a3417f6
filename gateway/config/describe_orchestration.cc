#include "config/describe_orchestration.h"

#include "config/redact.h"
#include "config/units.h"
#include "config/words.h"

namespace switchyard::config {

std::string DescribeOrchestration(const Config& config) {
  const Orchestration& service = config.orchestration;
  if (!service.enabled) return "";
  std::string out = "orchestration with leases of " + FormatDuration(service.lease) +
                    ", finished tasks for " + FormatDuration(service.retain);
  if (service.max_tasks != Orchestration().max_tasks) {
    out += ", at most " + Count(static_cast<std::size_t>(service.max_tasks), "task");
  }
  if (service.max_bytes != Orchestration().max_bytes) {
    out += ", records of at most " + FormatBytes(service.max_bytes);
  }
  if (service.messages.max_bytes != Orchestration().messages.max_bytes) {
    out += ", messages of at most " + FormatBytes(service.messages.max_bytes);
  }
  if (config.state.dir.empty()) out += ", in memory only";
  if (!service.keys.empty()) {
    out += ", confidential messages under " + Count(service.keys.size(), "key");
  }
  out += "\n";
  if (service.planner.on()) {
    const bool url = !service.planner.url.empty();
    out += "  tasks are split by ";
    if (service.planner.sampling)
      out += url ? "the client's model, else by " : "the client's model";
    if (url)
      out += "model " + service.planner.model + " at " + RedactUrl(service.planner.url.Shown());
    out += "\n";
  }
  for (const auto& [right, roles] : service.roles) {
    out += "  to " + right + " is for " +
           (roles.empty() ? "nobody" : "role " + Join(roles, " or ")) + "\n";
  }
  return out;
}

}  // namespace switchyard::config
